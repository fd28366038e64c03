/** Tracing as one `observe` has it: by its settings, told to its metrics and its log. */
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Faults } from '../faults.ts';
import type { Logs } from '../logs/logger.ts';
import type { Settings } from '../settings.ts';
import type { Meters } from '../signals.ts';
import { createTraces, type KeepRecorder, type SpanWatch, type Traces } from '../traces/tracer.ts';

/** Starts tracing; `processor` takes the place of what sends spans away, `watch` is shown them. */
export function openTraces(
  settings: Settings,
  faults: Faults,
  meters: Meters,
  logs: Logs,
  settle: () => void,
  processor: SpanProcessor | undefined,
  watch?: SpanWatch,
): Traces {
  const queue = meters.spanQueue.bind({});
  for (const result of ['exported', 'dropped', 'failed', 'kept']) meters.spans.bind({ result });
  return createTraces({
    settings: settings.otel,
    service: settings.service,
    version: settings.version,
    environment: settings.environment,
    faults,
    log: logs.write,
    settle,
    recorder: {
      result: (result, count) => meters.spans.bind({ result }).inc(count),
      queue: (size) => queue.set(size),
      up: (ok) => meters.exporterUp.bind({}).set(ok ? 1 : 0),
    },
    keep: { settings: settings.keep, recorder: createKeepRecorder(settings.keep, meters) },
    ...(processor && { processor }),
    watch,
  });
}

function createKeepRecorder({ reasons }: Settings['keep'], { spans, tracesKept, tracesLetGo }: Meters): KeepRecorder {
  if (reasons.length > 0) {
    for (const reason of reasons) tracesKept.bind({ reason });
    for (const why of ['ended_well', 'overflow']) tracesLetGo.bind({ why });
  }
  return {
    kept: (reason) => tracesKept.bind({ reason }).inc(),
    span: () => spans.bind({ result: 'kept' }).inc(),
    letGo: (why) => tracesLetGo.bind({ why }).inc(),
    cut: (count) => spans.bind({ result: 'dropped' }).inc(count),
  };
}

/** Everything between the end of a span and a collector, put together as `createTraces` does, with a clock to move. */
import { type BatchSettings, readOtelSettings } from '../settings-otel.ts';
import { printableEndpoint } from './cause.ts';
import { createDelivery } from './delivery.ts';
import { createOtlpExporter } from './exporter.ts';
import { type BatchProcessor, createBatchProcessor } from './processor.ts';
import {
  createMemoryFaults,
  createMemoryRecorder,
  finishedSpan,
  type HandTimer,
  type Line,
  type MemoryRecorder,
} from './testing-spans.test-helper.ts';
import { type ExportClock, realClock } from './timer.ts';
import { createStore } from './tracer.ts';

export interface Pipeline {
  readonly processor: BatchProcessor;
  readonly recorder: MemoryRecorder;
  readonly lines: readonly Line[];
  /** Ends so many spans. */
  end(count: number): void;
}

/** `env` are `OTEL_*` variables, the endpoint among them. */
export function createPipeline(env: Readonly<Record<string, string>>, clock: ExportClock = realClock): Pipeline {
  const settings = readOtelSettings(env, []);
  const batch: BatchSettings = settings.batch;
  const recorder = createMemoryRecorder();
  const { faults, lines } = createMemoryFaults();
  const timeoutMs = Math.min(settings.otlp.timeoutMs, batch.exportTimeoutMs);
  const { setTimer } = clock;
  const delivery = createDelivery({
    exporter: createOtlpExporter({ settings: { ...settings.otlp, timeoutMs }, clock, random: () => 0.5 }),
    endpoint: printableEndpoint(settings.otlp.url),
    timeoutMs: batch.exportTimeoutMs,
    faults,
    recorder,
    setTimer,
  });
  const store = createStore(settings, finishedSpan('').resource);
  const processor = createBatchProcessor({ batch, store, recorder, ...delivery, setTimer });
  let ended = 0;
  return {
    processor,
    recorder,
    lines,
    end(count) {
      for (let i = 0; i < count; i++) processor.onEnd(finishedSpan(`s${ended++}`));
    },
  };
}

/** Polls until it is so; for what happens on a socket. */
export async function until(isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > endsAt) throw new Error(`not so within 10 s: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * Timers that stand while an attempt is under way, and only then: the export's deadline and the delivery's. In a pause
 * between attempts there is a third, between exports one at most.
 */
const UNDER_WAY = 2;

/** Moves time on to each timer in turn, letting attempts on sockets end in between, until it is so. */
export async function drive(timer: HandTimer, isSo: () => boolean): Promise<void> {
  for (let step = 0; step < 10_000; step++) {
    await timer.advance(0);
    await until(() => timer.pending.length !== UNDER_WAY || isSo());
    if (isSo()) return;
    await timer.advance(timer.pending.length === 0 ? 0 : Math.min(...timer.pending));
  }
  throw new Error(`not so after 10000 timers: ${isSo}`);
}

/** Spans: the OpenTelemetry SDK, put together from the settings. */
import { propagation, type TextMapPropagator, type Tracer, type TracerProvider } from '@opentelemetry/api';
import {
  type Sampler,
  TracerProvider as SdkTracerProvider,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID } from '@opentelemetry/semantic-conventions';
import type { Faults } from '../faults.ts';
import type { OtelSettings } from '../settings-otel.ts';
import type { Spans, WriteLine } from '../signals.ts';
import { printableEndpoint } from './cause.ts';
import { createConsoleProcessor } from './console.ts';
import { createDelivery } from './delivery.ts';
import { createOtlpExporter } from './exporter.ts';
import { hostProvider, registerGlobals } from './globals.ts';
import { flushHost } from './host-flush.ts';
import { createKeepBuffer, createKeepingSampler, type KeepOptions } from './keep.ts';
import { type BatchProcessor, createBatchProcessor, type SpanRecorder } from './processor.ts';
import { createExtract, createInject, createPropagator } from './propagation.ts';
import { createResource } from './resource.ts';
import { createSampler } from './sampler.ts';
import { markSession, sessionMark } from './session-mark.ts';
import { createDisabledTracer, createIdTracer } from './silent-tracer.ts';

export type { KeepRecorder } from './keep.ts';
export type { SpanRecorder } from './processor.ts';

export interface TracesOptions {
  readonly settings: OtelSettings;
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  readonly faults: Faults;
  readonly recorder: SpanRecorder;
  /** Requests that are kept although they were not sampled; none where it is left out. */
  readonly keep?: Pick<KeepOptions, 'settings' | 'recorder'>;
  /** Where `OTEL_TRACES_EXPORTER=console` writes spans. */
  readonly log: WriteLine;
  /** Takes the place of the settings' exporter; for tests. */
  readonly exporter?: SpanExporter;
  /** Takes the place of all that sends spans away, and of a host's own SDK; for tests of users'. */
  readonly processor?: SpanProcessor;
}

export interface Traces {
  readonly spans: Spans;
  /** The tracer of the scope `binnacle`. */
  readonly tracer: Tracer;
  /** `service.instance.id` of the resource: the same in `target_info`, so that both can be joined. */
  readonly instanceId: string;
  /** Sends what is queued now; stops at the first batch that fails, each in at most the exporter's timeout. Always resolves. */
  flush(): Promise<void>;
  /**
   * Sends what is queued in at most `timeoutMs`, drops and counts the rest, unregisters; has a host's SDK send what it
   * has. Always resolves; once.
   */
  close(timeoutMs: number): Promise<void>;
}

/** How spans come to be, and how they leave. */
interface Pipeline {
  readonly tracer: Tracer;
  /** The provider of an SDK of the host's own, which makes the spans and exports them too. */
  readonly host: TracerProvider | undefined;
  /** For the API's global; absent with tracing off, where the API's own no-op does. */
  readonly provider: TracerProvider | undefined;
  readonly batches: BatchProcessor | undefined;
}

/**
 * Starts tracing by the settings, and registers it with OpenTelemetry's API where the host has not done so itself.
 * - `OTEL_SDK_DISABLED=true`: spans have no ids; what comes in still goes out.
 * - Without exporter: ids and sampled flags as usual, nothing is recorded.
 * - With an SDK of the host's own: its provider makes the spans, and its processors export them.
 * Never throws.
 */
export function createTraces(options: TracesOptions): Traces {
  const { settings } = options;
  const resource = createResource({ ...options, attributes: settings.resource });
  const { tracer, host, provider, batches } = createPipeline(options, resource);
  const hosted = host !== undefined;
  const propagator: TextMapPropagator = createPropagator(settings.propagators, { passThrough: settings.disabled });
  const globals = registerGlobals({ provider, propagator });
  if (globals.foreign.length > 0) {
    const kept = globals.foreign.join(', ');
    options.log('INFO', options.service, `OpenTelemetry is set up by the host, and used for: ${kept}`);
  }
  let closing: Promise<void> | undefined;
  return {
    tracer,
    instanceId: String(resource.attributes[ATTR_SERVICE_INSTANCE_ID]),
    spans: {
      start: hosted
        ? (name, kind, attributes, parent) =>
            tracer.startSpan(name, { kind, attributes: markSession(attributes) }, parent)
        : (name, kind, attributes, parent) => tracer.startSpan(name, { kind, attributes }, parent),
      extract: createExtract(hosted ? propagation : propagator),
      inject: createInject(hosted ? propagation : propagator),
      hosted,
    },
    flush: async () => batches?.forceFlush(),
    close(timeoutMs) {
      closing ??= (async () => {
        globals.undo();
        await batches?.close(timeoutMs);
        if (host !== undefined) await flushHost(host, timeoutMs);
      })();
      return closing;
    },
  };
}

function createPipeline(options: TracesOptions, resource: ReturnType<typeof createResource>): Pipeline {
  const { settings } = options;
  const none = { host: undefined, provider: undefined, batches: undefined };
  if (settings.disabled) return { ...none, tracer: createDisabledTracer() };
  const host = options.processor === undefined ? hostProvider() : undefined;
  if (host !== undefined) return { ...none, host, tracer: host.getTracer('binnacle') };
  const sampler = createSampler(settings.sampler);
  if (options.processor === undefined && options.exporter === undefined && settings.exporter === 'none') {
    const tracer = createIdTracer(sampler);
    return { ...none, tracer, provider: { getTracer: () => tracer } };
  }
  const { processor, batches } = createProcessor(options);
  const provider = new SdkTracerProvider({ resource, ...createRecording(options.keep, sampler, processor) });
  return { ...none, tracer: provider.getTracer('binnacle'), provider, batches };
}

/** What is recorded, and by whom: with nothing to keep, what is not sampled costs no more than its ids. */
function createRecording(
  keep: TracesOptions['keep'],
  sampler: Sampler,
  processor: SpanProcessor,
): { sampler: Sampler; spanProcessors: SpanProcessor[] } {
  if (keep === undefined || keep.settings.reasons.length === 0)
    return { sampler, spanProcessors: [sessionMark, processor] };
  const buffer = createKeepBuffer({ ...keep, emit: (span) => processor.onEnd(span) });
  return { sampler: createKeepingSampler(sampler), spanProcessors: [sessionMark, buffer, processor] };
}

function createProcessor(options: TracesOptions): { processor: SpanProcessor; batches: BatchProcessor | undefined } {
  const { settings, faults, recorder } = options;
  if (options.processor !== undefined) return { processor: options.processor, batches: undefined };
  if (options.exporter === undefined && settings.exporter === 'console') {
    return { processor: createConsoleProcessor(options.log, recorder), batches: undefined };
  }
  const timeoutMs = Math.min(settings.otlp.timeoutMs, settings.batch.exportTimeoutMs);
  const delivery = createDelivery({
    exporter: options.exporter ?? createOtlpExporter({ settings: { ...settings.otlp, timeoutMs } }),
    endpoint: options.exporter === undefined ? printableEndpoint(settings.otlp.url) : undefined,
    timeoutMs: settings.batch.exportTimeoutMs,
    faults,
    recorder,
  });
  const batches = createBatchProcessor({ batch: settings.batch, recorder, ...delivery });
  return { processor: batches, batches };
}

/** Spans: the OpenTelemetry SDK, put together from the settings. */
import type { TextMapPropagator, Tracer, TracerProvider } from '@opentelemetry/api';
import { TracerProvider as SdkTracerProvider, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID } from '@opentelemetry/semantic-conventions';
import type { Faults } from '../faults.ts';
import type { OtelSettings } from '../settings-otel.ts';
import type { Spans, WriteLine } from '../signals.ts';
import { printableEndpoint } from './cause.ts';
import { createConsoleProcessor } from './console.ts';
import { createDelivery } from './delivery.ts';
import { createOtlpExporter } from './exporter.ts';
import { registerGlobals } from './globals.ts';
import { type BatchProcessor, createBatchProcessor, type SpanRecorder } from './processor.ts';
import { createExtract, createPropagator } from './propagation.ts';
import { createResource } from './resource.ts';
import { createSampler } from './sampler.ts';
import { sessionMark } from './session-mark.ts';
import { createDisabledTracer, createIdTracer } from './silent-tracer.ts';

export type { SpanRecorder } from './processor.ts';

export interface TracesOptions {
  readonly settings: OtelSettings;
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  readonly faults: Faults;
  readonly recorder: SpanRecorder;
  /** Where `OTEL_TRACES_EXPORTER=console` writes spans. */
  readonly log: WriteLine;
  /** Takes the place of the settings' exporter; for tests. */
  readonly exporter?: SpanExporter;
}

export interface Traces {
  readonly spans: Spans;
  /** The tracer of the scope `binnacle`. */
  readonly tracer: Tracer;
  /** `service.instance.id` of the resource: the same in `target_info`, so that both can be joined. */
  readonly instanceId: string;
  /** Sends what is queued now; stops at the first batch that fails, each in at most the exporter's timeout. Always resolves. */
  flush(): Promise<void>;
  /** Sends what is queued in at most `timeoutMs`, drops and counts the rest, unregisters. Always resolves; once. */
  close(timeoutMs: number): Promise<void>;
}

/** How spans come to be, and how they leave. */
interface Pipeline {
  readonly tracer: Tracer;
  /** For the API's global; absent with tracing off, where the API's own no-op does. */
  readonly provider: TracerProvider | undefined;
  readonly batches: BatchProcessor | undefined;
}

/**
 * Starts tracing by the settings, and registers it with OpenTelemetry's API where the host has not done so itself.
 * - `OTEL_SDK_DISABLED=true`: spans have no ids; what comes in still goes out.
 * - Without exporter: ids and sampled flags as usual, nothing is recorded.
 * Never throws.
 */
export function createTraces(options: TracesOptions): Traces {
  const { settings, faults } = options;
  const resource = createResource({ ...options, attributes: settings.resource });
  const { tracer, provider, batches } = createPipeline(options, resource);
  const propagator: TextMapPropagator = createPropagator(settings.propagators, { passThrough: settings.disabled });
  const globals = registerGlobals({ provider, propagator });
  if (globals.foreign.length > 0) {
    const kept = globals.foreign.join(', ');
    faults.once('otel-globals', 'otel', `OpenTelemetry is set up by the host: its own stays for: ${kept}`);
  }
  let closing: Promise<void> | undefined;
  return {
    tracer,
    instanceId: String(resource.attributes[ATTR_SERVICE_INSTANCE_ID]),
    spans: {
      start: (name, kind, attributes, parent) => tracer.startSpan(name, { kind, attributes }, parent),
      extract: createExtract(propagator),
    },
    flush: async () => batches?.forceFlush(),
    close(timeoutMs) {
      closing ??= (async () => {
        globals.undo();
        await batches?.close(timeoutMs);
      })();
      return closing;
    },
  };
}

function createPipeline(options: TracesOptions, resource: ReturnType<typeof createResource>): Pipeline {
  const { settings } = options;
  if (settings.disabled) return { tracer: createDisabledTracer(), provider: undefined, batches: undefined };
  const sampler = createSampler(settings.sampler);
  if (options.exporter === undefined && settings.exporter === 'none') {
    const tracer = createIdTracer(sampler);
    return { tracer, provider: { getTracer: () => tracer }, batches: undefined };
  }
  const { processor, batches } = createProcessor(options);
  const provider = new SdkTracerProvider({ sampler, resource, spanProcessors: [sessionMark, processor] });
  return { tracer: provider.getTracer('binnacle'), provider, batches };
}

function createProcessor(options: TracesOptions): { processor: SpanProcessor; batches: BatchProcessor | undefined } {
  const { settings, faults, recorder } = options;
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

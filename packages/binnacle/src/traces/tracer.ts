/** Spans: the OpenTelemetry SDK, put together from the settings. */
import { propagation, type TextMapPropagator, type Tracer, type TracerProvider } from '@opentelemetry/api';
import {
  type ReadableSpan,
  type Sampler,
  TracerProvider as SdkTracerProvider,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID } from '@opentelemetry/semantic-conventions';
import type { Faults } from '../faults.ts';
import type { OtelSettings } from '../settings-otel.ts';
import type { RequestSpans, Spans, WriteLine } from '../signals.ts';
import { printableEndpoint } from './cause.ts';
import { createConsoleProcessor } from './console.ts';
import { createDelivery } from './delivery.ts';
import { createSlot, EncodedQueue, type SpanSlot } from './encoded-queue.ts';
import { createOtlpExporter } from './exporter.ts';
import { hostProvider, registerGlobals } from './globals.ts';
import { flushHost } from './host-flush.ts';
import { watchHost } from './host-watch.ts';
import { createIds } from './ids.ts';
import { createKeepBuffer, createKeepingSampler, type KeepOptions } from './keep.ts';
import { type BatchProcessor, createBatchProcessor, type SpanRecorder } from './processor.ts';
import { createExtract, createInject, createPropagator } from './propagation.ts';
import { createRequestSpans } from './request-spans.ts';
import { createResource } from './resource.ts';
import { createSampler } from './sampler.ts';
import { markSession, sessionMark } from './session-mark.ts';
import { createDisabledTracer, createIdTracer, SilencingProvider } from './silent-tracer.ts';
import type { Resource, SpanBatch } from './span-batch.ts';
import { SpanQueue, type SpanStore } from './span-queue.ts';
import { createWatched, createWatchSlot, type SpanWatch, type Watched } from './span-watch.ts';

export type { KeepRecorder } from './keep.ts';
export type { SpanRecorder } from './processor.ts';
export type { SpanWatch } from './span-watch.ts';

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
  /** Called before all is sent: writes the spans of what has ended. */
  readonly settle?: (() => void) | undefined;
  /** Is shown every sampled span that ends, whether it is exported or not. */
  readonly watch?: SpanWatch | undefined;
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
  /** What waits to be exported; absent where nothing does. */
  readonly queue: Pick<SpanStore<unknown>, 'size' | 'bytes'> | undefined;
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
  readonly store: SpanStore<ReadableSpan[] | SpanBatch> | undefined;
  readonly requests: RequestSpans | undefined;
  /** Ends the looking at a host's spans. */
  readonly endWatch: (() => void) | undefined;
}

/** The instrumentation scope of Binnacle's own spans. */
const SCOPE = { name: 'binnacle' };

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
  const { tracer, host, provider, batches, store, requests, endWatch } = createPipeline(options, resource);
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
    queue: store,
    spans: {
      start: hosted
        ? (name, kind, attributes, parent) =>
            tracer.startSpan(name, { kind, attributes: markSession(attributes) }, parent)
        : (name, kind, attributes, parent) => tracer.startSpan(name, { kind, attributes }, parent),
      extract: hosted ? createExtract(propagation) : createExtract(propagator, true),
      inject: createInject(hosted ? propagation : propagator),
      hosted,
      requests,
    },
    flush: async () => batches?.forceFlush(),
    close(timeoutMs) {
      closing ??= (async () => {
        globals.undo();
        await batches?.close(timeoutMs);
        if (host !== undefined) await flushHost(host, timeoutMs);
        endWatch?.();
      })();
      return closing;
    },
  };
}

function createPipeline(options: TracesOptions, resource: ReturnType<typeof createResource>): Pipeline {
  const { settings } = options;
  if (settings.disabled) return { ...NOTHING, tracer: createDisabledTracer() };
  const watched = options.watch && createWatched(options.watch);
  const host = options.processor === undefined ? hostProvider() : undefined;
  if (host !== undefined) {
    const endWatch = watched && watchHost(host, watched.around());
    return { ...NOTHING, host, tracer: host.getTracer(SCOPE.name), endWatch };
  }
  const sampler = createSampler(settings.sampler);
  const ids = createIds();
  if (!isExporting(options) && watched === undefined) {
    const tracer = createIdTracer(sampler, ids);
    const requests = createRequestSpans({ ids, sampler });
    return { ...NOTHING, tracer, provider: { getTracer: () => tracer }, requests };
  }
  const { processor, batches, store, slot } = createProcessor(options, resource, watched);
  const recording = createRecording(options.keep, sampler, processor);
  const Provider = recording.keeps ? SdkTracerProvider : SilencingProvider;
  const provider = new Provider({ resource, idGenerator: ids, ...recording });
  const tracer = provider.getTracer(SCOPE.name);
  // What is kept may be any request's span: each is one from its start then.
  const requests = recording.keeps || slot === undefined ? undefined : { ids, sampler, tracer, slot };
  return { ...NOTHING, tracer, provider, batches, store, requests: requests && createRequestSpans(requests) };
}

const NOTHING = {
  host: undefined,
  provider: undefined,
  batches: undefined,
  store: undefined,
  requests: undefined,
  endWatch: undefined,
};

function isExporting({ processor, exporter, settings }: TracesOptions): boolean {
  return processor !== undefined || exporter !== undefined || settings.exporter !== 'none';
}

/** What is recorded, and by whom: with nothing to keep, what is not sampled costs no more than its ids. */
function createRecording(
  keep: TracesOptions['keep'],
  sampler: Sampler,
  processor: SpanProcessor,
): { sampler: Sampler; spanProcessors: SpanProcessor[]; keeps: boolean } {
  if (keep === undefined || keep.settings.reasons.length === 0)
    return { sampler, spanProcessors: [sessionMark, processor], keeps: false };
  const buffer = createKeepBuffer({ ...keep, emit: (span) => processor.onEnd(span) });
  return { sampler: createKeepingSampler(sampler), spanProcessors: [sessionMark, buffer, processor], keeps: true };
}

interface Processing {
  readonly processor: SpanProcessor;
  readonly batches?: BatchProcessor;
  readonly store?: SpanStore<ReadableSpan[] | SpanBatch>;
  /** Takes in spans that are written by hand, where they are stored as bytes. */
  readonly slot?: SpanSlot;
}

/** What takes the spans; where somebody looks on, that is shown them on their way. */
function createProcessor(options: TracesOptions, resource: Resource, watched: Watched | undefined): Processing {
  if (watched === undefined) return createExporting(options, resource);
  if (!isExporting(options)) return { processor: watched.around(), slot: createWatchSlot(watched.watch, SCOPE.name) };
  const exporting = createExporting(options, resource, watched.watch);
  return { ...exporting, processor: watched.around(exporting.processor) };
}

function createExporting(options: TracesOptions, resource: Resource, watch?: SpanWatch): Processing {
  const { settings, faults, recorder } = options;
  if (options.processor !== undefined) return { processor: options.processor };
  if (options.exporter === undefined && settings.exporter === 'console')
    return { processor: createConsoleProcessor(options.log, recorder) };
  const { batch } = settings;
  const common = { timeoutMs: batch.exportTimeoutMs, faults, recorder };
  if (options.exporter !== undefined) {
    const delivery = createDelivery({ ...common, exporter: options.exporter, endpoint: undefined });
    const store = new SpanQueue(batch);
    const batches = createBatchProcessor({ batch, recorder, store, ...delivery });
    return { processor: batches, batches, store };
  }
  const timeoutMs = Math.min(settings.otlp.timeoutMs, batch.exportTimeoutMs);
  const exporter = createOtlpExporter({ settings: { ...settings.otlp, timeoutMs } });
  const delivery = createDelivery({ ...common, exporter, endpoint: printableEndpoint(settings.otlp.url) });
  const store = createStore(settings, resource, watch);
  const batches = createBatchProcessor({ batch, recorder, store, settle: options.settle, ...delivery });
  const slot = store instanceof EncodedQueue ? createSlot(store, SCOPE, batches.added) : undefined;
  return { processor: batches, batches, store, ...(slot && { slot }) };
}

/** Where spans wait for OTLP: protobuf is written as they end, JSON by the official serializer as they are sent. */
export function createStore(
  { otlp, batch }: OtelSettings,
  resource: Resource,
  watch?: SpanWatch,
): SpanStore<ReadableSpan[] | SpanBatch> {
  return otlp.protocol === 'http/protobuf' ? new EncodedQueue(resource, batch, watch) : new SpanQueue(batch);
}

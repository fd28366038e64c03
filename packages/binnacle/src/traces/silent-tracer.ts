/** Spans that nobody records: with ids, for logs and propagation, or without any. */
import {
  type Context,
  context as contextApi,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  type IdGenerator,
  type Sampler,
  SamplingDecision,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';

/** Spans without ids, for `OTEL_SDK_DISABLED=true`. */
export function createDisabledTracer(): Tracer {
  return toTracer(() => trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
}

/**
 * Spans with ids and a sampling decision that nobody will read: what a service without exporter needs for its log
 * lines and for those it calls. The SDK's tracer would record each sampled span whole, only to drop it.
 */
export function createIdTracer(sampler: Sampler, ids: IdGenerator): Tracer {
  return toTracer((name, options, parent) => {
    const silent = silentAbove(options, parent);
    if (silent !== undefined) return new SilentSpan(silent, ids);
    const above = options.root === true ? trace.deleteSpan(parent) : parent;
    if (isTracingSuppressed(above)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const parentContext = trace.getSpanContext(above);
    const inherited = parentContext !== undefined && isSpanContextValid(parentContext) ? parentContext : undefined;
    const traceId = inherited?.traceId ?? ids.generateTraceId();
    // The standard samplers read neither attributes nor links.
    const { decision, traceState } = sampler.shouldSample(above, traceId, name, options.kind ?? 0, {}, []);
    const sampled = decision === SamplingDecision.RECORD_AND_SAMPLED;
    const decided = {
      traceId,
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      traceState: traceState ?? inherited?.traceState,
    };
    return new SilentSpan({ spanContext: () => decided }, ids);
  });
}

/**
 * The SDK's, which is not asked for what starts below a span that was left out: every standard sampler decides there as
 * it did above, since it goes by the trace id or by the parent.
 */
export class SilencingProvider extends TracerProvider {
  readonly #ids: IdGenerator;

  constructor(options: TracerProviderOptions & { readonly idGenerator: IdGenerator }) {
    super(options);
    this.#ids = options.idGenerator;
  }

  override getTracer(...scope: Parameters<TracerProvider['getTracer']>): Tracer {
    return silencing(super.getTracer(...scope), this.#ids);
  }
}

function silencing(tracer: Tracer, ids: IdGenerator): Tracer {
  return toTracer((name, options, parent) => {
    const silent = silentAbove(options, parent);
    if (silent !== undefined) return new SilentSpan(silent, ids);
    const span = tracer.startSpan(name, options, parent);
    const own = span.spanContext();
    return span.isRecording() || !isSpanContextValid(own) ? span : new SilentSpan(span, ids, own);
  });
}

/** What a span may say of itself: nothing records it, nor what starts below it. */
export interface MaybeSilent {
  readonly silent?: boolean;
}

function silentAbove({ root }: SpanOptions, parent: Context): Span | undefined {
  const above: (Span & MaybeSilent) | undefined = trace.getSpan(parent);
  return above?.silent === true && root !== true && !isTracingSuppressed(parent) ? above : undefined;
}

/** A span that nobody will see. Few are asked for their id, by a log line or a call to another service: it is made then. */
class SilentSpan implements Span, MaybeSilent {
  readonly silent = true;
  readonly #above: { spanContext(): Omit<SpanContext, 'spanId'> };
  readonly #ids: IdGenerator;
  #own: SpanContext | undefined;

  constructor(above: { spanContext(): Omit<SpanContext, 'spanId'> }, ids: IdGenerator, own?: SpanContext) {
    this.#above = above;
    this.#ids = ids;
    this.#own = own;
  }

  spanContext(): SpanContext {
    if (this.#own === undefined) {
      const { traceId, traceFlags, traceState } = this.#above.spanContext();
      this.#own = { traceId, spanId: this.#ids.generateSpanId(), traceFlags, ...(traceState && { traceState }) };
    }
    return this.#own;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}

type StartSpan = (name: string, options: SpanOptions, parent: Context) => Span;

function toTracer(start: StartSpan): Tracer {
  const startSpan: Tracer['startSpan'] = (name, options = {}, parent = contextApi.active()) =>
    start(name, options, parent);
  // Its overloads differ in where the function stands; it is always last.
  const startActiveSpan = (name: string, ...rest: unknown[]): unknown => {
    const run = rest.at(-1) as (span: Span) => unknown;
    const [options, parent] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const above = parent ?? contextApi.active();
    const span = startSpan(name, options, above);
    return contextApi.with(trace.setSpan(above, span), run, undefined, span);
  };
  return { startSpan, startActiveSpan: startActiveSpan as Tracer['startActiveSpan'] };
}

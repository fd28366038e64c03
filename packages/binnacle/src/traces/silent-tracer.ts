/** Tracers that record nothing: with ids, for logs and propagation, or without any. */
import {
  type Context,
  context as contextApi,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { type IdGenerator, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';

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
    const above = options.root === true ? trace.deleteSpan(parent) : parent;
    if (isTracingSuppressed(above)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const parentContext = trace.getSpanContext(above);
    const inherited = parentContext !== undefined && isSpanContextValid(parentContext) ? parentContext : undefined;
    const traceId = inherited?.traceId ?? ids.generateTraceId();
    // The standard samplers read neither attributes nor links.
    const { decision, traceState } = sampler.shouldSample(above, traceId, name, options.kind ?? 0, {}, []);
    const sampled = decision === SamplingDecision.RECORD_AND_SAMPLED;
    return trace.wrapSpanContext({
      traceId,
      spanId: ids.generateSpanId(),
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      traceState: traceState ?? inherited?.traceState,
    });
  });
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

/** Trace context and baggage in and out: https://www.w3.org/TR/trace-context/, https://www.w3.org/TR/baggage/ */
import {
  type Context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Propagator } from '../settings-otel.ts';
import type { Spans } from '../signals.ts';

/** What a header may hold before it is ignored, in characters: both standards ask for far less (512 and 8192). */
const HEADER_LIMIT = 16_384;

/** The span context that came in, kept beside the active span: with tracing off that one is invalid. */
const incomingKey = createContextKey('binnacle incoming span context');

type Headers = Parameters<Spans['extract']>[0];

/**
 * The propagator of `OTEL_PROPAGATORS`. With `passThrough` what came in goes out again although the active span has
 * no ids, which is what a service without tracing owes to those around it.
 */
export function createPropagator(names: readonly Propagator[], options: { passThrough: boolean }): TextMapPropagator {
  const makers = { tracecontext: () => new W3CTraceContextPropagator(), baggage: () => new W3CBaggagePropagator() };
  const propagator = new CompositePropagator({ propagators: names.map((name) => makers[name]()) });
  return options.passThrough ? passThrough(propagator) : propagator;
}

/** A propagator, or the API's own, which asks the host's. */
type Propagation = {
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context;
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void;
};

/**
 * Reads the context that request headers carry. Malformed and oversized headers are ignored; it never throws.
 * `isOurs` says that the propagator reads no headers but those of the two standards.
 */
export function createExtract(propagator: Propagation, isOurs = false): Spans['extract'] {
  return (headers) => {
    try {
      // Most requests carry none: the propagators would make contexts of nothing.
      if (isOurs && carriesNothing(headers)) return ROOT_CONTEXT;
      return propagator.extract(ROOT_CONTEXT, headers, headerGetter);
    } catch {
      return ROOT_CONTEXT;
    }
  };
}

/**
 * A `tracestate` without a `traceparent` is not read (Trace Context, section 3.3). By their names as such: V8 looks up
 * a name that varies for several times as long.
 */
function carriesNothing({ traceparent, baggage }: Headers): boolean {
  return traceparent === undefined && baggage === undefined;
}

/** Gives the headers that carry a context on. It never throws. */
export function createInject(propagator: Propagation): Spans['inject'] {
  return (context, set) => {
    try {
      propagator.inject(context, undefined, { set: (_carrier, name, value) => set(name, value) });
    } catch {
      // A call goes out without its trace rather than not at all.
    }
  };
}

const headerGetter: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get(headers, name) {
    const value = headers[name];
    if (!Array.isArray(value)) return isReadable(value) ? value : undefined;
    // More than one traceparent leaves no way to tell the right one (Trace Context, section 3.2); lists may be split.
    if (name === 'traceparent' && value.length !== 1) return undefined;
    const joined = value.join(',');
    return isReadable(joined) ? joined : undefined;
  },
};

function isReadable(value: unknown): boolean {
  return typeof value === 'string' && value.length <= HEADER_LIMIT;
}

function passThrough(propagator: TextMapPropagator): TextMapPropagator {
  return {
    fields: () => propagator.fields(),
    extract(context, carrier, getter) {
      const extracted = propagator.extract(context, carrier, getter);
      const incoming = trace.getSpanContext(extracted);
      return incoming === undefined ? extracted : extracted.setValue(incomingKey, incoming);
    },
    inject: (context, carrier, setter) => propagator.inject(withIncoming(context), carrier, setter),
  };
}

function withIncoming(context: Context): Context {
  const active = trace.getSpanContext(context);
  if (active !== undefined && isSpanContextValid(active)) return context;
  const incoming = context.getValue(incomingKey) as SpanContext | undefined;
  return incoming === undefined ? context : trace.setSpanContext(context, incoming);
}

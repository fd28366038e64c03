/** Finished spans, kept in memory as plain records. */
import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock } from '../signals.ts';

/** A span that has ended and would be exported. */
export interface TestSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly status: 'unset' | 'ok' | 'error';
  readonly attributes: Readonly<Attributes>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Attributes> }[];
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for a root. */
  readonly parentSpanId: string | undefined;
  /** By the clock by hand, so exactly 0 where that was not moved. */
  readonly durationMs: number;
}

export interface SpanMemory {
  readonly processor: SpanProcessor;
  /** In the order in which they ended. */
  spans(): readonly TestSpan[];
  clear(): void;
}

/** How many are kept; past it the oldest go. */
const MOST = 10_000;

const KINDS: Readonly<Record<SpanKind, TestSpan['kind']>> = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
  [SpanKind.PRODUCER]: 'producer',
  [SpanKind.CONSUMER]: 'consumer',
};
const STATUSES: Readonly<Record<SpanStatusCode, TestSpan['status']>> = {
  [SpanStatusCode.UNSET]: 'unset',
  [SpanStatusCode.OK]: 'ok',
  [SpanStatusCode.ERROR]: 'error',
};

/** Keeps the spans that an exporter would be given, with the time that `clock` tells of them. */
export function createSpanMemory(clock: Clock): SpanMemory {
  const kept: TestSpan[] = [];
  /** By id: what `BINNACLE_KEEP` keeps comes later, and as another object than the one that began. */
  const startedAt = new Map<string, number>();
  return {
    processor: {
      onStart(span) {
        startedAt.set(span.spanContext().spanId, clock.now());
        if (startedAt.size > MOST) startedAt.delete(startedAt.keys().next().value as string);
      },
      onEnd(span) {
        const { spanId, traceFlags } = span.spanContext();
        if ((traceFlags & TraceFlags.SAMPLED) === 0) return;
        const from = startedAt.get(spanId);
        kept.push(toRecord(span, from === undefined ? hrTimeToMilliseconds(span.duration) : clock.now() - from));
        if (kept.length > MOST) kept.shift();
      },
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    },
    spans: () => [...kept],
    clear: () => void kept.splice(0),
  };
}

function toRecord(span: ReadableSpan, durationMs: number): TestSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    kind: KINDS[span.kind],
    status: STATUSES[span.status.code],
    attributes: { ...span.attributes },
    events: span.events.map(({ name, attributes = {} }) => ({ name, attributes: { ...attributes } })),
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    durationMs,
  };
}

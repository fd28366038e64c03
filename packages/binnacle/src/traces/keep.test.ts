import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  type ReadableSpan,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import type { KeepReason } from '../settings-otel.ts';
import { createKeepBuffer, createKeepingSampler, type KeepLimits } from './keep.ts';

/** As dates: the SDK takes a small number for one of the process' own time once that has come so far. */
const START = new Date(1000);
const END = new Date(1001);

const ALL: readonly KeepReason[] = ['error', 'slow', 'abort'];

function setUp({
  sampler = new AlwaysOffSampler(),
  reasons = ALL,
  limits,
}: {
  sampler?: Sampler;
  reasons?: readonly KeepReason[];
  limits?: KeepLimits;
} = {}) {
  const out: ReadableSpan[] = [];
  const told: string[] = [];
  const buffer = createKeepBuffer({
    settings: { reasons, slowMs: 100 },
    recorder: {
      kept: (reason) => told.push(reason),
      letGo: (why) => told.push(why),
      span: () => {},
      cut: (count) => told.push(`cut ${count}`),
    },
    emit: (span) => out.push(span),
    ...(limits && { limits }),
  });
  const tracer = new TracerProvider({ sampler: createKeepingSampler(sampler), spanProcessors: [buffer] }).getTracer(
    't',
  );
  const start = (name: string, parent: Context = ROOT_CONTEXT): { span: Span; context: Context } => {
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: START }, parent);
    return { span, context: trace.setSpan(parent, span) };
  };
  return { out, told, start };
}

const fail = (span: Span): void => void span.setStatus({ code: SpanStatusCode.ERROR }).end(END);

test('what ends badly is kept whole, sampled, and says why', () => {
  const { out, told, start } = setUp();
  const root = start('root');
  const child = start('child', root.context);
  expect(child.span.spanContext().traceFlags).toBe(TraceFlags.NONE);
  child.span.end(END);
  expect(out).toEqual([]);
  fail(root.span);
  expect(out.map(({ name }) => name)).toEqual(['child', 'root']);
  for (const span of out) {
    expect(span.spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
    expect(span.attributes['binnacle.kept']).toBe('error');
    expect(span.duration).toBeDefined();
  }
  expect(out[0]?.parentSpanContext?.spanId).toBe(root.span.spanContext().spanId);
  expect(told).toEqual(['error']);
});

test('what ends well is let go', () => {
  const { out, told, start } = setUp();
  const root = start('root');
  fail(start('child', root.context).span);
  root.span.end(END);
  expect(out).toEqual([]);
  expect(told).toEqual(['ended_well']);
});

test.each([
  ['slow', (span: Span) => span.end(new Date(1100))],
  ['abort', (span: Span) => span.setAttribute('error.type', 'client_disconnect').end(END)],
  ['abort', (span: Span) => span.setAttribute('error.type', 'shutdown').end(END)],
] as const)('%s', (reason, end) => {
  const all = setUp();
  end(all.start('root').span);
  expect(all.told).toEqual([reason]);
  const none = setUp({ reasons: ['error'] });
  end(none.start('root').span);
  expect(none.told).toEqual(['ended_well']);
});

test('a sampled trace is none of its business', () => {
  const { out, told, start } = setUp({ sampler: new AlwaysOnSampler() });
  fail(start('root').span);
  expect([out, told]).toEqual([[], []]);
});

test('the ratio that the sampler was asked for stays', () => {
  const { start } = setUp({ sampler: new TraceIdRatioBasedSampler(0.25) });
  const sampled = Array.from({ length: 4000 }, () => start('root').span).filter(
    (span) => span.spanContext().traceFlags === TraceFlags.SAMPLED,
  );
  expect(sampled.length / 4000).toBeGreaterThan(0.2);
  expect(sampled.length / 4000).toBeLessThan(0.3);
});

test('a remote parent keeps its place, and two requests of one trace are each judged', () => {
  const { out, told, start } = setUp();
  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.NONE,
    isRemote: true,
  });
  const first = start('first', remote);
  const second = start('second', remote);
  fail(first.span);
  expect(out.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
    ['first', 'b7ad6b7169203331'],
  ]);
  second.span.end(END);
  expect(out).toHaveLength(2);
  expect(told).toEqual(['error']);
});

test('what ends after its root follows a kept trace, and is forgotten with any other', () => {
  const { out, start } = setUp();
  const kept = start('root');
  const late = start('late', kept.context);
  fail(kept.span);
  late.span.end(END);
  expect(out.map(({ name }) => name)).toEqual(['root', 'late']);
  const gone = start('root');
  const lost = start('late', gone.context);
  gone.span.end(END);
  lost.span.end(END);
  expect(out).toHaveLength(2);
});

test('traces, bytes and spans are bounded; the oldest goes first, and is counted', () => {
  const traces = setUp({ limits: { traces: 2, bytes: 1e6, spans: 10 } });
  const [first, second, third] = ['a', 'b', 'c'].map((name) => traces.start(name));
  expect(traces.told).toEqual(['overflow']);
  for (const root of [first, second, third]) if (root !== undefined) fail(root.span);
  expect(traces.out.map(({ name }) => name)).toEqual(['b', 'c']);

  const bytes = setUp({ limits: { traces: 10, bytes: 1000, spans: 10 } });
  const old = bytes.start('old');
  bytes.start('x', old.context).span.setAttribute('text', 'x'.repeat(800)).end(END);
  const young = bytes.start('young');
  bytes.start('y', young.context).span.setAttribute('text', 'y'.repeat(400)).end(END);
  expect(bytes.told).toEqual(['overflow']);
  fail(young.span);
  expect(bytes.out.map(({ name }) => name)).toEqual(['y', 'young']);

  const spans = setUp({ limits: { traces: 10, bytes: 1e6, spans: 2 } });
  const root = spans.start('root');
  for (const name of ['1', '2', '3', '4']) spans.start(name, root.context).span.end(END);
  fail(root.span);
  expect(spans.out.map(({ name }) => name)).toEqual(['1', '2', 'root']);
  expect(spans.told).toEqual(['error', 'cut 2']);
});

test('nothing is left of 10,000 requests that ended', () => {
  const { out, told, start } = setUp({ limits: { traces: 10, bytes: 10_000, spans: 10 } });
  for (let n = 0; n < 10_000; n += 1) {
    const root = start('root');
    start('child', root.context).span.end(END);
    if (n % 50 === 0) fail(root.span);
    else root.span.end(END);
  }
  expect(told.filter((word) => word === 'error')).toHaveLength(200);
  expect(told.filter((word) => word === 'ended_well')).toHaveLength(9800);
  expect(out).toHaveLength(400);
});

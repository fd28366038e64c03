/** A request's span that nobody asks for is written as one that was made from its start would be. */
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { decodeTraceRequest, type ReceivedSpan } from '../../test/otlp/decode.ts';
import type { EndedRequest, RequestKind, RequestSpan, SpanOwner } from '../signals.ts';
import { createSlot, EncodedQueue } from './encoded-queue.ts';
import { createIds } from './ids.ts';
import { createRequestSpans } from './request-spans.ts';

const BOUNDS = { maxQueueSize: 10, maxExportBatchSize: 5 };
const RESOURCE = resourceFromAttributes({ 'service.name': 'svc' });
const SCOPE = { name: 'binnacle' };
const REMOTE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', isRemote: true };

const KIND: RequestKind = {
  method: 'GET',
  scheme: 'http',
  protocol: '1.1',
  route: '/items/:id',
  isMatched: true,
  sentStatus: 200,
  httpStatus: 200,
  outcome: 'success',
  errorType: '',
};
const ENDED: EndedRequest = {
  request: { requestId: 'r1', ip: '127.0.0.1' },
  path: '/items/7',
  ids: undefined,
  durationMs: 12.345,
  firstByteMs: 2.5,
  requestBytes: 0,
  responseBytes: 3,
  streamEvents: undefined,
  longestGapMs: undefined,
};
const OWNER: SpanOwner = {
  spanName: () => 'GET /items/:id',
  spanAttributes: () => ({ 'http.request.method': 'GET', 'url.path': '/items/7' }),
};

function setUp(sampler: Sampler = new AlwaysOnSampler()) {
  const ids = createIds();
  const queue = new EncodedQueue(RESOURCE, BOUNDS);
  const told: boolean[] = [];
  const slot = createSlot(queue, SCOPE, (stored) => told.push(stored));
  const onEnd = {
    onStart() {},
    onEnd: (span: never) => void queue.add(span),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new TracerProvider({ resource: RESOURCE, sampler, idGenerator: ids, spanProcessors: [onEnd] });
  const spans = createRequestSpans({ ids, sampler, tracer: provider.getTracer('binnacle'), slot });
  return {
    spans,
    told,
    queue,
    sent: (): ReceivedSpan[] => decodeTraceRequest(Buffer.from(queue.take().toRequest()), 'application/x-protobuf'),
    write(span: RequestSpan, kind: Partial<RequestKind> = {}, ended: Partial<EndedRequest> = {}) {
      const request = { ...ENDED, ...ended };
      if (span.settle(request.durationMs)) spans.write(spans.compile({ ...KIND, ...kind }), span, request);
    },
  };
}

const between = (span: ReceivedSpan | undefined) =>
  Number(BigInt(span?.endTimeUnixNano ?? 0) - BigInt(span?.startTimeUnixNano ?? 0));

describe('written', () => {
  test('with what its kind and its request say', () => {
    const { spans, sent, write, told } = setUp();
    const before = Date.now();
    const span = spans.begin(ROOT_CONTEXT, OWNER);
    write(span);
    const [got] = sent();
    expect(got).toMatchObject({
      traceId: span.traceId,
      spanId: span.spanId,
      name: 'GET /items/:id',
      kind: 2,
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
        'http.route': '/items/:id',
        'http.response.status_code': 200,
        'url.path': '/items/7',
        'client.address': '127.0.0.1',
      },
      events: [{ name: 'first_byte' }],
      status: {},
      flags: 0x101,
      scope: { name: 'binnacle' },
      resource: { 'service.name': 'svc' },
    });
    expect(got?.parentSpanId).toBeUndefined();
    expect(Math.abs(between(got) - 12_345_000)).toBeLessThan(1000);
    expect(BigInt(got?.startTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(BigInt(before) * 1_000_000n);
    const firstByte = BigInt(got?.events[0]?.timeUnixNano ?? 0) - BigInt(got?.startTimeUnixNano ?? 0);
    expect(Math.abs(Number(firstByte) - 2_500_000)).toBeLessThan(1000);
    expect(told).toEqual([true]);
  });

  test('below its parent, with that one’s state', () => {
    const { spans, sent, write } = setUp(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
    const span = spans.begin(trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: 1 }), OWNER);
    write(span, {}, { request: { requestId: 'r1', sessionId: 's1' } });
    expect(sent()[0]).toMatchObject({
      traceId: REMOTE.traceId,
      parentSpanId: REMOTE.spanId,
      flags: 0x301,
      attributes: { 'session.id': 's1' },
    });
  });

  test('as an error, and as a client that went away', () => {
    const { spans, sent, write } = setUp();
    write(spans.begin(ROOT_CONTEXT, OWNER), { outcome: 'error', errorType: '500', sentStatus: 500 });
    write(
      spans.begin(ROOT_CONTEXT, OWNER),
      { outcome: 'cancelled', errorType: 'client_disconnect' },
      { firstByteMs: undefined },
    );
    write(spans.begin(ROOT_CONTEXT, OWNER), { isMatched: false, route: '__unmatched__', sentStatus: undefined });
    const [error, gone, unmatched] = sent();
    expect(error).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '500' } });
    expect(gone).toMatchObject({ status: {}, events: [{ name: 'client_disconnect' }] });
    expect(gone?.events[0]?.timeUnixNano).toBe(gone?.endTimeUnixNano);
    expect(unmatched?.name).toBe('GET');
    expect(Object.keys(unmatched?.attributes ?? {})).not.toContain('http.route');
    expect(Object.keys(unmatched?.attributes ?? {})).not.toContain('http.response.status_code');
  });

  test('not at all where it is not sampled, with the ids all the same', () => {
    const { spans, write, told, queue } = setUp(new AlwaysOffSampler());
    const span = spans.begin(ROOT_CONTEXT, OWNER);
    expect(span.traceFlags).toBe(0);
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    const active = trace.getSpan(span.context);
    active?.setAttribute('a', 1).addEvent('b').updateName('c').setStatus({ code: 2 }).end();
    write(span);
    expect([active?.isRecording(), told, queue.size]).toEqual([false, [], 0]);
  });

  test('as long as there is room; past it each is counted', () => {
    const { spans, write, told, queue } = setUp();
    for (let n = 0; n < 12; n += 1) write(spans.begin(ROOT_CONTEXT, OWNER));
    expect(told).toEqual([...new Array(10).fill(true), false, false]);
    expect([queue.size, queue.hasFullBatch]).toEqual([10, true]);
    expect([queue.take().length, queue.size]).toEqual([5, 10]);
    queue.settle();
    expect(queue.size).toBe(5);
  });
});

describe('made', () => {
  test('once it is asked for, with the same ids and start, and ended by who asked', () => {
    const { spans, sent, write, told } = setUp();
    const span = spans.begin(ROOT_CONTEXT, OWNER);
    expect(span.made).toBeUndefined();
    const active = trace.getSpan(span.context);
    expect(active?.isRecording()).toBe(true);
    expect(span.made).toBeUndefined();
    active?.setAttribute('mine', 'x').addEvent('mine');
    expect(span.made?.spanContext()).toMatchObject({ traceId: span.traceId, spanId: span.spanId, traceFlags: 1 });
    span.made?.end(span.endTime(12.345));
    write(span);
    const [got] = sent();
    expect(got).toMatchObject({
      traceId: span.traceId,
      spanId: span.spanId,
      attributes: { mine: 'x', 'url.path': '/items/7' },
      events: [{ name: 'mine' }],
    });
    expect(Math.abs(between(got) - 12_345_000)).toBeLessThan(1000);
    // Stored by the processor, not beside it.
    expect(told).toEqual([]);
  });

  test('no more once the request has ended', () => {
    const { spans, sent, write } = setUp();
    const span = spans.begin(ROOT_CONTEXT, OWNER);
    const active = trace.getSpan(span.context);
    write(span);
    active?.setAttribute('late', true);
    active?.end();
    expect([active?.isRecording(), span.made]).toEqual([false, undefined]);
    expect(sent().map(({ attributes }) => attributes.late)).toEqual([undefined]);
  });

  test('below its remote parent', () => {
    const { spans, sent, write } = setUp();
    const outer = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: 1 });
    const span = spans.begin(outer, OWNER);
    trace.getSpan(span.context)?.updateName('mine');
    span.made?.end();
    write(span);
    expect(sent()[0]).toMatchObject({
      name: 'mine',
      traceId: REMOTE.traceId,
      parentSpanId: REMOTE.spanId,
      spanId: span.spanId,
    });
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test } from 'vitest';
import { type Behaviour, type OtlpReceiver, startOtlpReceiver } from './receiver.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const context = (spanId: string) => ({ traceId: TRACE, spanId, traceFlags: TraceFlags.SAMPLED });

const child: ReadableSpan = {
  name: 'child',
  kind: SpanKind.CLIENT,
  spanContext: () => context('b7ad6b7169203331'),
  parentSpanContext: { ...context('00f067aa0ba902b7'), isRemote: true },
  startTime: [1_700_000_000, 1],
  endTime: [1_700_000_001, 500_000_002],
  duration: [1, 500_000_001],
  status: { code: SpanStatusCode.ERROR, message: 'no' },
  attributes: { text: 'x', empty: '', whole: 7, negative: -7, ratio: 0.5, flag: false, list: ['p', 'q'], none: [] },
  links: [{ context: context('0102030405060708'), attributes: { why: 'batch' } }],
  events: [{ name: 'chunk', time: [1_700_000_000, 5], attributes: { n: 1 } }],
  ended: true,
  resource: resourceFromAttributes({ 'service.name': 'fit-check' }),
  instrumentationScope: { name: 'binnacle', version: '1' },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};
const root: ReadableSpan = {
  ...child,
  name: 'root',
  parentSpanContext: undefined,
  spanContext: () => context('00f067aa0ba902b7'),
  status: { code: SpanStatusCode.UNSET },
};

let receiver: OtlpReceiver | undefined;
afterEach(() => receiver?.close());

const FORMATS = [
  ['application/x-protobuf', ProtobufTraceSerializer, false],
  ['application/x-protobuf', ProtobufTraceSerializer, true],
  ['application/json', JsonTraceSerializer, false],
  ['application/json', JsonTraceSerializer, true],
] as const;

async function post(url: string, body: Uint8Array, type: string, zipped = false): Promise<Response> {
  const headers = { 'content-type': type, ...(zipped && { 'content-encoding': 'gzip' }) };
  return fetch(url, { method: 'POST', headers, body: new Uint8Array(zipped ? gzipSync(body) : body) });
}

const bodyOf = (spans: ReadableSpan[]): Uint8Array =>
  ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();

describe('reads what is sent', () => {
  test.each(FORMATS)('%s, gzip %s', async (type, serializer, zipped) => {
    receiver = await startOtlpReceiver();
    const body = serializer.serializeRequest([child, root]) ?? new Uint8Array();
    expect((await post(receiver.tracesUrl, body, type, zipped)).status).toBe(200);
    expect(receiver.spans[0]).toEqual({
      traceId: TRACE,
      spanId: 'b7ad6b7169203331',
      parentSpanId: '00f067aa0ba902b7',
      name: 'child',
      kind: 3,
      startTimeUnixNano: '1700000000000000001',
      endTimeUnixNano: '1700000001500000002',
      attributes: child.attributes,
      events: [{ name: 'chunk', timeUnixNano: '1700000000000000005', attributes: { n: 1 } }],
      links: [{ traceId: TRACE, spanId: '0102030405060708', attributes: { why: 'batch' }, flags: 0x101 }],
      status: { code: 2, message: 'no' },
      flags: 0x301,
      scope: { name: 'binnacle', version: '1' },
      resource: { 'service.name': 'fit-check' },
    });
    expect(receiver.spans[1]).toMatchObject({ name: 'root', flags: 0x101 });
    expect(receiver.spans[1]).not.toHaveProperty('parentSpanId');
    expect(receiver.resource).toEqual({ 'service.name': 'fit-check' });
    expect(receiver.requests).toMatchObject([{ path: '/v1/traces' }]);
  });

  test.each([
    ['application/x-protobuf', Buffer.from([0x0a, 0x7f])],
    ['application/x-protobuf', Buffer.from('{"resourceSpans":[]}')],
    ['application/json', Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz","spanId":"1"}]}]}]}')],
    ['text/plain', Buffer.from('x')],
  ])('%s that is no request for spans is refused', async (type, body) => {
    receiver = await startOtlpReceiver();
    expect((await post(receiver.tracesUrl, body, type)).status).toBe(400);
    expect(receiver.requests).toEqual([]);
  });
});

describe('misbehaves as it is told', () => {
  test('at run time, and takes what it answers with success', async () => {
    receiver = await startOtlpReceiver({ behaviour: { status: 503, headers: { 'retry-after': '2' } } });
    const send = () => post(receiver!.tracesUrl, bodyOf([child, root]), 'application/x-protobuf');
    const refused = await send();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect([receiver.spans.length, receiver.requests.length]).toEqual([0, 1]);
    receiver.behaviour = { rejected: 1, message: 'too old' };
    const partial = ProtobufTraceSerializer.deserializeResponse(Buffer.from(await (await send()).arrayBuffer()));
    expect(partial).toEqual({ partialSuccess: { rejectedSpans: 1, errorMessage: 'too old' } });
    expect(receiver.spans.map(({ name }) => name)).toEqual(['root']);
    receiver.behaviour = 'huge';
    expect((await (await send()).arrayBuffer()).byteLength).toBe(16 * 1024 * 1024);
    receiver.behaviour = { delayMs: 10 };
    expect((await send()).status).toBe(200);
    expect(receiver.spans).toHaveLength(5);
  });

  test.each<Behaviour>(['reset', 'invalidHttp'])('%s', async (behaviour) => {
    receiver = await startOtlpReceiver({ behaviour });
    await expect(post(receiver.tracesUrl, bodyOf([child]), 'application/x-protobuf')).rejects.toThrow();
    expect(receiver.spans).toEqual([]);
  });

  test('a black hole accepts and says nothing; a stopped one refuses, and comes back to the same port', async () => {
    receiver = await startOtlpReceiver({ blackHole: true });
    const said: Buffer[] = [];
    const socket = connect(receiver.port, '127.0.0.1');
    socket.on('data', (chunk) => said.push(chunk));
    socket.end('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-type: application/x-protobuf\r\n\r\n');
    while (receiver.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual([]);
    const closed = once(socket, 'close');
    await receiver.stop();
    await closed;
    await expect(fetch(receiver.url)).rejects.toThrow();
    receiver.behaviour = 'healthy';
    await receiver.start();
    expect((await post(receiver.tracesUrl, bodyOf([child]), 'application/x-protobuf')).status).toBe(200);
  });
});

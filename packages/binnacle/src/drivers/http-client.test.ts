import { channel } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  Agent,
  type ClientRequest,
  createServer as createHttpServer,
  get,
  type IncomingMessage,
  type RequestOptions,
  request,
} from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';
import { oneEnded, type Peer, startPeer, traceparentOf, under } from './http-client.test-helper.ts';
import { observeHttpClient, sendsTraceparentByNodeHttp } from './http-client.ts';

const sends = sendsTraceparentByNodeHttp();
const withSending = test.skipIf(!sends);

let peer: Peer;
let signals: TestSignals;
let stop: () => void;

beforeAll(async () => {
  peer = await startPeer();
});
afterAll(() => peer.close());
beforeEach(() => {
  signals = createSignals();
  stop = observeHttpClient(signals);
});
afterEach(() => stop());

/** Asks, and reads the answer to its end. */
function ask(url: string, options: RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => read(response).then(resolve, reject));
    sent.once('error', reject).end();
  });
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

/** Asks, and gives the answer before its body is read. */
function open(url: string, options: RequestOptions = {}): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const sent = get(url, options, (response) => resolve({ sent, response })).once('error', reject);
  });
}

test('a request is a client span below its caller', async () => {
  const parent = await under(signals, async (span) => {
    expect(await ask(`${peer.origin}/files/a?key=secret`)).toBe('ok');
    return span;
  });
  const span = await oneEnded(signals);
  expect(span.name).toBe('GET');
  expect(span.kind).toBe(SpanKind.CLIENT);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
  expect(span.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  expect(span.attributes).toEqual({
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': peer.port,
    'url.full': `${peer.origin}/files/a`,
    'url.scheme': 'http',
  });
  expect(peer.received('/files/a')?.traceparent).toBe(sends ? traceparentOf(span) : undefined);
});

test('neither a password nor a proxy’s complete path tells more than the address', async () => {
  await ask(`http://user:pass@127.0.0.1:${peer.port}/private`);
  await ask(peer.origin, { path: 'http://elsewhere.example:8080/x?key=secret' });
  await expect.poll(() => signals.ended().length).toBe(2);
  const [direct, proxied] = signals.ended().map(({ attributes }) => attributes);
  expect(direct?.['url.full']).toBe(`${peer.origin}/private`);
  expect(proxied).toMatchObject({
    'url.full': 'http://elsewhere.example:8080/x',
    'server.address': 'elsewhere.example',
    'server.port': 8080,
  });
});

test('a path that begins like a host is a path', async () => {
  await ask(peer.origin, { path: '//elsewhere/x' });
  const span = await oneEnded(signals);
  expect(span.attributes).toMatchObject({
    'url.full': `${peer.origin}//elsewhere/x`,
    'server.address': '127.0.0.1',
  });
});

test('a socket’s path is its address', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'socket-'));
  const socketPath = join(folder, 'socket');
  const server = createHttpServer((_, response) => response.end('ok')).listen(socketPath);
  await ask('http://service/path', { socketPath });
  const span = await oneEnded(signals);
  expect(span.attributes).toMatchObject({ 'server.address': socketPath, 'url.full': 'http://service/path' });
  expect(span.attributes).not.toHaveProperty('server.port');
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

test('an answer of 400 or above is an error by its status', async () => {
  await ask(`${peer.origin}/503`);
  const span = await oneEnded(signals);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span.attributes).toMatchObject({ 'http.response.status_code': 503, 'error.type': '503' });
});

test('a connection that is refused is an error by its code', async () => {
  const gone = await startPeer();
  await gone.close();
  await expect(ask(gone.origin)).rejects.toThrow();
  const span = await oneEnded(signals);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span.attributes['error.type']).toBe('ECONNREFUSED');
});

test('a server that hangs up without an answer is an error', async () => {
  await expect(ask(`${peer.origin}/hang-up`)).rejects.toThrow();
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.attributes['error.type']).toBe('ECONNRESET');
});

test.each([
  ['an error listener', (response: IncomingMessage) => response.on('error', () => {})],
  ['none', () => {}],
])('an answer that breaks off is an error, with %s', async (_, prepare) => {
  const { response } = await open(`${peer.origin}/cut`);
  prepare(response);
  response.resume();
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.attributes).toMatchObject({ 'http.response.status_code': 200, 'error.type': 'ECONNRESET' });
});

test.each<[string, (sent: ClientRequest, response: IncomingMessage) => void]>([
  ['the request is destroyed', (sent) => sent.destroy()],
  ['the answer is destroyed', (_, response) => response.destroy()],
  ['the answer is destroyed that has an error listener', (_, response) => response.on('error', () => {}).destroy()],
])('whoever goes away while an answer comes is to blame for nothing: %s', async (_, leave) => {
  const { sent, response } = await open(`${peer.origin}/endless`);
  expect(signals.ended()).toEqual([]);
  leave(sent, response);
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
  expect(span.attributes).toMatchObject({ 'http.response.status_code': 200, 'error.type': 'AbortError' });
});

test.each([
  ['/never', undefined],
  ['/endless', 200],
])('an aborted signal ends a request to %s', async (path, status) => {
  const controller = new AbortController();
  const asked = ask(`${peer.origin}${path}`, { signal: controller.signal });
  const aborted = expect(asked).rejects.toThrow();
  await expect.poll(() => peer.received(path)).toBeDefined();
  if (status !== undefined) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await aborted;
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
});

test('a time limit is an error', async () => {
  const sent = get(`${peer.origin}/never`, { timeout: 20 });
  sent.once('timeout', () => sent.destroy(Object.assign(new Error('late'), { name: 'TimeoutError' })));
  sent.once('error', () => {});
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.attributes['error.type']).toBe('TimeoutError');
});

test('an answer that nobody takes is thrown away as ever, and ends its span', async () => {
  get(`${peer.origin}/ok`);
  const span = await oneEnded(signals);
  expect(span.attributes['http.response.status_code']).toBe(200);
});

test('an error that nobody handles stays unhandled', async () => {
  const gone = await startPeer();
  await gone.close();
  const sent = get(gone.origin);
  expect(sent.listenerCount('error')).toBe(0);
  expect(sent.listenerCount('response')).toBe(0);
  sent.once('error', () => {});
  await oneEnded(signals);
});

test('an upgrade ends with its switch of protocols', async () => {
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, headers: { connection: 'Upgrade', upgrade: 'x' } }).end();
  await new Promise<void>((resolve) => sent.once('upgrade', (_, socket) => resolve(void socket.destroy())));
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
  expect(span.attributes['http.response.status_code']).toBe(101);
  await new Promise((resolve) => server.close(resolve));
});

test('nothing is told or sent where tracing is suppressed', async () => {
  await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => ask(`${peer.origin}/suppressed`));
  expect(signals.ended()).toEqual([]);
  expect(peer.received('/suppressed')).not.toHaveProperty('traceparent');
});

describe('a request that carries a context already is left alone', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const ways: [string, RequestOptions['headers'] | string[]][] = [
    ['as an object', { Traceparent: traceparent }],
    ['as a list', ['Host', 'x', 'Traceparent', traceparent]],
  ];
  test.each(ways)('%s', async (_, headers) => {
    await under(signals, () => ask(`${peer.origin}/carried`, { headers: headers as RequestOptions['headers'] & {} }));
    expect(signals.ended()).toEqual([]);
    expect(peer.received('/carried')?.traceparent).toBe(traceparent);
  });
});

test('headers given as a list are written at once: there is a span, and nothing is sent on', async () => {
  const headers = ['Host', `127.0.0.1:${peer.port}`, 'X-Own', 'yes'] as unknown as RequestOptions['headers'] & {};
  await ask(`${peer.origin}/list`, { headers });
  const span = await oneEnded(signals);
  expect(span.attributes['server.port']).toBe(peer.port);
  expect(peer.received('/list')).toMatchObject({ 'x-own': 'yes' });
  expect(peer.received('/list')).not.toHaveProperty('traceparent');
});

test('200 requests at once over 5 connections each have their own parent', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 5 });
  const parents = new Map<string, string>();
  const askOne = (index: number): Promise<string> =>
    under(signals, (span) => {
      const url = `${peer.origin}/many/${index}`;
      parents.set(url, span.spanContext().spanId);
      return ask(url, { agent });
    });
  await Promise.all(Array.from({ length: 200 }, (_, index) => askOne(index)));
  await expect.poll(() => signals.ended().length).toBe(200);
  for (const span of signals.ended()) {
    const url = String(span.attributes['url.full']);
    expect(span.parentSpanContext?.spanId).toBe(parents.get(url));
    if (sends) expect(peer.received(new URL(url).pathname)?.traceparent).toBe(traceparentOf(span));
  }
  agent.destroy();
});

withSending('what the caller sets afterwards stands', async () => {
  const sent = request(`${peer.origin}/own`);
  sent.setHeader('traceparent', 'own');
  sent.end();
  await oneEnded(signals);
  expect(peer.received('/own')?.traceparent).toBe('own');
});

test('fetch is not among them', async () => {
  await (await fetch(`${peer.origin}/ok`)).text();
  expect(signals.ended()).toEqual([]);
});

test('what ends it, ends it', async () => {
  stop();
  await ask(`${peer.origin}/ok`);
  expect(signals.ended()).toEqual([]);
});

test('messages of another shape hurt nobody', () => {
  for (const name of ['request.created', 'request.start', 'response.finish']) {
    for (const message of [
      undefined,
      'text',
      {},
      { request: {} },
      { request: { method: 'GET', setHeader: () => {} } },
    ]) {
      channel(`http.client.${name}`).publish(message);
    }
  }
  expect(signals.ended()).toEqual([]);
});

test.each([
  ['20.20.2', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['23.1.0', false],
  ['23.2.0', true],
  ['24.0.0', true],
])('Node.js %s sends a context on: %s', (version, is) => {
  expect(sendsTraceparentByNodeHttp(version)).toBe(is);
});

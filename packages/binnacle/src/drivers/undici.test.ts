import { channel } from 'node:diagnostics_channel';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { Agent, fetch as undiciFetch, request as undiciRequest } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';
import { oneEnded, type Peer, startPeer, traceparentOf, under } from './http-client.test-helper.ts';
import { observeUndici } from './undici.ts';

let peer: Peer;
let signals: TestSignals;
let stop: () => void;

beforeAll(async () => {
  peer = await startPeer();
});
afterAll(() => peer.close());
beforeEach(() => {
  signals = createSignals();
  stop = observeUndici(signals);
});
afterEach(() => stop());

type Get = (url: string, init?: { method?: string; headers?: Record<string, string> }) => Promise<unknown>;
const clients: [string, Get][] = [
  ['fetch', async (url, init) => (await fetch(url, init)).text()],
  ['undici', async (url, init) => (await undiciRequest(url, init as object)).body.text()],
];

test.each(clients)('%s: a request is a client span below its caller, and sends its context on', async (_, get) => {
  const url = `${peer.origin}/files/a?key=secret#part`;
  const parent = await under(signals, async (span) => {
    await get(url);
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
  expect(peer.received('/files/a')?.traceparent).toBe(traceparentOf(span));
});

test.each(clients)('%s: an answer of 400 or above is an error by its status', async (_, get) => {
  await get(`${peer.origin}/503`);
  const span = await oneEnded(signals);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span.attributes).toMatchObject({ 'http.response.status_code': 503, 'error.type': '503' });
});

test.each(clients)('%s: a connection that is refused is an error by its code', async (_, get) => {
  const gone = await startPeer();
  await gone.close();
  await expect(get(`${gone.origin}/`)).rejects.toThrow();
  const span = await oneEnded(signals);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span.attributes['error.type']).toBe('ECONNREFUSED');
  expect(span.attributes['http.response.status_code']).toBeUndefined();
});

test.each(clients)('%s: an answer that breaks off is an error', async (_, get) => {
  await expect(get(`${peer.origin}/cut`)).rejects.toThrow();
  const span = await oneEnded(signals);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span.attributes['error.type']).toMatch(/^UND_ERR_/);
  expect(span.attributes['http.response.status_code']).toBe(200);
});

test.each(clients)('%s: a method of its own is `_OTHER`', async (_, get) => {
  await get(`${peer.origin}/ok`, { method: 'PURGE' });
  const span = await oneEnded(signals);
  expect(span.name).toBe('HTTP');
  expect(span.attributes).toMatchObject({ 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' });
});

test.each(clients)('%s: nothing is told or sent where tracing is suppressed', async (_, get) => {
  await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => get(`${peer.origin}/suppressed`));
  expect(signals.ended()).toEqual([]);
  expect(peer.received('/suppressed')).not.toHaveProperty('traceparent');
});

test.each(clients)('%s: a request that carries a context already is left alone', async (_, get) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await under(signals, () => get(`${peer.origin}/carried`, { headers: { TraceParent: traceparent } }));
  expect(signals.ended()).toEqual([]);
  expect(peer.received('/carried')?.traceparent).toBe(traceparent);
});

test('whoever goes away while an answer comes is to blame for nothing', async () => {
  const controller = new AbortController();
  const { body } = await fetch(`${peer.origin}/endless`, { signal: controller.signal });
  await body?.getReader().read();
  expect(signals.ended()).toEqual([]);
  controller.abort();
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
  expect(span.attributes).toMatchObject({ 'http.response.status_code': 200, 'error.type': 'AbortError' });
});

test('a body that is cancelled ends its span', async () => {
  const { body } = await fetch(`${peer.origin}/endless`);
  await body?.cancel();
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.UNSET);
});

test('a time limit is an error', async () => {
  await expect(fetch(`${peer.origin}/never`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  const span = await oneEnded(signals);
  expect(span.status.code).toBe(SpanStatusCode.ERROR);
  expect(span.attributes['error.type']).toBe('TimeoutError');
});

test('a redirect is two requests, each with a context of its own', async () => {
  await (await fetch(`${peer.origin}/away`)).text();
  await expect.poll(() => signals.ended().length).toBe(2);
  const [first, second] = signals.ended();
  expect(first?.attributes).toMatchObject({ 'url.full': `${peer.origin}/away`, 'http.response.status_code': 302 });
  expect(second?.attributes['url.full']).toBe(`${peer.origin}/ok`);
  expect(peer.received('/ok')?.traceparent).toBe(second && traceparentOf(second));
});

test.each(clients)('%s: 200 requests at once each have their own parent', async (name, get) => {
  const parents = new Map<string, string>();
  // The first ones open connections, which the later ones use.
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        under(signals, async (span) => {
          const path = `/${name}/${round}/${index}`;
          parents.set(`${peer.origin}${path}`, span.spanContext().spanId);
          if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
          await get(`${peer.origin}${path}`);
        }),
      ),
    );
  }
  await expect.poll(() => signals.ended().length).toBe(400);
  for (const span of signals.ended()) {
    const url = String(span.attributes['url.full']);
    expect(span.parentSpanContext?.spanId).toBe(parents.get(url));
    expect(peer.received(new URL(url).pathname)?.traceparent).toBe(traceparentOf(span));
  }
});

/** Asks for 20 at once of a pool of 2, each under a span of its own, and gives the spans' parents by URL. */
async function askSmallPool(get: (url: string, dispatcher: Agent) => Promise<unknown>): Promise<Map<string, string>> {
  const dispatcher = new Agent({ connections: 2 });
  const parents = new Map<string, string>();
  const ask = (index: number): Promise<void> =>
    under(signals, async (span) => {
      const url = `${peer.origin}/pool/${index}`;
      parents.set(url, span.spanContext().spanId);
      await get(url, dispatcher);
    });
  await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
  await expect.poll(() => signals.ended().length).toBe(20);
  await dispatcher.close();
  return parents;
}

test('a request of undici that waited for a connection has its own parent', async () => {
  const parents = await askSmallPool(async (url, dispatcher) => (await undiciRequest(url, { dispatcher })).body.text());
  for (const span of signals.ended()) {
    const url = String(span.attributes['url.full']);
    expect(span.parentSpanContext?.spanId).toBe(parents.get(url));
    expect(peer.received(new URL(url).pathname)?.traceparent).toBe(traceparentOf(span));
  }
});

test.each([
  ['of its own', fetch as unknown as typeof undiciFetch],
  ['of undici', undiciFetch],
])('a fetch %s that waited for a connection has no parent, rather than a stranger', async (_, ask) => {
  const parents = await askSmallPool(async (url, dispatcher) => (await ask(url, { dispatcher })).text());
  const ownOrNone = signals.ended().map(({ attributes, parentSpanContext }) => {
    return parentSpanContext === undefined || parentSpanContext.spanId === parents.get(String(attributes['url.full']));
  });
  expect(ownOrNone).not.toContain(false);
  expect(signals.ended().filter((span) => span.parentSpanContext === undefined)).toHaveLength(18);
});

test('an answer that nobody reads holds nothing once it is collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // In a function of its own, so that nothing here holds the answer.
  await (async () => void (await fetch(`${peer.origin}/endless`)))();
  const endedAfterCollection = (): number => {
    collect();
    return signals.ended().length;
  };
  await expect.poll(endedAfterCollection, { timeout: 10_000 }).toBe(1);
  expect(signals.ended()[0]?.attributes['http.response.status_code']).toBe(200);
});

test('what ends it, ends it', async () => {
  stop();
  await (await fetch(`${peer.origin}/ok`)).text();
  expect(signals.ended()).toEqual([]);
});

test('messages of another shape hurt nobody', () => {
  const create = channel('undici:request:create');
  for (const message of [undefined, 'text', {}, { request: null }, { request: { method: 'GET', path: 7 } }]) {
    create.publish(message);
  }
  const broken = { method: 'GET', path: '/', origin: 'not an origin', headers: [], addHeader: () => {} };
  create.publish({ request: broken });
  for (const name of ['headers', 'trailers', 'error']) channel(`undici:request:${name}`).publish({ request: broken });
  expect(signals.ended()).toEqual([]);
});

/** The language model and the search fail in every way; their users get an answer, or a clear error, in time. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStream } from './events.ts';
import { type Behaviour, type LlmDouble, startLlm } from './llm-double.ts';
import { scrape } from './metrics.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

const LIMITS = { LLM_TIMEOUT_MS: '400', SEARCH_TIMEOUT_MS: '400', BREAKER_OPEN_MS: '500' };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(env: Record<string, string> = {}): Promise<{ llm: LlmDouble; service: Service }> {
  const llm = await startLlm();
  cleanups.push(() => llm.close());
  const service = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', ...LIMITS, ...env });
  cleanups.push(() => service.stop());
  return { llm, service };
}

const verdictOf = (events: readonly { event: string; data: Record<string, unknown> }[]): unknown =>
  events.findLast(({ event, data }) => event === 'phase_complete' && data.phase === 'verdict')?.data.data;

describe('an LLM that fails before it answers', () => {
  it.each<[string, Behaviour]>([
    ['429 with Retry-After', { kind: 'status', status: 429, retryAfter: '0' }],
    ['500', { kind: 'status', status: 500 }],
    ['503', { kind: 'status', status: 503 }],
  ])('%s, once: is asked again, and the answer is whole', async (_, first) => {
    const { llm, service } = await setUp({ LLM_TIMEOUT_MS: '5000' });
    llm.behaviour = { kind: 'then', first, rest: { kind: 'answer' } };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)?.event).toBe('complete');
    expect(llm.requests).toHaveLength(2);
    const samples = await scrape(service.url);
    expect(samples.get('fit_check_llm_calls_total{model="double-1",status="success"}')).toBe(1);
    // However often it is asked, it is one call.
    expect(samples.get('fit_check_llm_calls_total{model="double-1",status="error"}')).toBe(0);
    expect(samples.get('fit_check_llm_latency_seconds_count{model="double-1"}')).toBe(1);
    expect(samples.get('fit_check_circuit_breaker_calls_total{service="llm",outcome="success"}')).toBe(1);
  });

  it('401 is final: asked once', async () => {
    const { llm, service } = await setUp();
    llm.behaviour = { kind: 'status', status: 401 };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
    expect(llm.requests).toHaveLength(1);
  });

  it('Retry-After beyond what is left is not waited for', async () => {
    const { llm, service } = await setUp();
    llm.behaviour = { kind: 'status', status: 503, retryAfter: '3600' };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
    expect(llm.requests).toHaveLength(1);
  });

  it('silence is a timeout of its own, and the call is aborted', async () => {
    const { llm, service } = await setUp();
    llm.behaviour = { kind: 'silent' };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
    await until('the call is aborted', () => llm.aborted === 1);
    const samples = await scrape(service.url);
    expect(samples.get('fit_check_circuit_breaker_calls_total{service="llm",outcome="timeout"}')).toBe(1);
    expect(samples.get('fit_check_llm_calls_total{model="double-1",status="error"}')).toBe(1);
  });
});

describe('an LLM that stops within its answer', () => {
  it('is not waited for: what came stays, the ending is an error', async () => {
    const { llm, service } = await setUp();
    llm.behaviour = { kind: 'hold' };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.filter(({ event }) => event === 'response')).toHaveLength(1);
    expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
  });
});

describe('LLM_FALLBACK=true', () => {
  it.each<[string, Behaviour]>([
    ['an error', { kind: 'status', status: 401 }],
    ['silence', { kind: 'silent' }],
  ])('after %s the embedded analyst writes the verdict, and says so', async (_, behaviour) => {
    const { llm, service } = await setUp({ LLM_FALLBACK: 'true' });
    llm.behaviour = behaviour;
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'complete', data: { provider: 'embedded', cached: false } });
    expect(verdictOf(stream.events)).toMatchObject({ provider: 'embedded', fallback: 'llm_failed' });
    // Nobody else is served what stood in.
    llm.behaviour = { kind: 'answer' };
    const again = await ask(service.url, { query: 'Google' });
    expect(again.events.at(-1)).toMatchObject({ event: 'complete', data: { provider: 'openai', cached: false } });
  });

  it('with the breaker open it says that', async () => {
    const { llm, service } = await setUp({ LLM_FALLBACK: 'true', BREAKER_OPEN_MS: '60000' });
    llm.behaviour = { kind: 'status', status: 401 };
    for (const query of ['Google', 'Siemens', 'Spotify']) await ask(service.url, { query });
    const asked = llm.requests.length;
    const stream = await ask(service.url, { query: 'Netflix' });
    expect(verdictOf(stream.events)).toMatchObject({ provider: 'embedded', fallback: 'breaker_open' });
    expect(llm.requests).toHaveLength(asked);
  });

  it('half a verdict is not taken back', async () => {
    const { llm, service } = await setUp({ LLM_FALLBACK: 'true' });
    llm.behaviour = { kind: 'cut' };
    const stream = await ask(service.url, { query: 'Google' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
  });
});

describe('the breaker of the LLM', () => {
  it('closes again by itself once the LLM is back', async () => {
    const { llm, service } = await setUp();
    llm.behaviour = { kind: 'status', status: 401 };
    for (const query of ['Google', 'Siemens', 'Spotify']) await ask(service.url, { query });
    expect((await scrape(service.url)).get('fit_check_circuit_breaker_state{service="llm"}')).toBe(1);
    llm.behaviour = { kind: 'answer' };
    await until(
      'an answer is whole again',
      async () => (await ask(service.url, { query: 'Netflix' })).events.at(-1)?.event === 'complete',
    );
    expect((await scrape(service.url)).get('fit_check_circuit_breaker_state{service="llm"}')).toBe(0);
  });

  it('a probe that its caller leaves proves nothing: the next call probes', async () => {
    const { llm, service } = await setUp({ LLM_TIMEOUT_MS: '5000' });
    llm.behaviour = { kind: 'status', status: 401 };
    for (const query of ['Google', 'Siemens', 'Spotify']) await ask(service.url, { query });
    llm.behaviour = { kind: 'hold' };
    const probe = await until('a probe is let through', async () => {
      const stream = await openStream(service.url, { query: 'Shopify' });
      return stream.next('response').then(
        () => stream,
        () => undefined,
      );
    });
    probe.abort();
    await until(
      'the probe is over',
      async () => (await scrape(service.url)).get('fit_check_circuit_breaker_state{service="llm"}') === 1,
    );
    llm.behaviour = { kind: 'answer' };
    const next = await ask(service.url, { query: 'Netflix' });
    expect(next.events.at(-1)?.event).toBe('complete');
  });
});

describe('a search that fails', () => {
  let search: Server;
  let respond: (res: ServerResponse) => void;
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    search = createServer((_req, res) => {
      asked += 1;
      respond(res);
    });
    await new Promise<void>((resolve) => search.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      search.close();
      search.closeAllConnections();
    });
  });

  const start = async (): Promise<Service> => {
    const service = await startService({
      ...LIMITS,
      SEARCH_URL: `http://127.0.0.1:${(search.address() as AddressInfo).port}`,
    });
    cleanups.push(() => service.stop());
    return service;
  };
  const research = (events: readonly { event: string; data: Record<string, unknown> }[]): unknown =>
    events.find(({ event, data }) => event === 'phase_complete' && data.phase === 'deep_research')?.data.data;

  it.each<[string, (res: ServerResponse) => void, number]>([
    ['503', (res) => void res.writeHead(503).end(), 2],
    ['403', (res) => void res.writeHead(403).end(), 1],
    ['a reset', (res) => void res.socket?.resetAndDestroy(), 2],
    ['silence', () => {}, 1],
    ['garbage', (res) => void res.end('<html>'), 1],
    ['no results', (res) => void res.end('{"results": 3}'), 1],
    ['half an answer', (res) => void res.write('{"results": ['), 1],
  ])('by %s: the corpus serves, and says so', async (_, how, attempts) => {
    respond = how;
    const service = await start();
    const stream = await ask(service.url, { query: 'Google' });
    expect(research(stream.events)).toMatchObject({ source: 'corpus', fallback: 'search_failed' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'complete' });
    expect(asked).toBe(attempts);
  });

  it('once: is asked again', async () => {
    respond = (res) => {
      if (asked === 1) res.writeHead(502).end();
      else
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ results: [{ title: 'T', url: 'https://example.com', content: 'TypeScript' }] }));
    };
    const service = await start();
    const stream = await ask(service.url, { query: 'Google' });
    expect(research(stream.events)).toMatchObject({ source: 'searxng' });
  });
});

/** Sessions from the outside: their endings, what is stored of them, and what every signal says of each. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStream } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { scrape } from './metrics.ts';
import { type LogLine, type Service, startService } from './service.ts';
import { until } from './until.ts';

const ROUTE = 'http_route="/api/fit-check/stream"';

async function closingLine(service: Service, id: string): Promise<LogLine> {
  await until('the closing line', () => service.output.some((line) => line.includes(`[${id}] Request completed`)));
  const lines = service.lines().filter((line) => line.message === `[${id}] Request completed`);
  expect(lines).toHaveLength(1);
  return lines[0] as LogLine;
}

async function stored(service: Service, id: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${service.url}/api/fit-check/sessions/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

describe('with the embedded analyst', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  it('streams the phases in order, cites what exists, and stores it', async () => {
    const stream = await ask(service.url, { query: 'Google', session_id: 'first', include_thoughts: true });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const names = stream.events.map(({ event }) => event);
    expect(names.filter((name) => name === 'complete' || name === 'error' || name === 'shutdown')).toEqual([
      'complete',
    ]);
    expect(names).toContain('thought');
    const verdict = stream.events
      .filter(({ event }) => event === 'response')
      .map(({ data }) => data.chunk)
      .join('');
    const check = stream.events.findLast(({ event }) => event === 'phase_complete')?.data.data as {
      citations: { cited: string[]; unknown: string[]; missing: string[]; ok: boolean };
    };
    expect(check.citations).toMatchObject({ unknown: [], missing: [], ok: true });
    for (const id of check.citations.cited) expect(verdict).toContain(id);
    const row = await stored(service, 'first');
    expect(row).toMatchObject({
      session_id: 'first',
      status: 'complete',
      analysis: { query: 'Google', verdict, provider: 'embedded', cached: false },
    });
    expect(row.duration_ms).toBeGreaterThan(0);
    const usage = stream.events.at(-1)?.data.usage as { input_tokens: number; output_tokens: number };
    expect(usage.output_tokens).toBeGreaterThan(100);
    expect((await closingLine(service, 'first')).llm).toMatchObject(usage);
  });

  it('sends no thoughts unless asked', async () => {
    const stream = await ask(service.url, { query: 'Siemens' });
    expect(stream.events.some(({ event }) => event === 'thought')).toBe(false);
  });

  it('a cached answer tells the same and counts no LLM call', async () => {
    const calls = 'fit_check_llm_calls_total{model="embedded-analyst",status="success"}';
    const first = await ask(service.url, { query: 'Spotify', session_id: 'cold' });
    const before = (await scrape(service.url)).get(calls);
    const second = await ask(service.url, { query: 'Spotify', session_id: 'warm' });
    expect((await scrape(service.url)).get(calls)).toBe(before);
    const verdictOf = ({ events }: typeof first): string =>
      events
        .filter(({ event }) => event === 'response')
        .map(({ data }) => data.chunk)
        .join('');
    expect(verdictOf(second)).toBe(verdictOf(first));
    const phases = ({ events }: typeof first): unknown[] =>
      events.filter(({ event }) => event === 'phase_complete').map(({ data }) => data.phase);
    expect(phases(second)).toEqual(phases(first));
    expect(second.events.at(-1)).toMatchObject({ event: 'complete', data: { cached: true, session_id: 'warm' } });
    expect(await closingLine(service, 'warm')).toMatchObject({ cached: true, cache: { analysis: 'hit' } });
    expect(await stored(service, 'warm')).toMatchObject({ status: 'complete', analysis: { cached: true } });
  });

  it('an id that is finished may run again, and replaces what was stored', async () => {
    await ask(service.url, { query: 'Netflix', session_id: 'again' });
    await ask(service.url, { query: 'Shopify', session_id: 'again' });
    expect(await stored(service, 'again')).toMatchObject({ analysis: { query: 'Shopify' } });
  });

  it('an id of 128 characters can be read again', async () => {
    const id = 'x'.repeat(128);
    await ask(service.url, { query: 'Google', session_id: id });
    expect(await stored(service, id)).toMatchObject({ session_id: id, status: 'complete' });
  });

  it('takes a pasted job description', async () => {
    const text =
      'We look for a senior backend engineer: 5 years of TypeScript, PostgreSQL and Kubernetes. Nice to have: Rust.';
    const stream = await ask(service.url, { query: text });
    const matching = stream.events.find(
      ({ event, data }) => event === 'phase_complete' && data.phase === 'skills_matching',
    );
    expect(JSON.stringify(matching?.data)).toMatch(/TypeScript/);
    expect(stream.events.at(-1)?.event).toBe('complete');
  });

  it('a query that matches nothing is answered honestly', async () => {
    const stream = await ask(service.url, { query: 'qwxz vbnm' });
    expect(stream.events.at(-1)?.event).toBe('complete');
  });
});

describe('with an LLM endpoint', () => {
  let llm: LlmDouble;
  let service: Service;
  beforeAll(async () => {
    llm = await startLlm();
    service = await startService({
      OPENAI_BASE_URL: llm.url,
      OPENAI_API_KEY: 'sk-very-secret',
      LLM_MODEL: 'double-1',
      HEARTBEAT_MS: '50',
    });
  });
  beforeEach(() => {
    llm.behaviour = { kind: 'answer' };
  });
  afterAll(async () => {
    await service.stop();
    await llm.close();
  });

  it('passes its chunks on unaltered, with its own usage', async () => {
    const chunks = [
      'Ein Satz mit Ümläuten, ',
      '日本語 ',
      'and "quotes"\n\n',
      '[work:1] [work:2] [skill:typescript] [query:1]',
      ' 👩‍🚀.',
    ];
    llm.behaviour = { kind: 'answer', chunks };
    const stream = await ask(service.url, { query: 'Google', session_id: 'provider' });
    expect(stream.events.filter(({ event }) => event === 'response').map(({ data }) => data.chunk)).toEqual(chunks);
    expect(stream.events.at(-1)?.data).toMatchObject({
      provider: 'openai',
      usage: { input_tokens: 120, output_tokens: 8 },
    });
    const { body, headers } = llm.requests.at(-1) ?? { body: {}, headers: {} };
    expect(body).toMatchObject({ model: 'double-1', stream: true, stream_options: { include_usage: true } });
    expect(headers.authorization).toBe('Bearer sk-very-secret');
    expect(service.output.join('\n')).not.toContain('sk-very-secret');
  });

  it('usage that the endpoint does not tell is estimated, and said to be', async () => {
    llm.behaviour = { kind: 'answer', usage: false };
    const stream = await ask(service.url, { query: 'Zalando', session_id: 'uncounted' });
    expect(stream.events.at(-1)).toMatchObject({ event: 'complete', data: { provider: 'openai', usage: null } });
    const { llm: told } = (await closingLine(service, 'uncounted')) as { llm?: Record<string, number> };
    expect(told).toMatchObject({ model: 'double-1', provider: 'openai', calls: 1, usage_source: 'estimated' });
    expect(told?.input_tokens).toBeGreaterThan(100);
    expect(told?.output_tokens).toBeGreaterThan(0);
  });

  it('a client that goes away: 499 everywhere, the row says cancelled, the upstream call is aborted', async () => {
    llm.behaviour = { kind: 'hold' };
    const aborted = llm.aborted;
    const stream = await openStream(service.url, { query: 'Siemens', session_id: 'gone' });
    await stream.next('response');
    stream.abort();
    await until('the upstream call is aborted', () => llm.aborted > aborted);
    const line = await closingLine(service, 'gone');
    expect(line).toMatchObject({
      status: 'cancelled',
      http_status: 499,
      error_type: 'client_disconnect',
      llm: { model: 'double-1' },
    });
    expect(Object.keys(line.phases as object)).toContain('verdict');
    await until('the row is settled', async () => (await stored(service, 'gone')).status === 'cancelled');
    const samples = await scrape(service.url);
    expect(samples.get('fit_check_requests_total{status="cancelled"}')).toBe(1);
    expect(samples.get('fit_check_active_sessions')).toBe(0);
    expect(samples.get('fit_check_phase_completions_total{phase="verdict",status="error"}')).toBeGreaterThanOrEqual(1);
    expect(samples.get('fit_check_llm_calls_total{model="double-1",status="cancelled"}')).toBe(1);
    expect(samples.get('fit_check_circuit_breaker_calls_total{service="llm",outcome="cancelled"}')).toBe(1);
    expect(
      samples.get(
        `http_server_request_duration_seconds_count{http_request_method="POST",url_scheme="http",${ROUTE},http_response_status_code="499",error_type="client_disconnect"}`,
      ),
    ).toBe(1);
  });

  it('heartbeats keep a silent stream alive, and count as no event', async () => {
    llm.behaviour = { kind: 'hold' };
    const before = (await scrape(service.url)).get(`http_server_stream_events_total{${ROUTE}}`) ?? 0;
    const stream = await openStream(service.url, { query: 'Spotify' });
    await until('heartbeats came', () => stream.comments.length >= 3);
    llm.release();
    await stream.ended;
    await until(
      'the stream was counted',
      async () =>
        ((await scrape(service.url)).get(`http_server_stream_events_total{${ROUTE}}`) ?? 0) ===
        before + stream.events.length,
    );
  });

  it('a stream that ends without a finish reason is an error', async () => {
    llm.behaviour = { kind: 'cut' };
    const stream = await ask(service.url, { query: 'Netflix', session_id: 'cut' });
    expect(stream.events.at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'upstream_unavailable', message: expect.any(String) },
    });
    expect(await closingLine(service, 'cut')).toMatchObject({
      status: 'error',
      http_status: 200,
      error_type: 'stream_error',
    });
    await until('the row is settled', async () => (await stored(service, 'cut')).status === 'error');
    const samples = await scrape(service.url);
    expect(samples.get('fit_check_circuit_breaker_calls_total{service="llm",outcome="failure"}')).toBe(1);
  });

  it('an LLM that fails opens its breaker; the next caller is told at once, and health says degraded', async () => {
    llm.behaviour = { kind: 'status', status: 401 };
    for (const query of ['Shopify', 'Stripe', 'Datadog', 'Airbus']) {
      const stream = await ask(service.url, { query });
      expect(stream.status).toBe(200);
      expect(stream.events[0]).toMatchObject({ event: 'phase', data: { phase: 'connecting' } });
      expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'upstream_unavailable' } });
    }
    const health = (await (await fetch(`${service.url}/api/fit-check/health`)).json()) as object;
    expect(health).toMatchObject({ status: 'degraded', circuit_breakers: { llm: 'open' } });
    const samples = await scrape(service.url);
    expect(
      samples.get('fit_check_circuit_breaker_calls_total{service="llm",outcome="rejected"}'),
    ).toBeGreaterThanOrEqual(1);
    expect(samples.get('fit_check_circuit_breaker_transitions_total{service="llm",from="closed",to="open"}')).toBe(1);
  });
});

describe('a session that takes too long', () => {
  it('ends as a timeout, whatever its upstream does', async () => {
    const llm = await startLlm({ kind: 'hold' });
    const service = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', SESSION_TIMEOUT_MS: '400' });
    try {
      const stream = await ask(service.url, { query: 'Google', session_id: 'slow' });
      expect(stream.events.at(-1)).toMatchObject({ event: 'error', data: { code: 'timeout' } });
      expect(await closingLine(service, 'slow')).toMatchObject({
        status: 'timeout',
        http_status: 200,
        error_type: 'timeout',
        level: 'WARNING',
      });
      await until('the row is settled', async () => (await stored(service, 'slow')).status === 'timeout');
      await until('the upstream call is aborted', () => llm.aborted === 1);
      expect((await scrape(service.url)).get('fit_check_requests_total{status="timeout"}')).toBe(1);
    } finally {
      await service.stop();
      await llm.close();
    }
  });
});

describe('with a search', () => {
  let search: Server;
  let asked: string[];
  let service: Service;
  beforeAll(async () => {
    asked = [];
    search = createServer((req, res) => {
      asked.push(`${req.url} ${req.headers.authorization}`);
      const results = [
        {
          title: 'Acme builds rockets',
          url: 'https://example.com/acme',
          content: 'Acme uses TypeScript and Kubernetes.',
        },
        { title: 7 },
      ];
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ query: 'x', results }));
    });
    await new Promise<void>((resolve) => search.listen(0, '127.0.0.1', resolve));
    service = await startService({
      SEARCH_URL: `http://127.0.0.1:${(search.address() as AddressInfo).port}`,
      SEARCH_API_KEY: 'search-secret',
    });
  });
  afterAll(async () => {
    await service.stop();
    search.close();
  });

  it('uses what it finds, asks with the key, and asks once for the same', async () => {
    const stream = await ask(service.url, { query: 'Acme Rockets' });
    const research = stream.events.find(
      ({ event, data }) => event === 'phase_complete' && data.phase === 'deep_research',
    );
    expect(research?.data.data).toMatchObject({
      source: 'searxng',
      findings: [{ id: 'query:1' }, { id: 'web:1', title: 'Acme builds rockets' }],
    });
    expect(asked).toEqual(['/search?q=Acme+Rockets&format=json Bearer search-secret']);
    await ask(service.url, { query: 'acme  rockets' });
    expect(asked).toHaveLength(1);
    expect((await scrape(service.url)).get('fit_check_cache_requests_total{cache="search",result="hit"}')).toBe(1);
    expect(service.output.join('\n')).not.toContain('search-secret');
  });
});

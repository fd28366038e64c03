/** The guide's verification steps 1, 2 and 4, against the built service, over its embedded parts and over servers. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BACKINGS, type Backing, type Fresh, type Run, titleOf, useBacking } from './backings.ts';
import { ask, openStream, type SseEvent } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { scrape } from './metrics.ts';
import { freePort } from './ports.ts';
import { type LogLine, type Service, startService } from './service.ts';
import { until } from './until.ts';

const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'];

for (const backing of BACKINGS)
  describe.skipIf(backing.skipped !== undefined)(titleOf(backing), () => {
    const run = useBacking(backing);
    describe('test 1: JSON logs', () => testLogs(backing, run));
    describe('test 2: the health body', () => testHealth(backing, run));
    describe('test 4: phase durations', () => testDurations(backing, run));
  });

async function health(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/fit-check/health`);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

function phaseData(events: readonly SseEvent[], phase: string): unknown {
  return events.find(({ event, data }) => event === 'phase_complete' && data.phase === phase)?.data.data;
}

function testLogs(backing: Backing, run: () => Run): void {
  let lines: LogLine[];
  beforeAll(async () => {
    const { service } = run();
    await ask(service.url, { query: 'Test logging', session_id: 'log-test-123' });
    await until('the closing line', () => service.output.some((line) => line.includes('Request completed')));
    lines = service.lines();
  });
  const ofSession = (): LogLine[] => lines.filter((line) => line.session_id === 'log-test-123');

  it('writes JSON alone, with the fields that every line has', () => expectEveryLine(lines, run().service.pid));
  it('keeps the guide’s lines, in order, with the session and its request', () => expectLinesOfGuide(ofSession()));
  it('closes with one line that says everything', () => expectClosingLine(ofSession(), backing));

  it('says no query in any line', async () => {
    const { service } = run();
    await ask(service.url, { query: 'A very private marker-8471', session_id: 'private' });
    expect(service.output.join('\n')).not.toContain('marker-8471');
  });

  it('was served by the parts that are meant, and by no others', async () => {
    const { service, storedStatus, outside } = run();
    await until('it is stored', async () => (await storedStatus(service, 'log-test-123')) === 'complete');
    expect(await outside('Test logging')).toEqual(backing.outside);
  });
}

function expectEveryLine(lines: readonly LogLine[], pid: number): void {
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    expect(line.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(['DEBUG', 'INFO', 'WARNING', 'ERROR']).toContain(line.level);
    expect(line).toMatchObject({
      logger: expect.any(String),
      message: expect.any(String),
      service: 'fit-check',
      version: expect.any(String),
      environment: 'development',
    });
  }
  expect(lines.some((line) => line.message.includes(`pid ${pid}`))).toBe(true);
}

function expectLinesOfGuide(lines: readonly LogLine[]): void {
  const messages = lines.map((line) => line.message);
  const expected = [
    'Request started',
    ...PHASES.flatMap((phase) => [`Phase started: ${phase}`, `Phase completed: ${phase}`]),
    'Request completed',
  ];
  expect(messages).toHaveLength(expected.length);
  for (const [index, text] of expected.entries()) expect(messages[index]).toContain(`[log-test-123] ${text}`);
  const ids = new Set(lines.map((line) => line.request_id));
  expect(ids.size).toBe(1);
  expect(new Set(lines.map((line) => line.trace_id)).size).toBe(1);
  expect(lines[0]).toMatchObject({ query_length: 12 });
}

function expectClosingLine(lines: readonly LogLine[], { model, usage }: Backing): void {
  const closing = lines.filter((line) => line.message === '[log-test-123] Request completed');
  expect(closing).toHaveLength(1);
  expect(closing[0]).toMatchObject({
    status: 'success',
    http_status: 200,
    route: '/api/fit-check/stream',
    method: 'POST',
    cached: false,
  });
  expect(closing[0]?.duration_ms).toBeGreaterThan(0);
  expect(Object.keys(closing[0]?.phases as object)).toEqual(PHASES);
  expect(closing[0]?.phase).toBeUndefined();
  expect(closing[0]?.llm).toMatchObject({ model, ...usage });
  expect(closing[0]?.breakers).toEqual({ search: 'closed', llm: 'closed' });
  expect(closing[0]?.cache).toEqual({ analysis: 'miss', search: 'miss' });
}

/** Its LLM is held and its search is gone, whatever the backing has; its stores are the backing's. */
function testHealth({ stores }: Backing, run: () => Run): void {
  let llm: LlmDouble;
  let service: Service;
  let fresh: Fresh;
  beforeAll(async () => {
    [llm, fresh] = await Promise.all([startLlm({ kind: 'hold' }), run().parts.fresh()]);
    service = await startService({
      ...fresh.env,
      OPENAI_BASE_URL: llm.url,
      LLM_MODEL: 'double-1',
      SEARCH_URL: `http://127.0.0.1:${await freePort()}`,
    });
  });
  afterAll(async () => {
    await service?.stop();
    await llm?.close();
  });

  it('has each field', async () => {
    const body = await health(service.url);
    expect(body).toEqual({
      status: 'healthy',
      service: 'fit-check',
      agent_ready: true,
      active_sessions: 0,
      circuit_breakers: { search: 'closed', llm: 'closed' },
      timestamp: expect.any(Number),
    });
    expect(Math.abs((body.timestamp as number) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('counts a session that is held open, then none', async () => {
    const stream = await openStream(service.url, { query: 'Google', session_id: 'held' });
    await stream.next('response');
    expect((await health(service.url)).active_sessions).toBe(1);
    expect((await scrape(service.url)).get('fit_check_active_sessions')).toBe(1);
    llm.release();
    await stream.ended;
    await until('no session is active', async () => (await health(service.url)).active_sessions === 0);
    expect((await scrape(service.url)).get('fit_check_active_sessions')).toBe(0);
    await until('it is stored', async () => (await fresh.storedStatus(service, 'held')) === 'complete');
  });

  it('is degraded while the search’s breaker is open, and the corpus serves', async () => {
    llm.behaviour = { kind: 'answer' };
    for (const query of ['Siemens', 'Spotify', 'Shopify', 'Netflix']) {
      const { events } = await ask(service.url, { query });
      expect(phaseData(events, 'deep_research')).toMatchObject({ source: 'corpus' });
      expect(events.at(-1)?.event).toBe('complete');
    }
    await expectDegraded(service.url, stores);
  });
}

async function expectDegraded(url: string, stores: readonly string[]): Promise<void> {
  expect(await health(url)).toMatchObject({
    status: 'degraded',
    circuit_breakers: { search: 'open', llm: 'closed' },
  });
  expect((await scrape(url)).get('fit_check_circuit_breaker_state{service="search"}')).toBe(1);
  const ready = await fetch(`${url}/health/ready`);
  expect(ready.status).toBe(200);
  const { status, checks } = (await ready.json()) as { status: string; checks: Record<string, { status: string }> };
  expect(status).toMatch(/healthy|degraded/);
  const ofStores = ['database', 'redis'].flatMap((name) => (checks[name] ? [[name, checks[name].status]] : []));
  expect(ofStores).toEqual(stores.map((name) => [name, 'healthy']));
}

function testDurations({ provider, searchSource }: Backing, run: () => Run): void {
  it('are in the events and in the lines, the same, and plausible against the clock', async () => {
    const { service } = run();
    const startedAt = performance.now();
    const stream = await ask(service.url, { query: 'Google', session_id: 'duration-test' });
    const wallMs = performance.now() - startedAt;
    await until('the closing line', () =>
      service.output.some((line) => line.includes('[duration-test] Request completed')),
    );
    const completed = stream.events.filter(({ event }) => event === 'phase_complete');
    const lines = service.lines().filter((line) => line.message.startsWith('[duration-test] Phase completed'));
    expectSameDurations(completed, lines);
    const sum = completed.reduce((total, { data }) => total + (data.duration_ms as number), 0);
    expect(sum).toBeLessThanOrEqual(wallMs);
    // The verdict is paced, so that it dwarfs the others: what it says must be what the caller saw.
    const first = completed.at(-2)?.at ?? 0;
    const last = completed.at(-1)?.at ?? 0;
    const seen = last - first;
    expect(completed.at(-1)?.data.duration_ms).toBeGreaterThan(seen * 0.5);
    expect(completed.at(-1)?.data.duration_ms).toBeLessThan(seen * 1.5 + 50);
    expect(phaseData(completed, 'deep_research')).toMatchObject({ source: searchSource });
    const complete = stream.events.at(-1);
    expect(complete).toMatchObject({
      event: 'complete',
      data: { session_id: 'duration-test', cached: false, provider },
    });
    expect(complete?.data.duration_ms).toBeGreaterThanOrEqual(sum);
  });
}

function expectSameDurations(completed: readonly SseEvent[], lines: readonly LogLine[]): void {
  expect(completed.map(({ data }) => data.phase)).toEqual(PHASES);
  expect(lines.map((line) => line.phase)).toEqual(PHASES);
  for (const [index, { data }] of completed.entries()) {
    const ms = data.duration_ms as number;
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBe(Math.round(ms * 1000) / 1000);
    expect(lines[index]?.duration_ms).toBe(ms);
    expect(lines[index]?.message).toBe(
      `[duration-test] Phase completed: ${String(data.phase)} (${(ms / 1000).toFixed(2)}s)`,
    );
  }
}

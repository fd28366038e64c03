/** What a service tells the console that runs in it, beyond requests: as a page sees it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from 'vitest';
import { observeNode } from '../../src/adapters/node.ts';
import { type Observability, type ObserveOptions, observe } from '../../src/observe.ts';
import { openPage, type Page } from './page.ts';

let obs: Observability;
let server: Server;
let page: Page;
afterEach(async () => {
  page?.close();
  await obs.close();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
});

async function start(env: Record<string, string> = {}, options: Partial<ObserveOptions> = {}): Promise<void> {
  obs = observe({
    service: 'svc',
    console: true,
    clients: [],
    destination: { write: () => {} },
    env: { ENVIRONMENT: 'test', ...env },
    ...options,
  });
  server = createServer((_req, res) => void res.end('ok'));
  await observeNode(obs, server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

const look = async (): Promise<void> => {
  page = await openPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
};

describe('what is told before it is loaded', () => {
  test('is there when it is', async () => {
    obs = observe({
      service: 'svc',
      console: true,
      clients: [],
      destination: { write: () => {} },
      env: { ENVIRONMENT: 'test' },
    });
    // In this very turn.
    obs.log.info('early line');
    trace.getTracer('theirs').startSpan('early span').end();
    obs.breakerState('search', 'open');
    server = createServer((_req, res) => void res.end('ok'));
    await observeNode(obs, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await look();
    await page.until((seen) => seen.told('logs').some(({ message }) => message === 'early line'));
    await page.until((seen) =>
      seen.told('spans').some(({ name, scope }) => name === 'early span' && scope === 'theirs'),
    );
    const health = await page.until((seen) => seen.told('health').at(-1));
    expect(health.breakers).toEqual([{ service: 'search', state: 'open' }]);
  });
});

test('a session that no request carries runs as one', async () => {
  await start();
  await look();
  let go = (): void => {};
  const session = obs.session({ id: 'job-7' }, (own) =>
    own.phase('index', () => new Promise<void>((resolve) => (go = resolve))),
  );
  const live = await page.until((seen) => seen.told('live').find(({ total }) => total === 1)?.requests[0]);
  expect(live).toMatchObject({ method: 'SESSION', route: '', sessionId: 'job-7', phases: [{ name: 'index' }] });
  go();
  await session;
  await page.until((seen) => seen.told('live').at(-1)?.total === 0);
  const span = await page.until((seen) => seen.told('spans').find(({ name }) => name === 'session'));
  expect(span.traceId).toBe(live.traceId);
});

test("a breaker's moves and a check's turn are told as they come", async () => {
  await start({ HEALTH_INTERVAL_MS: '100' });
  let up = true;
  obs.health.check('queue', () => {
    if (!up) throw Object.assign(new Error('secret words'), { code: 'ECONNREFUSED' });
  });
  await look();
  const breaker = obs.breaker('llm', { failures: 1, openMs: 30_000 });
  await breaker.run(() => Promise.reject(new Error('down'))).catch(() => {});
  up = false;
  const moved = await page.until((seen) => seen.told('health').find(({ breakers }) => breakers[0]?.state === 'open'));
  expect(moved.breakers).toEqual([{ service: 'llm', state: 'open' }]);
  const down = await page.until((seen) => seen.told('health').find(({ checks }) => checks.queue?.error !== undefined));
  expect(down.status).toBe('degraded');
  expect(down.checks.queue).toEqual({
    status: 'unhealthy',
    critical: false,
    duration_ms: expect.any(Number),
    error: 'ECONNREFUSED',
  });
  expect(page.text()).not.toContain('secret words');
});

test("the chunks of a model's answer are told by their times", async () => {
  await start();
  await look();
  async function* answer(): AsyncGenerator<string> {
    for (let index = 0; index < 2500; index += 1) yield String(index);
  }
  const info = { operation: 'chat', provider: 'own', model: 'm' } as const;
  for await (const _ of obs.ai.stream(info, answer));
  const chunks = await page.until((seen) => seen.told('chunks')[0]);
  expect(chunks.times).toHaveLength(2000);
  expect(chunks.times).toEqual([...chunks.times].sort((a, b) => a - b));
  const span = await page.until((seen) => seen.told('spans').find(({ spanId }) => spanId === chunks.spanId));
  expect(span.name).toBe('chat m');
});

test('the telemetry tells of its exporter, its queues, its losses and its largest metrics', async () => {
  await start(
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret@127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '60000' },
    { maxSeries: { asked_total: 2 } },
  );
  const asked = obs.counter({ name: 'asked_total', help: 'Asked.', labels: ['who'] });
  for (const who of ['a', 'b', 'c', 'd']) asked.inc({ who });
  for (let count = 0; count < 30; count += 1) trace.getTracer('theirs').startSpan('x').end();
  obs.log.info('outside of any request');
  await look();
  const told = await page.until((seen) => seen.told('telemetry').find(({ queues }) => queues[0]?.size === 30));
  expect(told.exporter).toEqual({ kind: 'otlp', endpoint: 'http://127.0.0.1:9/v1/traces' });
  expect(told.queues[0]).toMatchObject({ name: 'spans', limit: 2048, bytes: expect.any(Number) });
  expect(told.logs.withoutContext).toBeGreaterThan(0);
  expect(told.series.find(({ metric }) => metric === 'asked_total')).toEqual({
    metric: 'asked_total',
    count: 3,
    budget: 2,
    folded: 2,
  });
  expect(told.store.map(({ signal, count }) => [signal, count > 0])).toEqual([
    ['spans', true],
    ['logs', true],
    ['metrics', true],
  ]);
  expect(page.text()).not.toContain('secret');
});

test('metrics that are off are off there too; the rest is told', async () => {
  await start({ METRICS_ENABLED: 'false' });
  obs.log.info('a line');
  await look();
  await page.until((seen) => seen.told('logs').length > 0 && seen.told('telemetry').length > 0);
  expect(page.told('metrics')).toEqual([]);
  expect(page.told('telemetry')[0]).toMatchObject({ series: [], spans: { exported: 0 } });
});

test('what is written in text is told whole, and what harms a terminal or a page is text', async () => {
  await start({ LOG_FORMAT: 'text', LOG_LEVEL: 'WARNING' });
  const planes = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x263a)).join('');
  const harmful = `<script>alert(1)</script>\u001b[2J\r\n\u0000${planes}\ud800 event: hello`;
  obs.log.info('below the level');
  obs.log.error({ harmful, huge: 'x'.repeat(1_000_000), token: 'hunter2' }, harmful);
  trace
    .getTracer('theirs')
    .startSpan(harmful, { attributes: { [harmful]: harmful, huge: 'y'.repeat(1_000_000) } })
    .end();
  trace
    .getTracer('theirs')
    .startSpan(harmful, { attributes: { [harmful]: harmful } })
    .end();
  await look();
  const line = await page.until((seen) => seen.told('logs').find(({ level }) => level === 'ERROR'));
  expect(line.message).toContain('<script>alert(1)</script>');
  expect(line.fields.token).toBe('[REDACTED]');
  const span = await page.until((seen) => seen.told('spans').find(({ scope }) => scope === 'theirs'));
  expect(span.name).toContain(planes);
  expect(page.told('logs').map(({ message }) => message)).not.toContain('below the level');
  expect(page.text()).not.toContain('hunter2');
  // The one of a megabyte is left out, and counted.
  const told = await page.until((seen) => seen.told('telemetry')[0]);
  expect(told.store.find(({ signal }) => signal === 'spans')).toMatchObject({ count: 1, evicted: 1 });
  expect(page.text().length).toBeLessThan(1_000_000);
});

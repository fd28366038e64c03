/** Health probes by the thousand, and what the servers behind the service hear of them. */
import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from './servers/postgres.ts';
import { type Observer, type Proxy as ServerProxy, startProxy } from './servers/proxy.ts';
import { type RedisServer, startRedis } from './servers/redis.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

const PATHS = ['/health', '/health/ready', '/health/live'] as const;
const RATE = 1000;
/** Below this the machine is too slow to judge times by. */
const ENOUGH = 800;
const TICK_MS = 5;
/** Own timers that are this late say of the machine that it is slow, whatever the service does. */
const STALLED_MS = 200;
const SOCKETS = 200;
const INTERVAL_MS = 1000;
/** An interval may be shorter or longer by a tenth, so that replicas spread. */
const JITTER = 0.1;
/** A kubelet's `timeoutSeconds`, unless told. */
const KUBELET_MS = 1000;

interface Probe {
  readonly path: (typeof PATHS)[number];
  /** The HTTP status, or an error's code. */
  readonly got: number | string;
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface Storm {
  readonly probes: readonly Probe[];
  readonly durationMs: number;
  /** Probes asked, and answers that came, a second. */
  readonly asked: number;
  readonly answered: number;
  /** The slowest answer, in milliseconds from when it was asked. */
  readonly worstMs: number;
  /** How late this process' own timers were at the worst. */
  readonly stalledMs: number;
}

/** Asks at a steady rate, however long the answers take. */
export async function storm(url: string, durationMs: number): Promise<Storm> {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const startedAt = performance.now();
  const answers: Promise<Probe>[] = [];
  let stalledMs = 0;
  for (let turnedAt = startedAt; turnedAt - startedAt < durationMs; ) {
    const due = Math.ceil(((turnedAt - startedAt) / 1000) * RATE);
    while (answers.length < due) answers.push(probe(agent, url, PATHS[answers.length % PATHS.length] as Probe['path']));
    await wait(TICK_MS);
    stalledMs = Math.max(stalledMs, performance.now() - turnedAt - TICK_MS);
    turnedAt = performance.now();
  }
  const askedMs = performance.now() - startedAt;
  const probes = await Promise.all(answers);
  const tookMs = performance.now() - startedAt;
  agent.destroy();
  return {
    probes,
    durationMs: tookMs,
    asked: (probes.length / askedMs) * 1000,
    answered: (probes.length / tookMs) * 1000,
    worstMs: probes.reduce((worst, { askedAt, answeredAt }) => Math.max(worst, answeredAt - askedAt), 0),
    stalledMs,
  };
}

function probe(agent: Agent, url: string, path: Probe['path']): Promise<Probe> {
  const askedAt = performance.now();
  return new Promise((resolve) => {
    const end = (got: Probe['got']): void => resolve({ path, got, askedAt, answeredAt: performance.now() });
    const request = get(`${url}${path}`, { agent }, (response) => {
      response.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.name));
      response.once('end', () => end(response.statusCode ?? 'no status')).resume();
    });
    request.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.name));
  });
}

interface Counter {
  readonly count: number;
  readonly observe: () => Observer;
}

/** Counts a text on its way to a server, in upper or lower case, whole or in pieces; each connection by itself. */
export function createCounter(text: string): Counter {
  const wanted = text.toLowerCase();
  let count = 0;
  return {
    get count() {
      return count;
    },
    observe: () => {
      let tail = '';
      return (way, chunk) => {
        if (way !== 'to-server') return;
        const heard = tail + chunk.toString('latin1').toLowerCase();
        count += heard.split(wanted).length - 1;
        // Too short to hold the text once more.
        tail = heard.slice(Math.max(0, heard.length - wanted.length + 1));
      };
    },
  };
}

/** The service with counters between it and its servers. */
interface Tapped {
  readonly service: Service;
  readonly selects: Counter;
  readonly pings: Counter;
  close(): Promise<void>;
}

async function startTapped(postgres: PostgresServer, redis: RedisServer): Promise<Tapped> {
  const selects = createCounter('SELECT 1');
  const pings = createCounter('PING\r\n');
  const proxies: ServerProxy[] = [
    await startProxy(postgres.port, selects.observe),
    await startProxy(redis.port, pings.observe),
  ];
  const [toPostgres, toRedis] = proxies as [ServerProxy, ServerProxy];
  const service = await startService({
    DATABASE_URL: postgres.url().replace(`:${postgres.port}/`, `:${toPostgres.port}/`),
    REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
    HEALTH_INTERVAL_MS: String(INTERVAL_MS),
    LOG_LEVEL: 'WARNING',
  });
  return {
    service,
    selects,
    pings,
    async close() {
      await service.stop();
      for (const proxy of proxies) await proxy.close();
    },
  };
}

/** A storm while all is well: everybody is answered, and the servers are asked once an interval. */
async function expectCalm(tapped: Tapped, durationMs: number): Promise<void> {
  const { service } = tapped;
  await until('it is ready', async () => (await fetch(`${service.url}/health/ready`)).status === 200);
  const asked = countsOf(tapped);
  const seen = await storm(service.url, durationMs);
  const { selects, pings } = asked();
  tell('both healthy', seen, { selects, pings });
  expect(tally(seen.probes)).toEqual(tally(seen.probes.map((one) => ({ ...one, got: 200 }))));
  for (const count of [selects, pings]) {
    expect(count).toBeLessThanOrEqual(mostIn(seen.durationMs));
    // Heard at all: a counter that is deaf proves nothing.
    expect(count).toBeGreaterThanOrEqual(Math.floor(durationMs / INTERVAL_MS / 2));
  }
  expectInTime(seen);
}

/** The same from the moment in which the database freezes: unready once that is noticed, and alive throughout. */
async function expectFrozen(tapped: Tapped, postgres: PostgresServer, durationMs: number): Promise<void> {
  const asked = countsOf(tapped);
  postgres.freeze();
  const seen = await storm(tapped.service.url, durationMs).finally(() => postgres.thaw());
  const { selects, pings } = asked();
  tell('database frozen', seen, { selects, pings });
  const noticedAt = Math.min(...seen.probes.filter(({ got }) => got === 503).map(({ answeredAt }) => answeredAt));
  // Seconds of the storm are left: the check runs out of time 2 s after the round that it belongs to.
  expect(noticedAt).toBeLessThan(seen.probes.at(-1)?.askedAt ?? 0);
  const wrong = seen.probes.filter(({ path, got, askedAt, answeredAt }) => {
    if (path === '/health/live' || answeredAt < noticedAt) return got !== 200;
    return askedAt > noticedAt ? got !== 503 : got !== 200 && got !== 503;
  });
  expect(tally(wrong)).toEqual({});
  for (const count of [selects, pings]) expect(count).toBeLessThanOrEqual(mostIn(seen.durationMs));
  expect(pings).toBeGreaterThanOrEqual(Math.floor(durationMs / INTERVAL_MS / 2));
  expectInTime(seen);
  await until('it is ready again', async () => (await fetch(`${tapped.service.url}/health/ready`)).status === 200);
}

/** Counts from now on. */
function countsOf({ selects, pings }: Tapped): () => { selects: number; pings: number } {
  const before = { selects: selects.count, pings: pings.count };
  return () => ({ selects: selects.count - before.selects, pings: pings.count - before.pings });
}

/** Rounds that may begin within so long, every interval as short as may be, and one at the edge. */
function mostIn(ms: number): number {
  return Math.ceil(ms / (INTERVAL_MS * (1 - JITTER))) + 1;
}

function expectInTime({ asked, answered, worstMs, stalledMs }: Storm): void {
  if (asked < ENOUGH || stalledMs > STALLED_MS) return;
  expect(answered).toBeGreaterThanOrEqual(ENOUGH);
  expect(worstMs).toBeLessThan(KUBELET_MS);
}

/** Answers by path and what they were. */
function tally(probes: readonly Probe[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { path, got } of probes) counts[`${path} ${got}`] = (counts[`${path} ${got}`] ?? 0) + 1;
  return counts;
}

function tell(name: string, seen: Storm, { selects, pings }: { selects: number; pings: number }): void {
  const { probes, durationMs, asked, answered, worstMs, stalledMs } = seen;
  const times = probes.map(({ askedAt, answeredAt }) => answeredAt - askedAt).sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  process.stdout.write(
    `probes, ${name}: ${probes.length} in ${(durationMs / 1000).toFixed(1)} s (${Math.round(asked)}/s asked, ` +
      `${Math.round(answered)}/s answered), p99 ${p99.toFixed(1)} ms, worst ${worstMs.toFixed(1)} ms ` +
      `(own timers late by ${stalledMs.toFixed(1)} ms), SELECT 1 ${selects}, PING ${pings}, ` +
      `${JSON.stringify(tally(probes))}\n`,
  );
}

/** The two storms as tests, each over so many milliseconds. */
export function testStorms(durationMs: number): void {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let tapped: Tapped;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    tapped = await startTapped(postgres, redis);
  });
  afterAll(async () => {
    await tapped?.close();
    await redis?.close();
    await postgres?.close();
  });

  it('both healthy: one SELECT 1 and one PING an interval', () => expectCalm(tapped, durationMs));
  it('the database frozen: no more than that, and every probe is answered', () =>
    expectFrozen(tapped, postgres, durationMs));
}

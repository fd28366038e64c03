/** The cache in a real Redis: shared by instances, and gone in every way that it can go. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStream, type Stream } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { scrape } from './metrics.ts';
import { type Fault, type Proxy as FaultProxy, startProxy } from './servers/proxy.ts';
import { type RedisServer, skipsRedis, startRedis, WITHOUT_REDIS } from './servers/redis.ts';
import { runService, type Service, startService } from './service.ts';
import { until } from './until.ts';

const ANALYSIS = 'fit_check_cache_requests_total{cache="analysis",result=';
/** No request waits longer for Redis than a few of its limits (300 ms a command); the rest is a busy machine's. */
const BOUND_MS = 2000;

let redis: RedisServer;
let llm: LlmDouble;
let cleanups: (() => unknown)[] = [];

async function start(redisUrl = redis.url, env: Record<string, string> = {}): Promise<Service> {
  const service = await startService({
    REDIS_URL: redisUrl,
    OPENAI_BASE_URL: llm.url,
    LLM_MODEL: 'double-1',
    HEALTH_INTERVAL_MS: '200',
    HEARTBEAT_MS: '50',
    LOG_LEVELS: 'ioredis=INFO',
    ...env,
  });
  cleanups.push(() => service.stop());
  return service;
}

async function proxied(): Promise<{ proxy: FaultProxy; url: string }> {
  const proxy = await startProxy(redis.port);
  cleanups.push(() => proxy.close());
  return { proxy, url: `redis://127.0.0.1:${proxy.port}` };
}

function phaseOf(stream: Stream, phase: string): { data: Record<string, unknown>; duration_ms: number } {
  const found = stream.events.find(({ event, data }) => event === 'phase_complete' && data.phase === phase);
  return found?.data as ReturnType<typeof phaseOf>;
}

const lastOf = (stream: Stream): unknown => stream.events.at(-1);
const verdictOf = ({ events }: Stream): string =>
  events
    .filter(({ event }) => event === 'response')
    .map(({ data }) => data.chunk)
    .join('');

async function redisHealth(service: Service): Promise<{ ready: number; status: string; error?: string }> {
  const response = await fetch(`${service.url}/health/ready`);
  const { checks } = (await response.json()) as { checks: { redis: { status: string; error?: string } } };
  return { ready: response.status, ...checks.redis };
}

const outageLines = (service: Service): string[] =>
  service
    .lines()
    .filter(({ logger }) => logger === 'ioredis')
    .map(({ level, message }) => `${level} ${message}`);

beforeEach(async (context) => {
  if (skipsRedis()) context.skip();
  [redis, llm] = await Promise.all([startRedis(), startLlm()]);
});

afterEach(async () => {
  await Promise.all(cleanups.map((cleanup) => cleanup()));
  cleanups = [];
  await redis?.close();
  await llm?.close();
});

describe(`two instances over one Redis (${WITHOUT_REDIS})`, () => {
  it('what one found serves the other, under keys that do not tell it', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const first = await ask(one.url, { query: 'Google' });
    const second = await ask(other.url, { query: 'Google' });
    expect(lastOf(second)).toMatchObject({ event: 'complete', data: { cached: true } });
    expect(verdictOf(second)).toBe(verdictOf(first));
    expect(llm.requests).toHaveLength(1);
    expect(phaseOf(second, 'connecting').data).not.toHaveProperty('cache');
    expect((await scrape(other.url)).get(`${ANALYSIS}"hit"}`)).toBe(1);
    const client = new Redis(redis.url);
    cleanups.push(() => client.disconnect());
    const keys = await until('the lock is gone', async () => {
      const all = await client.keys('*');
      return all.every((key) => !key.includes(':lock:')) ? all : undefined;
    });
    expect(keys).toHaveLength(1);
    for (const key of keys) {
      expect(key).toMatch(/^fit-check:1:analysis:[\w-]{43}$/);
      expect(await client.pttl(key)).toBeGreaterThan(0);
    }
  });

  it('what one searched for serves the other, whatever else it is asked', async () => {
    let searches = 0;
    const results = [{ title: 'Acme builds rockets', url: 'https://example.com/acme', content: 'TypeScript' }];
    const web = createServer((_, res) => {
      searches += 1;
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results }));
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => web.close());
    const SEARCH_URL = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const [one, other] = await Promise.all([start(redis.url, { SEARCH_URL }), start(redis.url, { SEARCH_URL })]);
    await ask(one.url, { query: 'Acme Rockets' });
    const stream = await ask(other.url, { query: 'acme  rockets' });
    expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: false } });
    expect(phaseOf(stream, 'deep_research').data).toMatchObject({
      source: 'searxng',
      findings: [{ id: 'query:1' }, { id: 'web:1', title: 'Acme builds rockets' }],
    });
    expect(searches).toBe(1);
    expect((await scrape(other.url)).get('fit_check_cache_requests_total{cache="search",result="hit"}')).toBe(1);
  });

  it('garbage under a key is a miss', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await ask(one.url, { query: 'Google' });
    const client = new Redis(redis.url);
    cleanups.push(() => client.disconnect());
    for (const key of await client.keys('fit-check:1:analysis:*')) await client.set(key, '{"query":"Google"}');
    const stream = await ask(other.url, { query: 'Google' });
    expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: false } });
  });

  it('30 sessions at once with one query make one LLM call', async () => {
    llm.behaviour = { kind: 'hold' };
    const [one, other] = await Promise.all([start(), start()]);
    const opened = await Promise.all(
      Array.from({ length: 30 }, (_, i) => openStream((i % 2 === 0 ? one : other).url, { query: 'Siemens' })),
    );
    const leading = await until('one leads', () =>
      opened.find(({ events }) => events.some(({ event }) => event === 'response')),
    );
    // Those who wait are kept alive.
    const waiting = opened.filter((stream) => stream !== leading);
    await until('heartbeats came', () => waiting.every(({ comments }) => comments.length >= 3));
    llm.release();
    await Promise.all(opened.map(({ ended }) => ended));
    expect(llm.requests).toHaveLength(1);
    for (const stream of opened)
      expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: stream !== leading } });
    expect(new Set(opened.map(verdictOf)).size).toBe(1);
    for (const service of [one, other]) expect((await scrape(service.url)).get('fit_check_active_sessions')).toBe(0);
  });

  it('a leader that is killed is followed by another instance', async () => {
    llm.behaviour = { kind: 'hold' };
    const [one, other] = await Promise.all([start(), start()]);
    const lost = await openStream(one.url, { query: 'Siemens' });
    await lost.next('response');
    const stream = await openStream(other.url, { query: 'Siemens' });
    await until('it waits', () => stream.comments.length >= 3);
    expect(llm.requests).toHaveLength(1);
    llm.behaviour = { kind: 'answer' };
    one.kill('SIGKILL');
    await stream.ended;
    expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: false } });
    expect(llm.requests).toHaveLength(2);
  });

  it('a leader whose client goes away is followed at once; one who waits and goes away touches nobody', async () => {
    llm.behaviour = { kind: 'hold' };
    const [one, other] = await Promise.all([start(), start()]);
    const leader = await openStream(one.url, { query: 'Siemens' });
    await leader.next('response');
    const [here, there, leaving] = await Promise.all(
      [one, other, other].map((service) => openStream(service.url, { query: 'Siemens' })),
    );
    await until('they wait', () => [here, there, leaving].every((stream) => (stream?.comments.length ?? 0) >= 2));
    leaving?.abort();
    expect(leader.events.at(-1)?.event).toBe('response');
    expect(llm.aborted).toBe(0);
    llm.behaviour = { kind: 'answer' };
    leader.abort();
    await Promise.all([here?.ended, there?.ended]);
    for (const stream of [here, there]) expect(stream?.events.at(-1)?.event).toBe('complete');
    expect(llm.requests).toHaveLength(2);
  });

  it('a leader that fails is followed by the next, who may succeed', async () => {
    llm.behaviour = { kind: 'then', first: { kind: 'cut' }, rest: { kind: 'answer' } };
    const [one, other] = await Promise.all([start(), start()]);
    const streams = await Promise.all(
      [one, other, one, other].map((service) => ask(service.url, { query: 'Siemens' })),
    );
    const ends = streams.map(({ events }) => events.at(-1)?.event).sort();
    expect(ends).toEqual(['complete', 'complete', 'complete', 'error']);
    expect(llm.requests).toHaveLength(2);
  });
});

describe(`a Redis that fails under requests (${WITHOUT_REDIS})`, () => {
  const FAULTS: [string, (proxy: FaultProxy) => Promise<unknown>, (proxy: FaultProxy) => Promise<unknown>][] = [
    ['stopped', () => redis.stop(), () => redis.restart()],
    ['frozen', async () => redis.freeze(), async () => redis.thaw()],
    ...(
      [
        ['refused', { kind: 'refused' }],
        ['hanging', { kind: 'hang' }],
        ['reset', { kind: 'reset' }],
        ['reset within its answer', { kind: 'reset', afterBytes: 3 }],
        ['slower than its limit', { kind: 'slow', delayMs: 500 }],
        ['half-open, never asked', { kind: 'half-open', silent: 'to-server' }],
        ['half-open, never heard', { kind: 'half-open', silent: 'to-client' }],
      ] as [string, Fault][]
    ).map(
      ([name, fault]) =>
        [
          name,
          (proxy: FaultProxy) => proxy.set(fault),
          (proxy: FaultProxy) => proxy.set({ kind: 'pass' }),
        ] as (typeof FAULTS)[number],
    ),
  ];

  it.each(FAULTS)('%s: every answer is whole, in time, and says so; it recovers', async (_, fail, mend) => {
    const { proxy, url } = await proxied();
    const service = await start(url);
    await ask(service.url, { query: 'Google' });
    await until('it is healthy', async () => (await redisHealth(service)).status === 'healthy');

    // Requests are on their way when it fails, and go on coming.
    const early = Promise.all(Array.from({ length: 5 }, (_, i) => ask(service.url, { query: `early ${i}` })));
    await fail(proxy);
    const streams = [...(await early)];
    for (let round = 0; round < 4; round += 1)
      streams.push(
        ...(await Promise.all(Array.from({ length: 5 }, (_, i) => ask(service.url, { query: `q ${round} ${i}` })))),
      );
    for (const stream of streams) {
      expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: false } });
      expect(phaseOf(stream, 'connecting').duration_ms).toBeLessThan(BOUND_MS);
    }
    // Known by now: nobody waits for it, and everybody is told.
    const late = await ask(service.url, { query: 'late' });
    expect(phaseOf(late, 'connecting').data).toMatchObject({ cache: 'degraded' });
    const again = await ask(service.url, { query: 'late' });
    expect(lastOf(again)).toMatchObject({ event: 'complete', data: { cached: true } });
    expect((await scrape(service.url)).get(`${ANALYSIS}"error"}`)).toBeGreaterThanOrEqual(1);
    const down = await until('health has noticed', async () => {
      const health = await redisHealth(service);
      return health.status === 'unhealthy' ? health : undefined;
    });
    expect(down.ready).toBe(200);
    expect(down.error).toMatch(/^(timeout|ECONNREFUSED|ECONNRESET|EPIPE|connection_lost|not_available)$/);

    await mend(proxy);
    await until('it is healthy again', async () => (await redisHealth(service)).status === 'healthy');
    const fresh = await ask(service.url, { query: 'fresh' });
    expect(phaseOf(fresh, 'connecting').data).not.toHaveProperty('cache');
    const other = await start(redis.url);
    expect(lastOf(await ask(other.url, { query: 'fresh' }))).toMatchObject({ data: { cached: true } });

    expect(outageLines(service)).toEqual([
      expect.stringMatching(/^WARNING Redis cannot be used \(\w+\); each instance caches alone$/),
      'INFO Redis can be used again',
    ]);
    expect(service.lines().filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')).toEqual([]);
    const samples = await scrape(service.url);
    expect(samples.get('fit_check_active_sessions')).toBe(0);
    expect(samples.get('fit_check_requests_total{status="success"}')).toBe(streams.length + 4);
  });

  it('slow within its limit: used all the same', async () => {
    const { proxy, url } = await proxied();
    const service = await start(url);
    await until('it is healthy', async () => (await redisHealth(service)).status === 'healthy');
    await proxy.set({ kind: 'slow', delayMs: 50 });
    await ask(service.url, { query: 'Google' });
    const other = await start();
    expect(lastOf(await ask(other.url, { query: 'Google' }))).toMatchObject({ data: { cached: true } });
  });

  it('out of memory: refused, not away; told once, and to each user', async () => {
    const service = await start();
    const client = new Redis(redis.url);
    cleanups.push(() => client.disconnect());
    await client.config('SET', 'maxmemory', '1');
    for (const query of ['Google', 'Siemens']) {
      const stream = await ask(service.url, { query });
      expect(lastOf(stream)).toMatchObject({ event: 'complete', data: { cached: false } });
    }
    expect(phaseOf(await ask(service.url, { query: 'Spotify' }), 'connecting').data).toMatchObject({
      cache: 'degraded',
    });
    expect(lastOf(await ask(service.url, { query: 'Spotify' }))).toMatchObject({ data: { cached: true } });
    expect((await redisHealth(service)).status).toBe('healthy');
    expect(outageLines(service)).toEqual(['WARNING Redis refuses a command (OOM)']);
    await client.config('SET', 'maxmemory', '0');
    await ask(service.url, { query: 'Netflix' });
    const { data } = phaseOf(await ask(service.url, { query: 'Shopify' }), 'connecting');
    expect(data).not.toHaveProperty('cache');
  });

  it('PING is asked once an interval, by health alone, an outage or not', async () => {
    const service = await start(redis.url, { HEALTH_INTERVAL_MS: '1000' });
    const client = new Redis(redis.url);
    cleanups.push(() => client.disconnect());
    const pings = async (): Promise<number> =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
    const since = performance.now();
    const before = await pings();
    const probed = Array.from({ length: 200 }, () => fetch(`${service.url}/health`).then((r) => r.text()));
    redis.freeze();
    await Promise.all(probed);
    await until('health has noticed', async () => (await redisHealth(service)).status === 'unhealthy');
    for (let i = 0; i < 5; i += 1) await ask(service.url, { query: `frozen ${i}` });
    redis.thaw();
    await until('it is healthy again', async () => (await redisHealth(service)).status === 'healthy');
    const intervals = (performance.now() - since) / 1000;
    expect((await pings()) - before).toBeLessThanOrEqual(Math.ceil(intervals / 0.9) + 1);
  });

  it('HEALTH_CRITICAL makes it one without which nothing is sent here', async () => {
    const service = await start(redis.url, { HEALTH_CRITICAL: 'database,redis' });
    expect((await redisHealth(service)).ready).toBe(200);
    await redis.stop();
    await until('it is unready', async () => (await redisHealth(service)).ready === 503);
  });

  it('a frozen one does not keep a shutdown waiting', async () => {
    const service = await start();
    redis.freeze();
    await ask(service.url, { query: 'Google' });
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
  });
});

describe(`the start (${WITHOUT_REDIS})`, () => {
  it('goes on where Redis cannot be reached, and finds it later', async () => {
    await redis.stop();
    const service = await start();
    const stream = await ask(service.url, { query: 'Google' });
    expect(phaseOf(stream, 'connecting').data).toMatchObject({ cache: 'degraded' });
    expect(outageLines(service)).toEqual(['WARNING Redis cannot be used (ECONNREFUSED); each instance caches alone']);
    await redis.restart();
    await until('it was found', () => outageLines(service).includes('INFO Redis can be used again'));
  });

  it('goes on where Redis takes the connection and says nothing', async () => {
    redis.freeze();
    const service = await start();
    expect(lastOf(await ask(service.url, { query: 'Google' }))).toMatchObject({ event: 'complete' });
    expect(outageLines(service)).toEqual(['WARNING Redis cannot be used (timeout); each instance caches alone']);
  });

  it.each([
    ['a wrong password', (port: number) => `redis://:wrong-secret@127.0.0.1:${port}/0`, 'WRONGPASS'],
    ['a user that is unknown', (port: number) => `redis://me:wrong-secret@127.0.0.1:${port}/0`, 'WRONGPASS'],
    ['no password', (port: number) => `redis://127.0.0.1:${port}/0`, 'NOAUTH'],
    ['a database that there is not', (port: number) => `redis://:right-secret@127.0.0.1:${port}/99`, 'ERR'],
  ])('%s stops it with one line', async (_, urlOf, code) => {
    const guarded = await startRedis({ requirepass: 'right-secret' });
    cleanups.push(() => guarded.close());
    const { status, output } = await runService({ REDIS_URL: urlOf(guarded.port), LOG_FORMAT: 'json' });
    expect(status).toBe(1);
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    const { message } = JSON.parse(lines[0] as string) as { message: string };
    expect(message).toMatch(new RegExp(`REDIS_URL="redis://127\\.0\\.0\\.1:${guarded.port}/\\d+" is not usable`));
    expect(message).toContain(`it answered ${code}`);
    expect(output).not.toContain('secret');
  });

  it('the right password is taken', async () => {
    const guarded = await startRedis({ requirepass: 'p@ss/w:rd' });
    cleanups.push(() => guarded.close());
    const service = await start(guarded.url);
    await until('it is healthy', async () => (await redisHealth(service)).status === 'healthy');
    expect(service.output.join('\n')).not.toContain('p@ss');
  });

  it.each([
    ['reachable', () => redis.url],
    ['not reachable', () => 'redis://127.0.0.1:1'],
  ])('that fails for another reason ends, Redis being %s', async (_, url) => {
    const taken = await start();
    const { status } = await runService({ REDIS_URL: url(), PORT: new URL(taken.url).port });
    expect(status).toBe(1);
  });

  it('without REDIS_URL nothing is said of Redis', async () => {
    const service = await startService();
    cleanups.push(() => service.stop());
    const report = (await (await fetch(`${service.url}/health`)).json()) as { checks: object };
    expect(report.checks).not.toHaveProperty('redis');
  });
});

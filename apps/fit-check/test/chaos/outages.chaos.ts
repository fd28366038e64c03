/** Each server behind the service is stopped, frozen, slowed and restarted under 20 requests a second. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LlmDouble, startLlm } from '../llm-double.ts';
import { scrape } from '../metrics.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { type Fault, type Proxy as FaultyProxy, startProxy } from '../servers/proxy.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { type Service, startService } from '../service.ts';
import { until } from '../until.ts';
import { p95, startTraffic, tally } from './traffic.ts';

const RATE = 20;
const HEALTHY_MS = 2000;
const OUTAGE_MS = 6000;
const RECOVERY_MS = 25_000;
const SLOW: Fault = { kind: 'slow', delayMs: 150 };

interface Part {
  readonly name: string;
  readonly proxy: () => FaultyProxy;
  freeze(): void | Promise<void>;
  thaw(): void | Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

let postgres: PostgresServer;
let redis: RedisServer;
let llm: LlmDouble;
let search: Server;
let service: Service;
const proxies: Record<string, FaultyProxy> = {};
const rows: string[][] = [];

beforeAll(async () => {
  [postgres, redis, llm] = await Promise.all([startPostgres(), startRedis(), startLlm()]);
  search = createServer((_req, res) => {
    const results = [
      { title: 'Acme', url: 'https://example.com/acme', content: 'TypeScript, Kubernetes and PostgreSQL.' },
    ];
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results }));
  });
  await new Promise<void>((resolve) => search.listen(0, '127.0.0.1', resolve));
  proxies.postgres = await startProxy(postgres.port);
  proxies.redis = await startProxy(redis.port);
  proxies.llm = await startProxy(Number(new URL(llm.url).port));
  proxies.search = await startProxy((search.address() as AddressInfo).port);
  service = await startService({
    DATABASE_URL: postgres.url().replace(`:${postgres.port}/`, `:${proxies.postgres.port}/`),
    REDIS_URL: `redis://127.0.0.1:${proxies.redis.port}`,
    OPENAI_BASE_URL: `http://127.0.0.1:${proxies.llm.port}/v1`,
    LLM_MODEL: 'double-1',
    SEARCH_URL: `http://127.0.0.1:${proxies.search.port}`,
    LLM_TIMEOUT_MS: '2000',
    SEARCH_TIMEOUT_MS: '1000',
    BREAKER_OPEN_MS: '2000',
    HEALTH_INTERVAL_MS: '500',
    LOG_LEVEL: 'WARNING',
  });
});

afterAll(async () => {
  const head = ['server', 'fault', 'before', 'during', 'p95 ms', 'readiness', 'breakers', 'after', 'recovered in'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  process.stdout.write(`\n${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n\n`);
  await service.stop();
  for (const proxy of Object.values(proxies)) await proxy.close();
  search.close();
  await Promise.all([postgres.stop(), redis.close(), llm.close()]);
});

/** What a watcher saw while it looked twice a second. */
function watch(): { readiness: Set<string>; breakers: Set<string>; stop(): void } {
  const readiness = new Set<string>();
  const breakers = new Set<string>();
  const look = async (): Promise<void> => {
    const ready = await fetch(`${service.url}/health/ready`);
    readiness.add(`${ready.status} ${((await ready.json()) as { status: string }).status}`);
    const health = (await (await fetch(`${service.url}/api/fit-check/health`)).json()) as {
      circuit_breakers: Record<string, string>;
    };
    for (const [name, state] of Object.entries(health.circuit_breakers))
      if (state !== 'closed') breakers.add(`${name} ${state}`);
  };
  const timer = setInterval(() => void look().catch(() => readiness.add('no answer')), 250);
  return { readiness, breakers, stop: () => clearInterval(timer) };
}

const parts: Part[] = [
  {
    name: 'postgres',
    proxy: () => proxies.postgres as FaultyProxy,
    freeze: () => postgres.freeze(),
    thaw: () => postgres.thaw(),
    stop: () => postgres.stop(),
    start: () => postgres.start(),
  },
  {
    name: 'redis',
    proxy: () => proxies.redis as FaultyProxy,
    freeze: () => redis.freeze(),
    thaw: () => redis.thaw(),
    stop: () => redis.stop(),
    start: () => redis.restart(),
  },
  ...['llm', 'search'].map((name): Part => {
    const proxy = (): FaultyProxy => proxies[name] as FaultyProxy;
    return {
      name,
      proxy,
      freeze: () => proxy().set({ kind: 'hang' }),
      thaw: () => proxy().set({ kind: 'pass' }),
      stop: () => proxy().set({ kind: 'refused' }),
      start: () => proxy().set({ kind: 'pass' }),
    };
  }),
];
const faults: readonly [name: string, begin: (part: Part) => unknown, end: (part: Part) => unknown][] = [
  ['stopped', (part) => part.stop(), (part) => part.start()],
  ['frozen', (part) => part.freeze(), (part) => part.thaw()],
  ['slowed', (part) => part.proxy().set(SLOW), (part) => part.proxy().set({ kind: 'pass' })],
  [
    'restarted',
    async (part) => {
      await part.stop();
      await part.start();
    },
    () => {},
  ],
];

for (const part of parts) {
  for (const [fault, begin, end] of faults) {
    it(`${part.name} ${fault}`, async () => {
      const traffic = startTraffic(service.url, RATE);
      await wait(HEALTHY_MS);
      const seen = watch();
      const beganAt = traffic.now();
      await begin(part);
      await wait(OUTAGE_MS);
      await end(part);
      const endedAt = traffic.now();
      const recovered = await until(
        'the service is as it was',
        () => {
          const later = traffic.answers
            .filter(({ askedAt }) => askedAt > endedAt)
            .sort((a, b) => a.askedAt - b.askedAt);
          const lastBad = later.findLastIndex(({ got }) => got !== 'complete');
          return later.length - lastBad > RATE ? (later[lastBad + 1]?.askedAt ?? endedAt) - endedAt : undefined;
        },
        RECOVERY_MS,
      );
      await traffic.stop();
      seen.stop();
      const during = traffic.answers.filter(({ askedAt }) => askedAt >= beganAt && askedAt < endedAt);
      rows.push([
        part.name,
        fault,
        tally(traffic.answers.filter(({ askedAt }) => askedAt < beganAt)),
        tally(during),
        String(p95(during)),
        [...seen.readiness].sort().join(', '),
        [...seen.breakers].sort().join(', ') || 'closed',
        tally(traffic.answers.filter(({ askedAt }) => askedAt >= endedAt)),
        `${(recovered / 1000).toFixed(1)} s`,
      ]);
      await until('nothing is left running', async () => {
        const samples = await scrape(service.url);
        const posts = [...samples].filter(
          ([name]) => name.startsWith('http_server_active_requests') && name.includes('POST'),
        );
        return samples.get('fit_check_active_sessions') === 0 && posts.every(([, value]) => value === 0);
      });
      await until('readiness is back', async () => (await fetch(`${service.url}/health/ready`)).status === 200);
      await until('no row is left running', async () => {
        const [row] = await postgres.query<{ count: string }>(
          postgres.url(),
          "SELECT count(*) AS count FROM sessions WHERE status = 'running'",
        );
        return row?.count === '0';
      });
      expect(service.output.filter((line) => line.includes('Uncaught exception'))).toEqual([]);
      expect(traffic.answers.filter(({ got }) => ['failed', 'cut', 'internal'].includes(got))).toEqual([]);
    });
  }
}

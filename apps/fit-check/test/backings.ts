/** What the service stands on in the guide's tests: its embedded parts, or servers over real sockets. */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import Database from 'libsql';
import { afterAll, beforeAll } from 'vitest';
import { startLlm } from './llm-double.ts';
import { startSearxng } from './searxng-double.ts';
import { hasPostgres, type PostgresServer, startPostgres, WITHOUT_POSTGRES } from './servers/postgres.ts';
import { skipsRedis, startRedis, WITHOUT_REDIS } from './servers/redis.ts';
import { type Service, startService } from './service.ts';

export interface Backing {
  readonly name: string;
  /** Why its tests are skipped here; undefined where they run. */
  readonly skipped: string | undefined;
  readonly provider: string;
  readonly model: string;
  readonly searchSource: 'corpus' | 'searxng';
  /** What the closing line of a session says of its LLM, beside the model. */
  readonly usage: Readonly<Record<string, unknown>>;
  /** The readiness checks of its stores. */
  readonly stores: readonly string[];
  /** What one session leaves on servers, so that no test passes over parts that it does not mean. */
  readonly outside: Outside;
  start(): Promise<Parts>;
}

export interface Outside {
  /** Kinds of what Redis keeps. */
  readonly cached: readonly string[];
  /** How often the endpoint, and the search, were asked about a query. */
  readonly llmCalls: number;
  readonly searches: number;
}

/** A backing that runs. */
export interface Parts {
  /** A database and a cache that no other service has, with the settings for them. */
  fresh(): Promise<Fresh>;
  close(): Promise<void>;
}

export interface Fresh {
  readonly env: Readonly<Record<string, string>>;
  /** The status of a session, asked of the database itself. */
  storedStatus(service: Service, sessionId: string): Promise<string | undefined>;
  outside(query: string): Promise<Outside>;
}

/** A service over a backing. */
export interface Run extends Fresh {
  readonly parts: Parts;
  readonly service: Service;
}

const STATUS = 'SELECT status FROM sessions WHERE session_id =';
/** Long enough to dwarf the other phases, as a live endpoint's answer does. */
const PACE_MS = 20;
const ANSWER =
  'A good fit: the services [work:1] were run in production with what [web:1] asks for, and the open points of [query:1] can be closed within weeks.';

interface Row {
  readonly status: string;
}

const embedded: Backing = {
  name: 'embedded parts',
  skipped: undefined,
  provider: 'embedded',
  model: 'embedded-analyst',
  searchSource: 'corpus',
  usage: { usage_source: 'provider', calls: 1 },
  stores: ['database'],
  outside: { cached: [], llmCalls: 0, searches: 0 },
  // Nothing is set that it could have asked: the database alone tells of it.
  start: async () => ({
    fresh: async () => ({ env: {}, storedStatus: statusInSqlite, outside: async () => embedded.outside }),
    close: async () => {},
  }),
};

const servers: Backing = {
  name: 'PostgreSQL, Redis, an OpenAI-compatible endpoint and SearXNG-shaped search over real sockets',
  skipped: hasPostgres() ? (skipsRedis() ? WITHOUT_REDIS : undefined) : WITHOUT_POSTGRES,
  provider: 'openai',
  model: 'double-1',
  searchSource: 'searxng',
  usage: { usage_source: 'provider', calls: 1, input_tokens: 120, output_tokens: 8 },
  stores: ['database', 'redis'],
  outside: { cached: ['analysis', 'search'], llmCalls: 1, searches: 1 },
  start: startServers,
};

export const BACKINGS: readonly Backing[] = [embedded, servers];

/** Its name for a suite, with the reason where that is skipped. */
export function titleOf({ name, skipped }: Backing): string {
  return `over ${name}${skipped === undefined ? '' : ` (${skipped})`}`;
}

/** Starts a backing and a service over it before a suite's tests, and ends both after them. */
export function useBacking(backing: Backing): () => Run {
  let parts: Parts | undefined;
  let run: Run | undefined;
  beforeAll(async () => {
    parts = await backing.start();
    const fresh = await parts.fresh();
    run = { ...fresh, parts, service: await startService(fresh.env) };
  });
  afterAll(async () => {
    await run?.service.stop();
    await parts?.close();
  });
  return () => {
    if (run === undefined) throw new Error('the service has not been started');
    return run;
  };
}

async function startServers(): Promise<Parts> {
  const [postgres, redis, llm, searxng] = await Promise.all([
    startPostgres(),
    startRedis(),
    startLlm({ kind: 'answer', chunks: ANSWER.split(/(?<= )/), paceMs: PACE_MS }),
    startSearxng(),
  ]);
  let number = 0;
  return {
    async fresh() {
      number += 1;
      const DATABASE_URL = await postgres.createDatabase(`guide${number}`);
      const REDIS_URL = `${redis.url}/${number}`;
      return {
        env: { DATABASE_URL, REDIS_URL, OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', SEARCH_URL: searxng.url },
        storedStatus: (_, sessionId) => statusInPostgres(postgres, DATABASE_URL, sessionId),
        outside: async (query) => ({
          cached: await cachedKinds(REDIS_URL),
          llmCalls: llm.requests.filter(({ body }) => JSON.stringify(body).includes(query)).length,
          searches: searxng.queries.filter((asked) => asked === query).length,
        }),
      };
    },
    close: async () => void (await Promise.all([postgres, redis, llm, searxng].map((server) => server.close()))),
  };
}

async function statusInPostgres(server: PostgresServer, url: string, sessionId: string): Promise<string | undefined> {
  const [row] = await server.query<Row & Record<string, unknown>>(url, `${STATUS} $1`, [sessionId]);
  return row?.status;
}

/** Where the service keeps it unless told. */
async function statusInSqlite({ folder }: Service, sessionId: string): Promise<string | undefined> {
  const file = new Database(join(folder, 'data', 'fit-check.db'));
  try {
    return (file.prepare(`${STATUS} ?`).get(sessionId) as Row | undefined)?.status;
  } finally {
    file.close();
  }
}

/** The locks are left out: they are let go after the answer. */
async function cachedKinds(url: string): Promise<string[]> {
  const client = new Redis(url);
  try {
    const kinds = (await client.keys('fit-check:*')).flatMap(
      (key) => /^fit-check:\d+:(\w+):[\w-]+$/.exec(key)?.[1] ?? [],
    );
    return [...new Set(kinds)].filter((kind) => kind !== 'lock').sort();
  } finally {
    client.disconnect();
  }
}

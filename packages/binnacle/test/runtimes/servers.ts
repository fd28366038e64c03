/** PostgreSQL, Redis, an LLM endpoint and an HTTP server: started once for all runs, on loopback. */
import { type LlmDouble, startLlm } from '../../../../apps/fit-check/test/llm-double.ts';
import { hasPostgres, startPostgres, WITHOUT_POSTGRES } from '../../../../apps/fit-check/test/servers/postgres.ts';
import { skipsRedis, startRedis, WITHOUT_REDIS } from '../../../../apps/fit-check/test/servers/redis.ts';
import { startUpstream, type Upstream } from './run.ts';

/** Why tests over them are skipped here; undefined where they run. */
export const WITHOUT_SERVERS = hasPostgres() ? (skipsRedis() ? WITHOUT_REDIS : undefined) : WITHOUT_POSTGRES;

export interface Servers {
  /** For the service. */
  readonly env: Readonly<Record<string, string>>;
  /** Asked by the service, with the headers that it sent. */
  readonly upstream: Upstream;
  readonly llm: LlmDouble;
  close(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const [postgres, redis, llm, upstream] = await Promise.all([
    startPostgres(),
    startRedis(),
    startLlm(),
    startUpstream(),
  ]);
  const database = await postgres.createDatabase('runtimes');
  await postgres.query(database, 'CREATE TABLE items (id serial PRIMARY KEY, name text)');
  return {
    env: { DATABASE_URL: database, REDIS_URL: redis.url, OPENAI_BASE_URL: llm.url, UPSTREAM_URL: upstream.url },
    upstream,
    llm,
    async close() {
      upstream.close();
      await Promise.all([postgres.close(), redis.close(), llm.close()]);
    },
  };
}

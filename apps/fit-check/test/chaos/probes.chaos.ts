/** The storm of `probes.test.ts`, for half a minute each. */
import { afterAll, beforeAll, it } from 'vitest';
import { expectCalm, expectFrozen, startTapped, type Tapped } from '../probe-storm.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';

const STORM_MS = 30_000;

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

it('1000 probes a second, both healthy', () => expectCalm(tapped, STORM_MS));
it('1000 probes a second, the database frozen', () => expectFrozen(tapped, postgres, STORM_MS));

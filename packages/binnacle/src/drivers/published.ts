/** Clients that publish what they do on Node's diagnostics channels: observed without being handed over. */
import type { Signals } from '../signals.ts';
import { observeHttpClient } from './http-client.ts';
import { observeIoredis } from './ioredis.ts';
import { observeMysql } from './mysql.ts';
import { observeNodeRedis } from './redis.ts';
import { observeUndici } from './undici.ts';

/** `fetch` is Node's own and the package undici; `http` is `node:http` and `node:https`. */
export type PublishedClient = 'fetch' | 'http' | 'ioredis' | 'redis' | 'mysql2';

const OBSERVERS: Readonly<Record<PublishedClient, (signals: Signals) => () => void>> = {
  fetch: observeUndici,
  http: observeHttpClient,
  ioredis: observeIoredis,
  redis: observeNodeRedis,
  mysql2: observeMysql,
};
const ALL = Object.keys(OBSERVERS) as PublishedClient[];

/**
 * Observes them, all unless told; gives the way to end that.
 * @throws TypeError for a name that there is not
 */
export function observePublished(signals: Signals, names: readonly PublishedClient[] = ALL): () => void {
  const unknown = names.find((name) => !ALL.includes(name));
  if (unknown !== undefined) throw new TypeError(`observe({ clients }): "${unknown}" is none of ${ALL.join(', ')}`);
  const ends = names.map((name) => OBSERVERS[name](signals));
  return () => {
    for (const end of ends) end();
  };
}

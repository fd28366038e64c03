/** A bounded cache in the process, observed under its name. */
import type { Observability } from 'binnacle';
import { LRUCache } from 'lru-cache';

export interface CacheLimits {
  readonly entries: number;
  readonly ttlMs: number;
}

export interface Cache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): unknown;
}

export function createCache<V extends object>(
  obs: Observability,
  name: string,
  { entries, ttlMs }: CacheLimits,
): Cache<V> {
  return obs.cache(
    name,
    (evicted) =>
      new LRUCache<string, V>({
        max: entries,
        ttl: ttlMs,
        dispose: (_value, _key, reason) => {
          if (reason === 'evict') evicted();
        },
      }),
  );
}

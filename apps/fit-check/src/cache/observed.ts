/** Caches as the service uses them: in the process, before Redis where there is one, with their look-ups counted. */
import type { Observability } from 'binnacle';
import type { Cache, CacheLimits, CountedStore } from './cache.ts';
import { type Clock, realClock } from './clock.ts';
import { createMemory, createMemoryStore } from './memory.ts';
import type { RedisClient } from './redis.ts';
import { createTiered, type Entry, type TieredStore } from './tiered.ts';

export interface CacheOptions<V> extends CacheLimits {
  readonly name: string;
  /** Whether a value that another instance wrote is one. */
  readonly accepts: (value: unknown) => value is V;
  /** Where instances share; without it, the process alone keeps. */
  readonly redis?: RedisClient;
  readonly clock?: Clock;
}

export function createCache<V extends object>(
  obs: Pick<Observability, 'cache'>,
  { name, redis, accepts, clock = realClock, ...limits }: CacheOptions<V>,
): Cache<V> {
  let store: (CountedStore<V> & Partial<TieredStore<V>>) | undefined;
  const counted = obs.cache(name, (evicted) => {
    const made: CountedStore<V> & Partial<TieredStore<V>> =
      redis === undefined
        ? createMemoryStore<V>({ ...limits, clock, evicted })
        : createTiered<V>({
            name,
            ttlMs: limits.ttlMs,
            memory: createMemory<Entry<V>>({ ...limits, clock, evicted }),
            redis,
            clock,
            accepts,
          });
    store = made;
    return made;
  });
  return {
    get: (key) => counted.get(key).catch(() => undefined),
    peek: async (key) => store?.get(key),
    set: (key, value) => counted.set(key, value),
    get degraded() {
      return store?.degraded ?? false;
    },
  };
}

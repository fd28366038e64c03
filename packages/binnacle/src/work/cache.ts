/** Any get/set store, with its look-ups counted. What the store returns or throws is passed on unchanged. */
import { currentRequest } from '../context.ts';
import type { Signals } from '../signals.ts';

/** What a cache must be able to do. `size`, where it has one, is read at each scrape. */
export interface Store {
  get(key: never): unknown;
  set(key: never, value: never): unknown;
  readonly size?: number;
}

type Result = 'hit' | 'miss' | 'error';

/**
 * Counts a store's look-ups under a name. Give a function where the store can tell of evictions: it gets a callback
 * for each.
 * @example obs.cache('search', (evicted) => new LRUCache({ max: 500, dispose: (_v, _k, why) => why === 'evict' && evicted() }))
 */
export type ObserveCache = <S extends Store>(
  name: string,
  store: S | ((evicted: () => void) => S),
) => Pick<S, 'get' | 'set'>;

export function createCaches(signals: Signals): ObserveCache {
  const { cacheRequests, cacheEntries, cacheEvictions } = signals.meters;
  return (name, from) => {
    const evictions = cacheEvictions.bind({ cache: name });
    const series = {
      hit: cacheRequests.bind({ cache: name, result: 'hit' }),
      miss: cacheRequests.bind({ cache: name, result: 'miss' }),
      error: cacheRequests.bind({ cache: name, result: 'error' }),
    };
    const store = typeof from === 'function' ? from(() => evictions.inc()) : from;
    const told = (result: Result): void => {
      series[result].inc();
      const closing = currentRequest()?.carrier?.closing;
      if (closing !== undefined) closing.cache = { ...(closing.cache as object | undefined), [name]: result };
    };
    const found = <V>(value: V): V => {
      told(value === undefined || value === null ? 'miss' : 'hit');
      return value;
    };
    const failed = (error: unknown): never => {
      told('error');
      throw error;
    };
    if (typeof store.size === 'number') {
      const entries = cacheEntries.bind({ cache: name });
      signals.beforeScrape(() => entries.set(store.size ?? 0));
    }
    return {
      get: (key: never) => {
        let value: unknown;
        try {
          value = store.get(key);
        } catch (error) {
          return failed(error);
        }
        return value instanceof Promise ? value.then(found, failed) : found(value);
      },
      set: (key: never, value: never) => store.set(key, value),
    } as Pick<typeof store, 'get' | 'set'>;
  };
}

/** Any get/set store, with its look-ups counted. What the store returns or throws is passed on unchanged. */
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { activeContext, currentRequest, runWith } from '../context.ts';
import { errorTypeOf } from '../endings.ts';
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
    const told = (result: Result, span: Span): void => {
      series[result].inc();
      span.setAttribute('binnacle.cache.result', result);
      if (result === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      const closing = currentRequest()?.carrier?.closing;
      if (closing !== undefined) closing.cache = { ...(closing.cache as object | undefined), [name]: result };
    };
    const lookUp = (key: never): unknown => {
      const parent = activeContext();
      const attributes = { 'binnacle.cache.name': name };
      const span = signals.spans.start(`cache ${name}`, SpanKind.INTERNAL, attributes, parent);
      const found = <V>(value: V): V => {
        told(value === undefined || value === null ? 'miss' : 'hit', span);
        return value;
      };
      const failed = (error: unknown): never => {
        span.setAttribute('error.type', errorTypeOf(error));
        told('error', span);
        throw error;
      };
      let value: unknown;
      try {
        // What the store asks of others is the look-up's child.
        value = runWith({ otel: trace.setSpan(parent, span) }, () => store.get(key));
      } catch (error) {
        return failed(error);
      }
      return value instanceof Promise ? value.then(found, failed) : found(value);
    };
    if (typeof store.size === 'number') {
      const entries = cacheEntries.bind({ cache: name });
      signals.beforeScrape(() => entries.set(store.size ?? 0));
    }
    return {
      get: lookUp,
      set: (key: never, value: never) => store.set(key, value),
    } as Pick<typeof store, 'get' | 'set'>;
  };
}

/** What is known about a query: from the web or the corpus, through a cache and a breaker. */
import { type Breaker, BreakerOpenError, type Observability } from 'binnacle';
import { createCache } from '../cache/observed.ts';
import type { RedisClient } from '../cache/redis.ts';
import { createSharedWork } from '../cache/single-flight.ts';
import { createCorpus, queryFinding } from '../domain/index.ts';
import type { CallLimits } from '../limits.ts';
import type { FitCheckSettings } from '../settings.ts';
import { type Found, isFound } from './found.ts';
import { searchWeb } from './searxng.ts';

export interface Search {
  readonly breaker: Breaker;
  /** Who answers while nothing fails. */
  readonly source: Found['source'];
  /** `cache` says so where what other instances found could not be asked for. */
  find(query: string, limits: CallLimits): Promise<Found & { readonly cache?: 'degraded' }>;
}

const LIMIT = 8;
const LIMITS = { entries: 500, ttlMs: 10 * 60_000 };

export function createSearch(obs: Observability, settings: FitCheckSettings, redis?: RedisClient): Search {
  const corpus = createCorpus();
  const breaker = obs.breaker('search', { failures: 3, openMs: settings.breakerOpenMs });
  const log = obs.logger('search');
  const endpoint = settings.search && { ...settings.search, timeoutMs: settings.searchTimeoutMs };
  const source = endpoint === undefined ? 'corpus' : 'searxng';
  // The corpus is nearer than Redis.
  const shared = endpoint === undefined ? undefined : redis;
  const cache = createCache<Found>(obs, { name: 'search', ...LIMITS, accepts: isFound, redis: shared });
  const share = createSharedWork<Found>();
  const ask = async (query: string, limits: CallLimits): Promise<Found> => {
    if (endpoint === undefined) return { findings: corpus.search(query, LIMIT), source: 'corpus' };
    return { findings: await searchWeb(endpoint, query, LIMIT, limits), source: 'searxng' };
  };
  const search = async (query: string, limits: CallLimits): Promise<Found> => {
    try {
      return await breaker.run(() => ask(query, limits));
    } catch (error) {
      limits.signal.throwIfAborted();
      log.warn({ error }, 'The search failed; the corpus serves this request');
      const fallback = error instanceof BreakerOpenError ? 'breaker_open' : 'search_failed';
      return { findings: corpus.search(query, LIMIT), source: 'corpus', fallback };
    }
  };
  const searchAndKeep = async (key: string, query: string, limits: CallLimits): Promise<Found> => {
    const found = await search(query, limits);
    if (found.fallback === undefined) await cache.set(key, found);
    return found;
  };
  return {
    breaker,
    source,
    async find(query, limits) {
      const key = query.toLowerCase().replace(/\s+/g, ' ');
      const found =
        (await cache.get(key)) ?? (await share(key, limits, (together) => searchAndKeep(key, query, together)));
      return {
        ...found,
        findings: [queryFinding(query), ...found.findings],
        ...(cache.degraded && { cache: 'degraded' }),
      };
    },
  };
}

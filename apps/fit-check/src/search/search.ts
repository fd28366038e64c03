/** What is known about a query: from the web or the corpus, through a cache and a breaker. */
import { type Breaker, BreakerOpenError, type Observability } from 'binnacle';
import { createCache } from '../cache.ts';
import { createCorpus, type Finding, queryFinding } from '../domain/index.ts';
import type { FitCheckSettings } from '../settings.ts';
import { searchWeb } from './searxng.ts';

export interface Found {
  readonly findings: readonly Finding[];
  /** Where they came from. */
  readonly source: 'searxng' | 'corpus';
  /** Why the corpus stood in for the web, where it did. */
  readonly fallback?: 'search_failed' | 'breaker_open';
}

export interface Search {
  readonly breaker: Breaker;
  find(query: string, signal: AbortSignal): Promise<Found>;
}

const LIMIT = 8;
const LIMITS = { entries: 500, ttlMs: 10 * 60_000 };

export function createSearch(obs: Observability, settings: FitCheckSettings['search']): Search {
  const corpus = createCorpus();
  const breaker = obs.breaker('search', { failures: 3, openMs: 30_000 });
  const log = obs.logger('search');
  const cache = createCache<Found>(obs, 'search', LIMITS);
  const ask = async (query: string, signal: AbortSignal): Promise<Found> => {
    if (settings === undefined) return { findings: corpus.search(query, LIMIT), source: 'corpus' };
    return { findings: await searchWeb(settings, query, LIMIT, signal), source: 'searxng' };
  };
  return {
    breaker,
    async find(query, signal) {
      const key = query.toLowerCase().replace(/\s+/g, ' ');
      const found =
        cache.get(key) ??
        (await breaker
          .run(() => ask(query, signal))
          .catch((error: unknown) => {
            signal.throwIfAborted();
            log.warn({ error }, 'The search failed; the corpus serves this request');
            const fallback = error instanceof BreakerOpenError ? 'breaker_open' : 'search_failed';
            return { findings: corpus.search(query, LIMIT), source: 'corpus', fallback } as const;
          }));
      if (found.fallback === undefined) cache.set(key, found);
      return { ...found, findings: [queryFinding(query), ...found.findings] };
    },
  };
}

/** The part of a cache that is in the process: least recently used goes first, by number and by size. */
import { LRUCache } from 'lru-cache';
import type { CacheLimits, CountedStore } from './cache.ts';
import type { Clock } from './clock.ts';

export interface Memory<E> {
  get(key: string): E | undefined;
  set(key: string, entry: E): void;
  delete(key: string): void;
  readonly size: number;
}

export interface MemoryOptions extends CacheLimits {
  readonly clock: Clock;
  /** Told of each entry that had to go for another. */
  readonly evicted: () => void;
}

/** All entries together, in characters of JSON: a few large ones must not fill the heap. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

export function createMemory<E extends object>({ entries, ttlMs, clock, evicted }: MemoryOptions): Memory<E> {
  const kept = new LRUCache<string, E>({
    max: entries,
    ttl: ttlMs,
    perf: clock,
    // The clock is read at each look: a value must not outlive its time by what lru-cache keeps of it.
    ttlResolution: 0,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (entry) => JSON.stringify(entry).length,
    dispose: (_entry, _key, reason) => {
      if (reason === 'evict') evicted();
    },
  });
  return {
    get: (key) => kept.get(key),
    set: (key, entry) => void kept.set(key, entry),
    delete: (key) => void kept.delete(key),
    get size() {
      return kept.size;
    },
  };
}

/** The same as a whole cache, for values that are not worth a way to another server. */
export function createMemoryStore<V extends object>(options: MemoryOptions): CountedStore<V> {
  const memory = createMemory<V>(options);
  return {
    get: async (key) => memory.get(key),
    set: async (key, value) => memory.set(key, value),
    get size() {
      return memory.size;
    },
  };
}

/** A cache in two tiers: Redis, which instances share, and the process's own memory before it. */
import { createHash } from 'node:crypto';
import type { CountedStore } from './cache.ts';
import type { Clock } from './clock.ts';
import type { Memory } from './memory.ts';
import type { RedisClient } from './redis.ts';

/** A value as the process keeps it. */
export interface Entry<V> {
  readonly value: V;
  /** Until then it is given without asking Redis, which may have been told to forget it. */
  readonly freshUntil: number;
  readonly expiresAt: number;
  /** False while Redis does not have it. */
  readonly shared: boolean;
}

export interface TieredOptions<V> {
  readonly name: string;
  readonly ttlMs: number;
  readonly memory: Memory<Entry<V>>;
  readonly redis: Pick<RedisClient, 'available' | 'get' | 'set'>;
  readonly clock: Clock;
  /** Whether a value that was read is one; what is not, is a miss. */
  accepts(value: unknown): value is V;
}

export interface TieredStore<V> extends CountedStore<V> {
  readonly degraded: boolean;
}

/** Goes into each key: values of another form are not read. */
const FORM = 1;
const FRESH_MS = 10_000;
const MAX_CHARACTERS = 512 * 1024;

/** A key that tells nothing of what it stands for. */
export function keyOf(name: string, key: string): string {
  return `fit-check:${FORM}:${name}:${createHash('sha256').update(key).digest('base64url')}`;
}

export function createTiered<V extends object>(options: TieredOptions<V>): TieredStore<V> {
  const { name, ttlMs, memory, redis, clock } = options;
  /** What is refused although Redis can be used: it is out of memory, or still loading. */
  const refused = { get: false, set: false };
  const told = async <T>(what: 'get' | 'set', work: () => Promise<T>): Promise<T> => {
    try {
      const value = await work();
      refused[what] = false;
      return value;
    } catch (error) {
      refused[what] = redis.available;
      throw error;
    }
  };
  const keep = (key: string, value: V, expiresAt: number, shared: boolean): void =>
    memory.set(key, { value, freshUntil: clock.now() + FRESH_MS, expiresAt, shared });
  const share = async (key: string, value: V, expiresAt: number): Promise<void> => {
    const text = JSON.stringify(value);
    if (text.length > MAX_CHARACTERS) return;
    const leftMs = Math.max(1, Math.round(expiresAt - clock.now()));
    await told('set', () => redis.set(keyOf(name, key), text, leftMs));
    keep(key, value, expiresAt, true);
  };
  const ask = async (key: string, held: Entry<V> | undefined): Promise<V | undefined> => {
    const text = await told('get', () => redis.get(keyOf(name, key)));
    const value = text === null ? undefined : parse(text, options.accepts);
    if (value !== undefined) {
      keep(key, value, clock.now() + ttlMs, true);
      return value;
    }
    if (held === undefined || held.shared) {
      memory.delete(key);
      return undefined;
    }
    // Found while Redis was away: it is told now.
    await share(key, held.value, held.expiresAt).catch(() => {});
    return held.value;
  };
  return {
    async get(key) {
      const held = memory.get(key);
      if (held !== undefined && clock.now() < held.freshUntil) return held.value;
      try {
        return await ask(key, held);
      } catch (error) {
        if (held !== undefined) return held.value;
        throw error;
      }
    },
    async set(key, value) {
      const expiresAt = clock.now() + ttlMs;
      keep(key, value, expiresAt, false);
      await share(key, value, expiresAt).catch(() => {});
    },
    get size() {
      return memory.size;
    },
    get degraded() {
      return !redis.available || refused.get || refused.set;
    },
  };
}

function parse<V>(text: string, accepts: (value: unknown) => value is V): V | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return accepts(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

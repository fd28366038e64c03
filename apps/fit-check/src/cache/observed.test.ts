import type { ObserveCache } from 'binnacle';
import { expect, test } from 'vitest';
import { createCache } from './observed.ts';
import { createClock, createRedisDouble } from './testing.test-helper.ts';

interface Value {
  readonly text: string;
}
const accepts = (value: unknown): value is Value => typeof value === 'object';

function setUp() {
  const clock = createClock();
  const redis = createRedisDouble(clock);
  const counted: string[] = [];
  const cache: ObserveCache = (name, from) => {
    const store = typeof from === 'function' ? from(() => counted.push('evicted')) : from;
    const get = async (key: never): Promise<unknown> => {
      try {
        const value = await store.get(key);
        counted.push(`${name} ${value === undefined ? 'miss' : 'hit'}`);
        return value;
      } catch (error) {
        counted.push(`${name} error`);
        throw error;
      }
    };
    return { get, set: (key: never, value: never) => store.set(key, value) } as typeof store;
  };
  return { clock, redis, counted, obs: { cache } };
}

test('a Redis that fails is counted, and is no error to who asks', async () => {
  const { redis, counted, obs, clock } = setUp();
  const cache = createCache<Value>(obs, { name: 'c', entries: 5, ttlMs: 1000, accepts, redis, clock });
  expect(await cache.get('q')).toBeUndefined();
  redis.failing = true;
  expect(await cache.get('q')).toBeUndefined();
  await cache.set('q', { text: 'kept here' });
  expect(await cache.get('q')).toEqual({ text: 'kept here' });
  expect(counted).toEqual(['c miss', 'c error', 'c hit']);
  expect(cache.degraded).toBe(true);
});

test('a peek is not counted, and tells that Redis failed', async () => {
  const { redis, counted, obs, clock } = setUp();
  const cache = createCache<Value>(obs, { name: 'c', entries: 5, ttlMs: 1000, accepts, redis, clock });
  expect(await cache.peek('q')).toBeUndefined();
  redis.failing = true;
  await expect(cache.peek('q')).rejects.toThrow();
  expect(counted).toEqual([]);
});

test('without Redis the process alone keeps, and nothing is degraded', async () => {
  const { counted, obs, clock } = setUp();
  const cache = createCache<Value>(obs, { name: 'c', entries: 1, ttlMs: 1000, accepts, clock });
  await cache.set('a', { text: '1' });
  await cache.set('b', { text: '2' });
  expect(await cache.get('a')).toBeUndefined();
  expect(await cache.get('b')).toEqual({ text: '2' });
  expect(counted).toEqual(['evicted', 'c miss', 'c hit']);
  expect(cache.degraded).toBe(false);
});

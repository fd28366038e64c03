import { describe, expect, test } from 'vitest';
import { createMemory } from './memory.ts';
import { createClock, createRedisDouble } from './testing.test-helper.ts';
import { createTiered, type Entry, keyOf } from './tiered.ts';

interface Value {
  readonly text: string;
}

const TTL_MS = 60_000;
const accepts = (value: unknown): value is Value => typeof (value as Value | null)?.text === 'string';

function setUp() {
  const clock = createClock();
  const redis = createRedisDouble(clock);
  const instance = () =>
    createTiered<Value>({
      name: 'search',
      ttlMs: TTL_MS,
      memory: createMemory<Entry<Value>>({ entries: 10, ttlMs: TTL_MS, clock, evicted: () => {} }),
      redis,
      clock,
      accepts,
    });
  return { clock, redis, one: instance(), other: instance() };
}

test('keys have a name space and a form, and do not tell the query', () => {
  const key = keyOf('search', 'Acme Rockets');
  expect(key).toMatch(/^fit-check:1:search:[\w-]{43}$/);
  expect(keyOf('analysis', 'Acme Rockets')).not.toBe(key);
});

describe('while Redis works', () => {
  test('what one instance keeps serves the other, with its time to live', async () => {
    const { redis, one, other } = setUp();
    await one.set('q', { text: 'found' });
    expect(redis.kept.get(keyOf('search', 'q'))).toEqual({ value: '{"text":"found"}', expiresAt: 1000 + TTL_MS });
    expect(await other.get('q')).toEqual({ text: 'found' });
    expect(other.degraded).toBe(false);
  });

  test('a fresh value is given without asking Redis; an older one is asked for again', async () => {
    const { clock, redis, one } = setUp();
    await one.set('q', { text: 'found' });
    await one.get('q');
    expect(redis.asked).toEqual(['set']);
    await clock.advance(10_000);
    expect(await one.get('q')).toEqual({ text: 'found' });
    expect(redis.asked).toEqual(['set', 'get']);
  });

  test('what Redis was told to forget is forgotten', async () => {
    const { clock, redis, one } = setUp();
    await one.set('q', { text: 'wrong' });
    redis.kept.clear();
    await clock.advance(10_000);
    expect(await one.get('q')).toBeUndefined();
    redis.failing = true;
    await expect(one.get('q')).rejects.toThrow();
  });

  test.each(['no json', '{"text":7}', 'null', '[]', `{"text":"${'x'.repeat(600_000)}"}`])(
    'garbage is a miss: %.20s',
    async (value) => {
      const { redis, one } = setUp();
      redis.kept.set(keyOf('search', 'q'), { value, expiresAt: Number.POSITIVE_INFINITY });
      expect(await one.get('q')).toBeUndefined();
    },
  );

  test('a value that is too large stays in the process', async () => {
    const { redis, one } = setUp();
    await one.set('q', { text: 'x'.repeat(600_000) });
    expect(redis.asked).toEqual([]);
    expect((await one.get('q'))?.text).toHaveLength(600_000);
  });
});

describe('while Redis fails', () => {
  test('a look-up fails, so that it is counted, unless the process has the value, however old', async () => {
    const { clock, redis, one } = setUp();
    await one.set('q', { text: 'found' });
    redis.failing = true;
    await clock.advance(TTL_MS - 1);
    expect(await one.get('q')).toEqual({ text: 'found' });
    expect(one.degraded).toBe(true);
    await expect(one.get('other')).rejects.toThrow();
    await clock.advance(2);
    await expect(one.get('q')).rejects.toThrow();
  });

  test('a value is kept in the process, and given to Redis once it is back', async () => {
    const { clock, redis, one, other } = setUp();
    redis.failing = true;
    await one.set('q', { text: 'found' });
    expect(one.degraded).toBe(true);
    redis.failing = false;
    await clock.advance(10_000);
    expect(await one.get('q')).toEqual({ text: 'found' });
    expect(one.degraded).toBe(false);
    expect(await other.get('q')).toEqual({ text: 'found' });
    expect(redis.kept.get(keyOf('search', 'q'))?.expiresAt).toBe(1000 + TTL_MS);
  });

  test('it is degraded for as long as Redis cannot be used, and no longer', async () => {
    const { redis, one } = setUp();
    expect(one.degraded).toBe(false);
    redis.available = false;
    await one.set('q', { text: 'found' });
    expect(one.degraded).toBe(true);
    redis.available = true;
    expect(one.degraded).toBe(false);
  });

  test('it is degraded where Redis takes nothing more, until it does', async () => {
    const { redis, one } = setUp();
    redis.failing = true;
    await one.set('q', { text: 'found' });
    redis.failing = false;
    await one.get('other');
    expect(one.degraded).toBe(true);
    await one.set('q', { text: 'found' });
    expect(one.degraded).toBe(false);
  });
});

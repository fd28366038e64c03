import { expect, test } from 'vitest';
import { createLock } from './lock.ts';
import { createClock, createRedisDouble, settled } from './testing.test-helper.ts';

function setUp() {
  const clock = createClock();
  const redis = createRedisDouble(clock);
  return { clock, redis, one: createLock({ redis, clock }), other: createLock({ redis, clock }) };
}

test('one holder at a time, renewed for as long as it holds', async () => {
  const { clock, one, other } = setUp();
  const held = await one.take('q');
  expect(await other.take('q')).toBeUndefined();
  await clock.advance(60_000);
  expect(await other.take('q')).toBeUndefined();
  held?.release();
  await settled();
  expect(await other.take('q')).toBeDefined();
});

test('it expires with a holder that is gone, renews no more, and what is late does not take it from the next', async () => {
  const { clock, redis, one, other } = setUp();
  const held = await one.take('q');
  redis.failing = true;
  await clock.advance(5001);
  redis.failing = false;
  const next = await other.take('q');
  expect(next).toBeDefined();
  held?.release();
  await settled();
  expect(await one.take('q')).toBeUndefined();
  next?.release();
});

test('a renewal that fails is tried again', async () => {
  const { clock, redis, one, other } = setUp();
  await one.take('q');
  redis.failing = true;
  await clock.advance(2000);
  redis.failing = false;
  await clock.advance(20_000);
  expect(await other.take('q')).toBeUndefined();
});

test('released, it leaves no timer', async () => {
  const { clock, one } = setUp();
  const held = await one.take('q');
  held?.release();
  held?.release();
  await settled();
  expect(clock.timers).toBe(0);
});

test('fails where Redis does', async () => {
  const { redis, one } = setUp();
  redis.failing = true;
  await expect(one.take('q')).rejects.toThrow();
});

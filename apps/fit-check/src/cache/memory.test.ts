import { expect, test } from 'vitest';
import { createMemory } from './memory.ts';
import { createClock } from './testing.test-helper.ts';

function setUp() {
  const clock = createClock();
  const told = { evicted: 0 };
  const memory = createMemory<{ text: string }>({ entries: 2, ttlMs: 100, clock, evicted: () => (told.evicted += 1) });
  return { clock, told, memory };
}

test('the least recently used goes first, and is counted', () => {
  const { memory, told } = setUp();
  memory.set('a', { text: '1' });
  memory.set('b', { text: '2' });
  memory.get('a');
  memory.set('c', { text: '3' });
  expect(['a', 'b', 'c'].map((key) => memory.get(key)?.text)).toEqual(['1', undefined, '3']);
  expect(told.evicted).toBe(1);
  expect(memory.size).toBe(2);
});

test('a value expires by the clock, which counts as no eviction', async () => {
  const { memory, clock, told } = setUp();
  memory.set('a', { text: '1' });
  await clock.advance(100);
  expect(memory.get('a')).toEqual({ text: '1' });
  await clock.advance(1);
  expect(memory.get('a')).toBeUndefined();
  expect(told.evicted).toBe(0);
});

test('large values are bounded together, whatever their number', () => {
  const { memory } = setUp();
  const large = 'x'.repeat(20 * 1024 * 1024);
  memory.set('a', { text: large });
  memory.set('b', { text: large });
  expect(memory.get('a')).toBeUndefined();
  expect(memory.get('b')?.text).toHaveLength(large.length);
  memory.set('c', { text: large + large });
  expect(memory.get('c')).toBeUndefined();
});

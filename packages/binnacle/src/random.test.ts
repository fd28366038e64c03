import { expect, test } from 'vitest';
import { drawIds, keptAlone, randomHex, randomUuid } from './random.ts';

test('digits are as many as asked for, over the end of a pool, and never the same', () => {
  const drawn = Array.from({ length: 4000 }, (_, i) => randomHex(8 + (i % 2) * 8));
  for (const [i, digits] of drawn.entries()) expect(digits).toMatch(i % 2 === 0 ? /^[0-9a-f]{16}$/ : /^[0-9a-f]{32}$/);
  expect(new Set(drawn).size).toBe(4000);
});

test('ids are the same as digits and as numbers, over the end of a pool, and never the same', () => {
  const drawn = Array.from({ length: 1500 }, drawIds);
  const bytesOf = (...numbers: number[]): string => {
    const bytes = Buffer.alloc(numbers.length * 4);
    for (const [i, number] of numbers.entries()) bytes.writeInt32BE(number, i * 4);
    return bytes.toString('hex');
  };
  for (const ids of drawn) {
    expect(ids.traceId).toBe(bytesOf(ids.trace0, ids.trace1, ids.trace2, ids.trace3));
    expect(ids.spanId).toBe(bytesOf(ids.span0, ids.span1));
  }
  expect(new Set(drawn.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).toBe(3000);
});

test('UUIDs are of version 4, over the end of a batch, and never the same', () => {
  const drawn = Array.from({ length: 1050 }, randomUuid);
  for (const uuid of drawn)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(drawn).size).toBe(1050);
  // Each digit that is left to chance takes each of its values.
  for (const at of [0, 9, 15, 20, 35]) expect(new Set(drawn.map((uuid) => uuid[at])).size).toBe(16);
});

test('a text that is kept alone is the same', () => {
  expect(keptAlone('00f067aa0ba902b7')).toBe('00f067aa0ba902b7');
});

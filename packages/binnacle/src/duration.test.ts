import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roundMs } from './duration.ts';

test.each([
  [0, 0.001],
  [-5, 0.001],
  [0.0004, 0.001],
  [0.0006, 0.001],
  [Number.NaN, 0.001],
  [Number.POSITIVE_INFINITY, 0.001],
  [1, 1],
  [450.1234, 450.123],
  [450.1236, 450.124],
  [600_000, 600_000],
])('roundMs(%d) is %d', (ms, expected) => {
  expect(roundMs(ms)).toBe(expected);
});

test('any duration is written above 0 with at most 3 decimals, within half a microsecond', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), (ms) => {
      const written = roundMs(ms);
      expect(written).toBeGreaterThan(0);
      expect(String(written)).toMatch(/^\d+(\.\d{1,3})?$/);
      expect(Math.abs(written - ms)).toBeLessThanOrEqual(0.000_501);
    }),
  );
});

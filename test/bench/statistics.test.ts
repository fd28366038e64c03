import { expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Statistics {
  median(values: readonly number[]): number;
  spread(values: readonly number[], digits?: number): string;
  ratios(ones: readonly (number | undefined)[], others: readonly (number | undefined)[]): number[];
  typicalDeviation(values: readonly number[]): number;
}
const { median, spread, ratios, typicalDeviation } = await loadBench<Statistics>('statistics.mjs');

test('the median is the middle one, or between the two in the middle, and none of nothing', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(median([])).toBeNaN();
});

test('a spread tells median, least and greatest', () => {
  expect(spread([3, 1, 2])).toBe('2.00 (1.00 to 3.00)');
  expect(spread([1234.5], 0)).toBe('1235 (1235 to 1235)');
  expect(spread([])).toBe('none');
});

test('ratios are taken within a round: one that either lacks has none', () => {
  expect(ratios([2, undefined, 9], [1, 5, 3])).toEqual([2, 3]);
  expect(ratios([2, 4], [1])).toEqual([2]);
});

test('the typical deviation is a share of the median, and one outlier does not move it', () => {
  expect(typicalDeviation([100, 110, 90])).toBeCloseTo(0.1);
  expect(typicalDeviation([100, 101, 99, 1000, 100])).toBeCloseTo(0.01);
});

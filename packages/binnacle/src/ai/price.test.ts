import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkPrices, costOf, createPriceOf, readPrices } from './price.ts';

const table = {
  as_of: '2026-11-01',
  models: {
    'm-1': { input: 2, output: 8, cached_input: 0.5 },
    'm-*': { input: 1, output: 1 },
    '*': { input: 3, output: 3 },
  },
};

test('the exact name wins, then the longest beginning; nothing is known without a table', () => {
  const priceOf = createPriceOf(table);
  expect(priceOf('', 'm-1')?.input).toBe(2);
  expect(priceOf('m-1-2026', 'm-1')?.input).toBe(1);
  expect(priceOf('other')?.input).toBe(3);
  expect(priceOf('')).toBeUndefined();
  expect(createPriceOf({ as_of: '2026-11-01', models: {} })('constructor', '__proto__')).toBeUndefined();
  expect(createPriceOf(undefined)('m-1')).toBeUndefined();
});

test('cached and reasoning tokens are parts, never added twice', () => {
  const price = { input: 2, output: 8, cached_input: 0.5, cache_write: 2.5 };
  expect(costOf(price, { inputTokens: 1e6, outputTokens: 1e6, reasoningTokens: 5e5 })).toBe(10);
  expect(costOf(price, { inputTokens: 1e6, outputTokens: 0, cachedInputTokens: 4e5 })).toBeCloseTo(1.4);
  expect(
    costOf(price, { inputTokens: 1e6, outputTokens: 0, cachedInputTokens: 4e5, cacheWriteTokens: 1e5 }),
  ).toBeCloseTo(1.45);
  expect(costOf({ input: 2, output: 8 }, { inputTokens: 1e6, outputTokens: 0, cachedInputTokens: 4e5 })).toBe(2);
});

test.each([
  [{}, /"as_of" must be a day/],
  [{ as_of: '2026-11-01' }, /"models"/],
  [{ as_of: '2026-11-01', models: { m: { input: '2', output: 1 } } }, /"m" must have/],
  [{ as_of: '2026-11-01', models: { m: { input: -2, output: 1 } } }, /"m" must have/],
  [null, /"as_of"/],
])('%j is no table', (given, why) => expect(() => checkPrices(given)).toThrow(why));

test('a file is read, or what is wrong with it is said', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prices-'));
  const path = join(folder, 'prices.json');
  writeFileSync(path, JSON.stringify(table));
  expect(readPrices(path)).toEqual(table);
  writeFileSync(path, '{');
  expect(() => readPrices(path)).toThrow('no JSON');
  expect(() => readPrices(join(folder, 'none.json'))).toThrow('ENOENT');
  rmSync(folder, { recursive: true });
});

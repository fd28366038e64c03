import { expect, test } from 'vitest';
import { backoffMs, isRetryableCode, isRetryableStatus, parseRetryAfter } from './retry.ts';

test.each([
  ['120', 120_000],
  ['0', 0],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 5000],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
  ['86400', 300_000],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After %j', (header, ms) => {
  expect(parseRetryAfter(header, Date.parse('Wed, 21 Oct 2026 07:27:55 GMT'))).toBe(ms);
});

test('pauses grow by half to 5 s, each a fifth more or less', () => {
  expect([0, 1, 2, 3, 4, 50].map((attempt) => Math.round(backoffMs(attempt, 0.5)))).toEqual([
    1000, 1500, 2250, 3375, 5000, 5000,
  ]);
  expect([backoffMs(0, 0), backoffMs(0, 1), backoffMs(1e9, 1)]).toEqual([800, 1200, 6000]);
});

test('what is tried again is what the specification says', () => {
  const statuses = [200, 301, 400, 401, 404, 408, 413, 429, 500, 501, 502, 503, 504, 505];
  expect(statuses.filter(isRetryableStatus)).toEqual([429, 502, 503, 504]);
  expect(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ERR_INVALID_CHAR', 'timeout'].filter(isRetryableCode)).toEqual([
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
  ]);
});

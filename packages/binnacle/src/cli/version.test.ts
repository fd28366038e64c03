import { expect, test } from 'vitest';
import { isAtLeast } from './version.ts';

test.each([
  ['5.11.0', '5.11.0', true],
  ['5.10.9', '5.11.0', false],
  ['5.9.0', '5.11.0', false],
  ['6.0.0', '5.11.0', true],
  ['4.99.99', '5.0.0', false],
  ['v20.20.2', '20.19.0', true],
  ['6.0.0-beta.1', '6.0.0', false],
  ['6.0.1-beta.1', '6.0.0', true],
  ['5.11.0+build.7', '5.11.0', true],
  ['unknown', '5.11.0', undefined],
  ['5', '5.11.0', undefined],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});

/** Where there is no Chromium, its tests say so; where they must run, they fail. */
import { afterEach, expect, it, vi } from 'vitest';
import { hasChromium, startChromium, WITHOUT_CHROMIUM } from './chromium.ts';

afterEach(() => vi.unstubAllEnvs());

it('without a Chromium tests are skipped, and fail where they must not be', () => {
  vi.stubEnv('PATH', '/nowhere');
  vi.stubEnv('REQUIRE_SERVERS', undefined);
  expect(hasChromium()).toBe(false);
  expect(WITHOUT_CHROMIUM).toMatch(/^skipped: .*apt-get install chromium/);
  vi.stubEnv('REQUIRE_SERVERS', '1');
  expect(() => hasChromium()).toThrow(/apt-get install chromium/);
  expect(() => startChromium()).toThrow(/not installed/);
});

/** The terminal's picture: what it is made of are real lines, and all of them can be read. */
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, LONGEST_MS, openTab, startChromium, WITHOUT_CHROMIUM } from './chromium.ts';
import { runScene, TERMINAL_WIDTH, terminalPage, textOf } from './terminal.ts';

const installed = hasChromium();
const named = installed ? 'the terminal' : `the terminal (${WITHOUT_CHROMIUM})`;

describe.skipIf(!installed)(named, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let lines: string[];
  beforeAll(async () => {
    [browser, lines] = await Promise.all([startChromium(), runScene()]);
  });
  afterAll(() => browser.close());

  it('has a start, a session with its phases and its closing line, and one whose model refuses', () => {
    const text = textOf(lines);
    for (const told of [
      /fit-check listens on http:\/\/127\.0\.0\.1:8000, pid \d+/,
      /Open: http:\/\/localhost:8000\//,
      /\[visit-1\] Request started {2}query_length=6/,
      /\[visit-1\] Phase started: verdict/,
      /\[visit-1\] Phase completed: verdict \(\d+\.\d\ds\)/,
      /INFO {2}fit-check {2}\[visit-1\] Request completed .*status=success/,
      /WARN {2}fit-check {2}\[visit-2\] Phase failed: verdict .*error_type=UpstreamError/,
      /ERROR fit-check {2}\[visit-2\] Request completed .*status=error/,
    ])
      expect(text).toMatch(told);
    expect(text).not.toContain(process.cwd());
    expect(text).toMatch(/^ +at .*file:\/\/\/app\/apps\/fit-check\/dist\//m);
  });

  it.each(['light', 'dark'] as const)(
    'shows each of them whole, in colours that can be read, in %s',
    async (colorScheme) => {
      const { page, close } = await openTab(browser, 'about:blank', {
        colorScheme,
        viewport: { width: TERMINAL_WIDTH, height: 800 },
        bypassCSP: true,
      });
      await page.setContent(terminalPage(lines));
      expect(await page.locator('pre').textContent()).toBe(textOf(lines));
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(TERMINAL_WIDTH);
      const colourOf = (name: string): Promise<string> =>
        page
          .locator(`.${name}`)
          .first()
          .evaluate((element) => getComputedStyle(element).color);
      const colours = await Promise.all(['faint', 'green', 'blue', 'red'].map(colourOf));
      expect(new Set(colours).size).toBe(4);
      await page.evaluate(axe.source);
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as { axe: typeof import('axe-core') };
        return (await axe.run(document, { runOnly: ['color-contrast'] })).violations.flatMap(({ nodes }) =>
          nodes.map(({ failureSummary }) => failureSummary),
        );
      });
      expect(violations).toEqual([]);
      await close();
    },
  );
});

/** How the page looks, in a real Chromium: to a screen reader's rules, on narrow and wide screens, in dark and light. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, LONGEST_MS, openTab, type Stage, startChromium, startStage, WITHOUT_CHROMIUM } from './stage.ts';
import { states } from './states.ts';
import { overflow, violations } from './views.ts';

const installed = hasChromium();
const names = states({ id: '', ai: '' }).map(({ name }) => name);

describe.skipIf(!installed)(
  installed ? 'the console' : `the console (${WITHOUT_CHROMIUM})`,
  { timeout: LONGEST_MS },
  () => {
    let browser: Browser;
    let stage: Stage;
    beforeAll(async () => {
      [browser, stage] = await Promise.all([startChromium(), startStage()]);
    });
    afterAll(async () => {
      await browser.close();
      await stage.close();
    });

    async function reach(
      name: string,
      width: number,
      colorScheme: 'light' | 'dark',
    ): Promise<{ page: Page; close(): Promise<void> }> {
      const state = states(stage.trace).find((one) => one.name === name)!;
      const tab = await openTab(browser, `${stage.feeder(state.feeding).url}${state.hash}`, {
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: 'reduce',
        // axe's own script is no part of the page.
        bypassCSP: true,
      });
      await state.reach(tab.page);
      return tab;
    }

    it.each(names)('%s: no rule of accessibility is broken, in light and dark, wide and narrow', async (name) => {
      const { page, close } = await reach(name, 1280, 'light');
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await violations(page), `${colorScheme}, ${width}`).toEqual([]);
        }
        expect(await overflow(page)).toEqual([]);
      }
      await close();
    });

    it.each(['live', 'traces', 'trace', 'logs', 'ai-call', 'metrics', 'health', 'telemetry', 'login'])(
      '%s is readable at 320 pixels, on the widest screen, and at twice the size of text',
      async (name) => {
        for (const width of [320, 1920]) {
          const { page, close } = await reach(name, width, 'light');
          expect(await overflow(page)).toEqual([]);
          await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
          await page.setViewportSize({ width: 1280, height: 800 });
          expect(await overflow(page)).toEqual([]);
          await close();
        }
      },
    );

    it('the switch of colours is remembered, and the system is followed where nothing was chosen', async () => {
      const { page, close } = await reach('live', 1280, 'dark');
      const ground = (): Promise<string> =>
        page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const dark = await ground();
      await page.getByRole('button', { name: 'Colours: as the system has them' }).click();
      const light = await ground();
      expect(light).not.toBe(dark);
      await page.reload();
      await page.getByRole('button', { name: 'Colours: light' }).waitFor();
      expect(await ground()).toBe(light);
      await page.getByRole('button', { name: 'Colours: light' }).click();
      await page.getByRole('button', { name: 'Colours: dark' }).click();
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await ground()).toBe(light);
      await close();
    });
  },
);

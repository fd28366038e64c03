/** The page by the keyboard alone. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  hasChromium,
  LONGEST_MS,
  openTab,
  type Stage,
  startChromium,
  startStage,
  type Tab,
  WITHOUT_CHROMIUM,
} from './stage.ts';
import { grid, pane, placeOf, ready, rowCount } from './views.ts';

const installed = hasChromium();

describe.skipIf(!installed)(
  installed ? 'the keyboard' : `the keyboard (${WITHOUT_CHROMIUM})`,
  { timeout: LONGEST_MS },
  () => {
    let browser: Browser;
    let stage: Stage;
    let tab: Tab;
    beforeAll(async () => {
      [browser, stage] = await Promise.all([startChromium(), startStage()]);
    });
    afterAll(async () => {
      await browser.close();
      await stage.close();
    });
    afterEach(async () => {
      expect(tab.troubles).toEqual([]);
      await tab.close();
    });

    async function open(hash: string): Promise<Page> {
      tab = await openTab(browser, `${stage.feeder('full').url}${hash}`);
      await ready(tab.page);
      return tab.page;
    }
    const press = async (page: Page, ...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = (page: Page): Promise<string> =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.tagName ?? '');
    /** The row that the focused list names as its own. */
    const active = (page: Page): Promise<string> =>
      page.evaluate(
        () =>
          document
            .getElementById(document.activeElement?.getAttribute('aria-activedescendant') ?? '')
            ?.getAttribute('aria-rowindex') ?? '',
      );

    it('g and a letter goes to each view', async () => {
      const page = await open('');
      for (const [key, view] of Object.entries({
        t: 'traces',
        o: 'logs',
        a: 'ai',
        m: 'metrics',
        h: 'health',
        e: 'telemetry',
        l: 'live',
      })) {
        await press(page, 'g', key);
        await expect.poll(() => placeOf(page).view).toBe(view);
      }
      await press(page, 'g', 'x');
      expect(placeOf(page).view).toBe('live');
    });

    it('j and k move, Enter opens, Esc closes, all the way to a log line and back', async () => {
      const page = await open('#/traces');
      await press(page, 'j');
      expect(await focused(page)).toMatch(/^Traces/);
      await press(page, 'j', 'j', 'k');
      await expect.poll(() => active(page)).toBe('3');
      await press(page, 'Enter');
      await grid(page, 'Spans of this trace').waitFor();
      await press(page, 'j', 'Enter');
      await pane(page, 'Span').waitFor();
      await press(page, 'Escape');
      await expect.poll(() => pane(page, 'Span').count()).toBe(0);
      await press(page, 'Escape');
      await expect.poll(() => placeOf(page).at.trace).toBeUndefined();
      expect(placeOf(page).view).toBe('traces');
    });

    it('arrows, Home, End and pages move within a list, and its row is told to a screen reader', async () => {
      const page = await open('#/logs?follow=0');
      await grid(page, 'Log lines').focus();
      await press(page, 'End');
      const last = String((await rowCount(page, 'Log lines')) + 1);
      await expect.poll(() => active(page)).toBe(last);
      await press(page, 'Home');
      await expect.poll(() => active(page)).toBe('2');
      await press(page, 'PageDown', 'ArrowDown', 'ArrowUp');
      await expect.poll(async () => Number(await active(page))).toBeGreaterThan(8);
      await press(page, 'Enter');
      await pane(page, 'Log line').waitFor();
      await press(page, 'Escape');
      await expect.poll(() => pane(page, 'Log line').count()).toBe(0);
    });

    it('folds and unfolds spans by the arrows', async () => {
      const page = await open(`#/traces?trace=${stage.trace.id}`);
      const all = await rowCount(page, 'Spans of this trace');
      await press(page, 'j', 'ArrowLeft');
      await expect.poll(() => rowCount(page, 'Spans of this trace')).toBe(1);
      await press(page, 'ArrowRight');
      await expect.poll(() => rowCount(page, 'Spans of this trace')).toBe(all);
    });

    it('/ searches, Esc leaves the field, and what is typed there is no shortcut', async () => {
      const page = await open('#/logs');
      await press(page, '/');
      expect(await focused(page)).toBe('Search log lines');
      await page.keyboard.type('g?jk/');
      await expect.poll(() => placeOf(page).at.q).toBe('g?jk/');
      expect(await page.getByRole('dialog').count()).toBe(0);
      await press(page, 'Escape');
      expect(await focused(page)).not.toBe('Search log lines');
    });

    it('? helps, keeps the focus, and gives it back', async () => {
      const page = await open('#/traces');
      await grid(page, 'Traces').focus();
      await press(page, '?');
      const help = page.getByRole('dialog', { name: 'Keyboard and search' });
      await help.waitFor();
      await press(page, 'j', 'g', 'o');
      expect(placeOf(page).view).toBe('traces');
      await press(page, 'Escape');
      await expect.poll(() => help.count()).toBe(0);
      expect(await focused(page)).toMatch(/^Traces/);
    });

    it('single keys can be switched off, and stay off', async () => {
      const page = await open('#/traces');
      await press(page, '?');
      await page.getByLabel('Single keys are shortcuts').uncheck();
      await press(page, 'Escape', 'g', 'o', '?');
      expect(placeOf(page).view).toBe('traces');
      expect(await page.getByRole('dialog').count()).toBe(0);
      await page.reload();
      await ready(page);
      await press(page, 'g', 'o');
      expect(placeOf(page).view).toBe('traces');
    });

    it('Tab reaches everything there is, in the order in which it is read, with a focus that is seen', async () => {
      const page = await open('#/metrics');
      await page.locator('.uplot canvas').waitFor();
      const seen: string[] = [];
      for (let at = 0; at < 60; at += 1) {
        await press(page, 'Tab');
        const where = await page.evaluate(() => {
          const { activeElement } = document;
          if (!(activeElement instanceof HTMLElement) || activeElement === document.body) return 'out';
          const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
          const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
          return `${isSeen ? '' : 'UNSEEN '}${activeElement.getAttribute('aria-label') ?? activeElement.textContent ?? activeElement.tagName}`;
        });
        if (where === 'out') break;
        seen.push(where);
      }
      expect(seen.filter((where) => where.startsWith('UNSEEN'))).toEqual([]);
      const places = ['Skip to the content', 'Telemetry', 'Help: keyboard and search', 'Search metrics', 'Metrics'].map(
        (name) => seen.findLastIndex((where) => where.startsWith(name)),
      );
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((one, other) => one - other));
    });

    it('the link at the very top skips to the content, and leaves the address alone', async () => {
      const page = await open('#/health');
      await press(page, 'Tab', 'Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
      expect(placeOf(page).view).toBe('health');
    });
  },
);

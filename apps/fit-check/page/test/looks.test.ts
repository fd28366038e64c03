/** How the page looks, in a real Chromium: to a screen reader's rules, on narrow and wide screens, in dark and light. */
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlmDouble, startLlm } from '../../test/llm-double.ts';
import { type Service, startService } from '../../test/service.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, WITHOUT_CHROMIUM } from './chromium.ts';
import { ask, notice, over, pastLinks, verdict } from './views.ts';

const installed = hasChromium();

const JOB = `Senior backend engineer\n\n${'We look for 5 years of TypeScript, PostgreSQL and Kubernetes. '.repeat(20)}\nNice to have: Rust.`;

describe.skipIf(!installed)(installed ? 'the page' : `the page (${WITHOUT_CHROMIUM})`, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let llm: LlmDouble;
  let embedded: Service;
  let held: Service;
  let failing: Service;
  beforeAll(async () => {
    [browser, llm, embedded] = await Promise.all([startChromium(), startLlm({ kind: 'hold' }), startService()]);
    held = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1' });
    failing = await startService({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', LLM_MODEL: 'none' });
  });
  afterAll(async () => {
    await browser.close();
    for (const each of [embedded, held, failing]) await each.stop();
    await llm.close();
  });

  const states: readonly (readonly [name: string, url: () => string, reach: (page: Page) => Promise<void>])[] = [
    ['empty', () => embedded.url, async () => {}],
    ['a question that is too short', () => embedded.url, async (page) => ask(page, 'x')],
    [
      'running',
      () => held.url,
      async (page) => {
        await ask(page, 'Watched while it runs');
        await verdict(page).getByText('A fit').waitFor();
      },
    ],
    [
      'finished, with a list of others',
      () => embedded.url,
      async (page) => {
        for (const query of ['Google', 'Head nurse', JOB]) {
          await ask(page, query);
          await over(page);
        }
        await page.getByText('The whole text').click();
        await verdict(page).locator('a.cite').first().click();
      },
    ],
    [
      'failed',
      () => failing.url,
      async (page) => {
        await ask(page, 'Nobody answers');
        await notice(page).waitFor();
      },
    ],
    ['a link to nothing', () => `${embedded.url}/?session=none`, async (page) => notice(page).waitFor()],
  ];

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it.each(states)('%s: no rule of accessibility is broken, on any width', async (_, url, reach) => {
      for (const width of [360, 1280]) {
        const tab = await openTab(browser, url(), {
          colorScheme,
          viewport: { width, height: 800 },
          reducedMotion: 'reduce',
          bypassCSP: true,
        });
        await reach(tab.page);
        const found = await violations(tab.page);
        expect(found).toEqual([]);
        expect(await overflow(tab.page)).toEqual([]);
        await tab.close();
      }
    });
  });

  it('is readable at 320 pixels, and at twice the size of text', async () => {
    const tab = await openTab(browser, embedded.url, { viewport: { width: 320, height: 700 } });
    await ask(tab.page, 'Google');
    await over(tab.page);
    expect(await overflow(tab.page)).toEqual([]);
    await tab.page.setViewportSize({ width: 1280, height: 800 });
    await tab.page.evaluate(() => document.documentElement.style.setProperty('font-size', '32px'));
    expect(await overflow(tab.page)).toEqual([]);
    await tab.close();
  });

  it('uses a wide screen: the list and the skills stand beside the verdict', async () => {
    const tab = await openTab(browser, embedded.url, { viewport: { width: 1440, height: 900 } });
    await ask(tab.page, 'Google');
    await over(tab.page);
    const boxOf = async (selector: string) => (await tab.page.locator(selector).first().boundingBox())!;
    const [text, skills, list] = [await boxOf('.verdict'), await boxOf('.column .card'), await boxOf('.past-box')];
    expect(skills.x).toBeGreaterThan(text.x + text.width);
    expect(list.x).toBeGreaterThan(skills.x + skills.width);
    await tab.page.setViewportSize({ width: 360, height: 740 });
    const narrow = [await boxOf('.verdict'), await boxOf('.column .card'), await boxOf('.past-box')];
    expect(new Set(narrow.map(({ x }) => Math.round(x / 16))).size).toBe(1);
    expect(await pastLinks(tab.page).count()).toBe(1);
    await tab.close();
  });
});

/** What axe-core finds, each with where it is. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    return (await axe.run(document, { resultTypes: ['violations'] })).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/** What stands out of the page to the right, so that one would have to scroll sideways. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .map((element) => `${element.tagName}.${element.className}`);
  });
}

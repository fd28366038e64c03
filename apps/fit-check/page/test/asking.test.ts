/** The page in a real Chromium: asked, watched, cancelled, read again. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LlmDouble, startLlm } from '../../test/llm-double.ts';
import { type Service, startService } from '../../test/service.ts';
import { until } from '../../test/until.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, type Tab, WITHOUT_CHROMIUM } from './chromium.ts';
import { type SearchDouble, startSearch } from './search-double.ts';
import { ask, cancel, field, notice, over, pastLinks, result, sessionOf, steps, submit, verdict } from './views.ts';

const installed = hasChromium();

describe.skipIf(!installed)(installed ? 'the page' : `the page (${WITHOUT_CHROMIUM})`, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let embedded: Service;
  let llm: LlmDouble;
  let search: SearchDouble;
  /** With a language model and a search that do as they are told. */
  let held: Service;
  let tab: Tab;
  beforeAll(async () => {
    [browser, embedded, llm, search] = await Promise.all([startChromium(), startService(), startLlm(), startSearch()]);
    held = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', SEARCH_URL: search.url });
  });
  beforeEach(() => {
    llm.behaviour = { kind: 'answer' };
  });
  afterEach(async () => {
    const { troubles, strays } = tab;
    await tab.close();
    expect(troubles).toEqual([]);
    expect(strays).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    for (const each of [embedded, held]) await each.stop();
    await Promise.all([llm.close(), search.close()]);
  });

  it('answers three different questions, each with its own score, evidence and address', async () => {
    tab = await openTab(browser, embedded.url);
    const { page } = tab;
    const job = 'Senior backend engineer: 5 years of TypeScript, PostgreSQL and Kubernetes. Nice to have: Rust.';
    const seen = new Map<string, string>();
    for (const query of ['Google', job, 'Head nurse: intensive care, wound care, medication']) {
      await ask(page, query);
      await over(page);
      expect(await result(page).getByRole('heading', { level: 2 }).textContent()).toBe(query);
      expect(await steps(page)).toEqual(Array(5).fill('done'));
      const stored = (await (await fetch(`${embedded.url}/api/fit-check/sessions/${sessionOf(page)}`)).json()) as {
        analysis: { verdict: string; query: string };
      };
      expect(stored.analysis.query).toBe(query);
      // Every word of it is there, without the marks of Markdown.
      const shown = ((await verdict(page).textContent()) ?? '').replaceAll(/[^\p{L}\p{N}]/gu, '');
      expect(shown).toBe(stored.analysis.verdict.replaceAll(/^[-*] /gm, '').replaceAll(/[^\p{L}\p{N}]/gu, ''));
      seen.set(sessionOf(page), shown);
    }
    expect(new Set(seen.values()).size).toBe(3);
    expect(await pastLinks(page).count()).toBe(3);
  });

  it('leads from each citation to what it rests on, and shows scores as bars', async () => {
    tab = await openTab(browser, embedded.url);
    const { page } = tab;
    await ask(page, 'Spotify');
    await over(page);
    const links = verdict(page).locator('a.cite');
    const count = await links.count();
    expect(count).toBeGreaterThan(4);
    for (let at = 0; at < count; at += 1) {
      const id = await links.nth(at).textContent();
      await links.nth(at).click();
      const target = page.locator('.source:target');
      expect(await target.locator('.source-id').textContent()).toBe(id);
      expect(await target.evaluate((element) => element === document.activeElement)).toBe(true);
    }
    // A jump is no other analysis: the way back leads through it.
    await page.goBack();
    expect(await result(page).getByRole('heading', { level: 2 }).textContent()).toBe('Spotify');
    const score = Number(await page.locator('.score-number').textContent());
    expect(score).toBeGreaterThan(0);
    const share = await page.locator('.score .bar').evaluate((bar) => {
      const [fill] = bar.children;
      return (fill as Element).getBoundingClientRect().width / bar.getBoundingClientRect().width;
    });
    expect(share * 100).toBeCloseTo(score, 0);
    expect(await page.locator('.match .bar').count()).toBe(await page.locator('.match').count());
    // The profile's entries by their names, not by their ids alone.
    expect(await page.locator('.source', { hasText: 'work:1' }).first().textContent()).toMatch(/work:1.{6,}/);
  });

  it('shows each step as it comes', async () => {
    search.held = true;
    llm.behaviour = { kind: 'hold' };
    tab = await openTab(browser, held.url);
    const { page } = tab;
    const status = page.getByRole('status');
    await ask(page, 'Acme, step by step');
    await page.locator('.step.running', { hasText: 'Research' }).waitFor();
    expect(await steps(page)).toEqual(['done', 'running', 'waiting', 'waiting', 'waiting']);
    expect(await status.textContent()).toBe('Researching what is asked for.');
    expect(await page.locator('.log').textContent()).toContain('Profile loaded');
    expect(await page.locator('.thoughts').first().textContent()).toContain('years of work');
    expect(await page.locator('.score').isVisible()).toBe(false);
    search.release();
    await page.locator('.step.running', { hasText: 'Verdict' }).waitFor();
    await verdict(page).getByText('A fit').waitFor();
    expect(await steps(page)).toEqual(['done', 'done', 'done', 'done', 'running']);
    expect(await page.locator('.score').isVisible()).toBe(true);
    expect(await page.locator('.match').count()).toBeGreaterThan(0);
    expect(await page.title()).toMatch(/^… Acme/);
    expect(await submit(page).getAttribute('aria-disabled')).toBe('true');
    llm.release();
    await over(page);
    expect(await steps(page)).toEqual(Array(5).fill('done'));
    await until('it is said', async () => (await status.textContent())?.startsWith('The verdict is ready: '));
    expect(await page.title()).toBe('Acme, step by step · fit-check');
    expect(await page.locator('.source', { hasText: 'web:1' }).getByRole('link').getAttribute('href')).toBe(
      'https://example.com/acme',
    );
  });

  it('lets the verdict grow word by word', async () => {
    const words = Array.from({ length: 30 }, (_, at) => `word${at} `);
    llm.behaviour = { kind: 'answer', chunks: words, paceMs: 20 };
    tab = await openTab(browser, held.url);
    const { page } = tab;
    await page.evaluate(() => {
      const seen = new Set<number>();
      (window as unknown as { seen: Set<number> }).seen = seen;
      new MutationObserver(() => seen.add(document.querySelector('.verdict .prose')?.textContent?.length ?? 0)).observe(
        document.body,
        {
          subtree: true,
          childList: true,
          characterData: true,
        },
      );
    });
    await ask(page, 'Word by word');
    await over(page);
    const lengths = await page.evaluate(() => [...(window as unknown as { seen: Set<number> }).seen]);
    expect(lengths.length).toBeGreaterThan(5);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect((await verdict(page).textContent())?.startsWith(words.join('').trim())).toBe(true);
  });

  it('cancels: the service stops, what was found stays, and the next question can be asked', async () => {
    llm.behaviour = { kind: 'hold' };
    tab = await openTab(browser, held.url);
    const { page } = tab;
    await ask(page, 'To be cancelled');
    await verdict(page).getByText('A fit').waitFor();
    await cancel(page).click();
    await over(page);
    expect(await notice(page).textContent()).toContain('Cancelled before it was done');
    expect(await steps(page)).toEqual(['done', 'done', 'done', 'done', 'stopped']);
    expect(await cancel(page).isVisible()).toBe(false);
    // The focus was on a button that is gone.
    expect(await submit(page).evaluate((button) => button === document.activeElement)).toBe(true);
    const id = sessionOf(page);
    await until('the service stopped it', async () => {
      const { status } = (await (await fetch(`${held.url}/api/fit-check/sessions/${id}`)).json()) as { status: string };
      return status === 'cancelled';
    });
    expect(await pastLinks(page).first().textContent()).toContain('cancelled');
    llm.behaviour = { kind: 'answer' };
    await notice(page).getByRole('button', { name: 'Ask again' }).click();
    await over(page);
    expect(await notice(page).count()).toBe(0);
    expect(sessionOf(page)).not.toBe(id);
  });

  it('is read again: by its link elsewhere, from the list, and by going back', async () => {
    tab = await openTab(browser, embedded.url);
    const { page } = tab;
    await ask(page, 'Siemens');
    await over(page);
    const link = page.url();
    const text = await verdict(page).textContent();
    await ask(page, 'Stripe');
    await over(page);
    await page.goBack();
    await page.getByRole('heading', { name: 'Siemens' }).waitFor();
    await over(page);
    expect(await verdict(page).textContent()).toBe(text);
    await pastLinks(page).filter({ hasText: 'Stripe' }).click();
    await page.getByRole('heading', { name: 'Stripe' }).waitFor();
    expect(
      await page
        .getByRole('heading', { level: 2, name: 'Stripe' })
        .evaluate((heading) => heading === document.activeElement),
    ).toBe(true);
    const other = await openTab(browser, link);
    await over(other.page);
    expect(await verdict(other.page).textContent()).toBe(text);
    expect(await result(other.page).getByRole('heading', { level: 2 }).textContent()).toBe('Siemens');
    expect(await pastLinks(other.page).count()).toBe(1);
    expect(other.troubles).toEqual([]);
    await other.close();
  });

  it('goes on in the background while another one is looked at', async () => {
    tab = await openTab(browser, held.url);
    const { page } = tab;
    await ask(page, 'The first of two');
    await over(page);
    llm.behaviour = { kind: 'hold' };
    await ask(page, 'The second of two');
    await verdict(page).getByText('A fit').waitFor();
    await pastLinks(page).filter({ hasText: 'first' }).click();
    await page.getByRole('heading', { level: 2, name: 'The first of two' }).waitFor();
    await over(page);
    llm.release();
    await until('the second is done', async () => (await cancel(page).isVisible()) === false);
    expect(await result(page).getByRole('heading', { level: 2 }).textContent()).toBe('The first of two');
    await pastLinks(page).filter({ hasText: 'second' }).click();
    await over(page);
    expect(await steps(page)).toEqual(Array(5).fill('done'));
  });

  it('forgets what it is told to, and keeps the rest over a reload', async () => {
    tab = await openTab(browser, embedded.url);
    const { page } = tab;
    for (const query of ['Airbus', 'Datadog']) {
      await ask(page, query);
      await over(page);
    }
    await page.getByRole('button', { name: 'Forget Airbus' }).focus();
    await page.keyboard.press('Enter');
    expect(await pastLinks(page).count()).toBe(1);
    expect(
      await pastLinks(page)
        .first()
        .evaluate((link) => link === document.activeElement),
    ).toBe(true);
    await page.reload();
    await over(page);
    expect(await pastLinks(page).allTextContents()).toEqual([expect.stringContaining('Datadog')]);
    await page.getByRole('button', { name: /^Clear/ }).click();
    expect(await page.getByRole('complementary').isVisible()).toBe(false);
    expect(await page.evaluate(() => localStorage.getItem('fit-check.history'))).toBe('[]');
  });

  it('works by keyboard alone', async () => {
    llm.behaviour = { kind: 'hold' };
    tab = await openTab(browser, held.url);
    const { page } = tab;
    const { keyboard } = page;
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        const at = document.activeElement;
        return (
          (at instanceof HTMLInputElement ? at.value : (at?.textContent ?? '')).trim().replaceAll(/\s+/g, ' ') ||
          (at?.id ?? '')
        );
      });
    const tabTo = async (name: string | RegExp): Promise<void> => {
      for (let presses = 0; presses < 80; presses += 1) {
        await keyboard.press('Tab');
        const now = await focused();
        if (typeof name === 'string' ? now === name : name.test(now)) return;
      }
      throw new Error(`no ${name} by tabbing; at last ${await focused()}`);
    };
    await keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await keyboard.press('Enter');
    await tabTo('query');
    await keyboard.type('By keyboard');
    await keyboard.press('Shift+Enter');
    await keyboard.type('in two lines');
    expect(await field(page).inputValue()).toBe('By keyboard\nin two lines');
    await keyboard.press('Enter');
    await verdict(page).getByText('A fit').waitFor();
    expect(await focused()).toBe('query');
    await tabTo('Cancel');
    await keyboard.press('Enter');
    await over(page);
    expect(await focused()).toBe('Check the fit');
    llm.behaviour = { kind: 'answer' };
    await tabTo('Ask again');
    await keyboard.press('Enter');
    await over(page);
    await tabTo('work:1');
    await keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('source-work:1');
    await tabTo('How it was found');
    // Whatever has the focus shows it.
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(outline).toBe('solid');
  });

  it('chooses its colours by the system, and by the switch, which is kept', async () => {
    tab = await openTab(browser, embedded.url, { colorScheme: 'dark' });
    const { page } = tab;
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.getByRole('radio', { name: 'Dark' }).check({ force: true });
    expect(await ground()).toBe(dark);
    await page.reload();
    expect(await ground()).toBe(dark);
    expect(await page.getByRole('radio', { name: 'Dark' }).isChecked()).toBe(true);
    await page.getByRole('radio', { name: 'Auto' }).check({ force: true });
    expect(await ground()).toBe(light);
  });
});

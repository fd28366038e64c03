/** What goes wrong, in a real Chromium: said kindly, and without harm. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LlmDouble, startLlm } from '../../test/llm-double.ts';
import { type Proxy as NetworkProxy, startProxy } from '../../test/servers/proxy.ts';
import { type Service, startService } from '../../test/service.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, type Tab, WITHOUT_CHROMIUM } from './chromium.ts';
import { type SearchDouble, startSearch } from './search-double.ts';
import { ask, cancel, field, notice, over, result, steps, submit, verdict } from './views.ts';

const installed = hasChromium();

/** What a browser itself says of answers that are no success, and of connections that broke. */
const ITS_OWN = /^Failed to load resource/;
const SCRIPTS = [
  '<script>document.title="harmed"</script>',
  '<img src=x onerror=document.title="harmed">',
  '[click](javascript:document.title="harmed")',
  '</textarea></div><iframe srcdoc="<script>parent.document.title=1</script>">',
  '"><svg onload=document.title="harmed">',
];
const ANSI = '\u001b[31mred\u001b[0m\u001b]0;harmed\u0007';

describe.skipIf(!installed)(
  installed ? 'the page in trouble' : `the page in trouble (${WITHOUT_CHROMIUM})`,
  { timeout: LONGEST_MS },
  () => {
    let browser: Browser;
    let llm: LlmDouble;
    let search: SearchDouble;
    let service: Service;
    let proxy: NetworkProxy;
    let far: string;
    let tab: Tab;
    beforeAll(async () => {
      [browser, llm, search] = await Promise.all([startChromium(), startLlm(), startSearch()]);
      service = await startService({
        OPENAI_BASE_URL: llm.url,
        LLM_MODEL: 'double-1',
        SEARCH_URL: search.url,
        MAX_SESSIONS: '1',
      });
      proxy = await startProxy(Number(new URL(service.url).port));
      far = `http://127.0.0.1:${proxy.port}`;
    });
    beforeEach(async () => {
      llm.behaviour = { kind: 'answer' };
      await proxy.set({ kind: 'pass' });
    });
    afterEach(async () => {
      const { troubles, strays } = tab;
      await tab.close();
      expect(troubles.filter((line) => !ITS_OWN.test(line))).toEqual([]);
      expect(strays).toEqual([]);
    });
    afterAll(async () => {
      await browser.close();
      await proxy.close();
      await service.stop();
      await Promise.all([llm.close(), search.close()]);
    });

    it('a question that is empty, too short or too long is not sent', async () => {
      tab = await openTab(browser, service.url);
      const { page } = tab;
      const error = page.locator('#query-error');
      for (const [query, words] of [
        ['', 'Name a company'],
        [' x ', 'at least 2 characters'],
        ['x'.repeat(20_007), '7 characters too long'],
      ] as const) {
        await ask(page, query);
        expect(await error.textContent()).toContain(words);
        expect(await field(page).getAttribute('aria-invalid')).toBe('true');
        expect(await field(page).evaluate((element) => element === document.activeElement)).toBe(true);
      }
      expect(await page.locator('#query-length').textContent()).toBe('20,007 of 20,000 characters');
      await field(page).fill('Google');
      expect(await error.isVisible()).toBe(false);
      expect(await field(page).getAttribute('aria-invalid')).toBeNull();
      expect(await result(page).count()).toBe(0);
      expect(new URL(page.url()).search).toBe('');
    });

    it('a service that is full says when to come again', async () => {
      llm.behaviour = { kind: 'hold' };
      tab = await openTab(browser, service.url);
      const { page } = tab;
      await ask(page, 'Takes the only place');
      await verdict(page).getByText('A fit').waitFor();
      const other = await openTab(browser, service.url);
      await ask(other.page, 'Comes too late');
      await over(other.page);
      const alert = other.page.getByRole('alert').filter({ hasText: 'busy' });
      expect(await alert.textContent()).toContain('try again in 5 seconds');
      expect(await alert.locator('code').textContent()).toMatch(/^[0-9a-f-]{36}$/);
      expect(await field(other.page).inputValue()).toBe('Comes too late');
      llm.release();
      await over(page);
      llm.behaviour = { kind: 'answer' };
      await alert.getByRole('button', { name: 'Ask again' }).click();
      await other.page.locator('.step.done', { hasText: 'Verdict' }).waitFor();
      expect(await notice(other.page).count()).toBe(0);
      await other.close();
    });

    it('a language model that fails leaves what was found before it', async () => {
      llm.behaviour = { kind: 'status', status: 401 };
      tab = await openTab(browser, service.url);
      const { page } = tab;
      await ask(page, 'Without a model');
      await over(page);
      expect(await notice(page).textContent()).toContain('The analyst cannot be reached');
      expect(await steps(page)).toEqual(['done', 'done', 'done', 'done', 'stopped']);
      expect(await page.locator('.match').count()).toBeGreaterThan(0);
    });

    it('a network that goes in mid-stream and comes back: what became of it is found out', async () => {
      llm.behaviour = { kind: 'hold' };
      tab = await openTab(browser, far);
      const { page } = tab;
      await ask(page, 'Cut off');
      await verdict(page).getByText('A fit').waitFor();
      await proxy.set({ kind: 'refused' });
      await page.locator('.now', { hasText: 'The connection broke' }).waitFor();
      expect(await page.getByRole('status').textContent()).toContain('connection broke');
      expect(await cancel(page).isVisible()).toBe(true);
      await proxy.set({ kind: 'pass' });
      await over(page);
      expect(await notice(page).textContent()).toContain('Cancelled before it was done');
      expect(await verdict(page).textContent()).toContain('A fit');
    });

    it('a stream that is cut although its session is done is shown whole', async () => {
      tab = await openTab(browser, far);
      const { page } = tab;
      // Its last quarter is lost on the way, when the service has written all of it.
      await ask(page, 'Learns its length');
      await over(page);
      const whole = await verdict(page).textContent();
      await page.evaluate(() => {
        const real = window.fetch;
        window.fetch = async (input, init) => {
          const response = await real(input, init);
          if (init?.method !== 'POST') return response;
          const bytes = new Uint8Array(await response.arrayBuffer());
          const cut = new ReadableStream({
            start(controller) {
              controller.enqueue(bytes.subarray(0, bytes.length * 0.6));
            },
            pull(controller) {
              controller.error(new TypeError('network error'));
            },
          });
          return new Response(cut, { status: response.status, headers: response.headers });
        };
      });
      await ask(page, 'Learns its length ');
      await over(page);
      expect(await notice(page).count()).toBe(0);
      expect(await verdict(page).textContent()).toBe(whole);
      expect(await steps(page)).toEqual(Array(5).fill('done'));
    });

    it('a service that is away from the start', async () => {
      tab = await openTab(browser, far);
      const { page } = tab;
      await proxy.set({ kind: 'refused' });
      await ask(page, 'Nobody there');
      await over(page);
      expect(await notice(page).textContent()).toContain('The service cannot be reached');
      await proxy.set({ kind: 'pass' });
      await notice(page).getByRole('button', { name: 'Ask again' }).click();
      await page.locator('.step.done', { hasText: 'Verdict' }).waitFor();
    });

    it.each(['none-of-this-name', '"><script>document.title="harmed"</script>', '../../etc/passwd', 'x'.repeat(200)])(
      'a link to nothing: %s',
      async (id) => {
        tab = await openTab(browser, `${service.url}/?session=${encodeURIComponent(id)}`);
        const { page } = tab;
        await over(page);
        expect(await notice(page).textContent()).toContain('There is no analysis here');
        expect(await page.title()).toBe('fit-check');
        await notice(page).getByRole('button', { name: 'Ask a question' }).click();
        expect(await field(page).evaluate((element) => element === document.activeElement)).toBe(true);
      },
    );

    it('a hostile answer, question and search do no harm', async () => {
      llm.behaviour = {
        kind: 'answer',
        chunks: [...SCRIPTS.map((text) => `${text}\n\n`), ANSI, ' [work:1] [web:1] [evil:"><b>]'],
      };
      search.results = SCRIPTS.map((text, at) => ({
        title: `${text}${ANSI}`,
        url: `javascript:alert(${at})`,
        content: `${text} TypeScript`,
      }));
      tab = await openTab(browser, service.url);
      const { page } = tab;
      const query = `${SCRIPTS.join('\n')}\n${ANSI}`;
      await ask(page, query);
      await over(page);
      expect(await page.title()).not.toBe('harmed');
      const { html, hrefs, text } = await result(page).evaluate((element) => ({
        html: [...element.querySelectorAll('script, iframe, img, style, object, embed, [onload], [onerror], [onclick]')]
          .length,
        hrefs: [...element.querySelectorAll('a')].map((link) => link.href),
        text: element.textContent ?? '',
      }));
      expect(html).toBe(0);
      for (const href of hrefs) expect(new URL(href).origin).toBe(service.url);
      for (const script of SCRIPTS) expect(text).toContain(script);
      expect(text).not.toMatch(new RegExp(String.fromCharCode(27)));
      // Of the coloured word the word stays, and of the title that it would set nothing does.
      expect(text).toContain('red');
      expect(text).not.toMatch(/\[31m|\]0;/);
      // The list and a reload treat it the same.
      await page.reload();
      await over(page);
      expect(await page.locator('.past-query').first().textContent()).toContain('<script>');
      expect(await page.evaluate(() => document.querySelectorAll('body script').length)).toBe(0);
    });

    it('a megabyte in one word and in a thousand paragraphs is borne, and bounded', async () => {
      search.results = [
        { title: 'x'.repeat(1_000_000), url: 'https://example.com/', content: 'TypeScript '.repeat(1000) },
      ];
      tab = await openTab(browser, service.url, { viewport: { width: 360, height: 740 } });
      const { page } = tab;
      for (const chunks of [
        Array(64).fill('x'.repeat(16_384)),
        Array(1024).fill(`${'**a** [work:1] '.repeat(68)}\n\n`),
      ]) {
        llm.behaviour = { kind: 'answer', chunks };
        await ask(page, `A megabyte of ${chunks.length}`);
        await page.locator('.step.done', { hasText: 'Verdict' }).waitFor();
        await over(page);
        expect((await verdict(page).textContent())?.length).toBeLessThan(110_000);
        expect(await verdict(page).textContent()).toMatch(/[\d,]+ more characters are left out here/);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        // It still answers to its reader.
        await field(page).fill('Alive');
        expect(await submit(page).getAttribute('aria-disabled')).toBe('false');
      }
    });

    it('storage that is off or full of nonsense does not keep it from working', async () => {
      tab = await openTab(browser, service.url);
      const { page, context } = tab;
      await page.evaluate(() => {
        localStorage.setItem('fit-check.history', '[{"id":"<b>"},7,{"length":1e9}');
        localStorage.setItem('fit-check.theme', '"><script>');
      });
      await page.reload();
      await ask(page, 'With nonsense on the shelf');
      await over(page);
      expect(await notice(page).count()).toBe(0);
      await context.addInitScript(() => {
        Object.defineProperty(window, 'localStorage', {
          get() {
            throw new DOMException('off', 'SecurityError');
          },
        });
      });
      await page.goto(service.url);
      await ask(page, 'Without a shelf');
      await over(page);
      expect(await notice(page).count()).toBe(0);
      expect(await page.locator('.past').count()).toBe(1);
    });
  },
);

/** Each view with traffic, and each link from one to the other, in a real Chromium under the strict policy. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveAt } from './sample.ts';
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
import { goTo, grid, pane, placeOf, ready, rowCount, rows, search } from './views.ts';

const installed = hasChromium();

describe.skipIf(!installed)(
  installed ? 'the console' : `the console (${WITHOUT_CHROMIUM})`,
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
      // Neither the policy nor a script had anything to complain of, and nothing came from elsewhere.
      expect(tab.troubles).toEqual([]);
      expect(tab.strays).toEqual([]);
      await tab.close();
    });

    async function open(hash: string): Promise<Page> {
      tab = await openTab(browser, `${stage.feeder('full').url}${hash}`);
      await ready(tab.page);
      return tab.page;
    }

    it('Live shows what runs, phase by phase, and what has just ended', async () => {
      const page = await open('');
      const running = page.locator('.running ul > li');
      await running.nth(7).waitFor();
      const first = running.first();
      expect(await first.getByRole('img').getAttribute('aria-label')).toMatch(
        /^Running for .*connecting 12 ms.*verdict running.*first byte after 4.2 ms/,
      );
      const width = (): Promise<number> =>
        first
          .locator('.live-phase.runs')
          .evaluate(
            (element) => element.getBoundingClientRect().width / element.parentElement!.getBoundingClientRect().width,
          );
      const before = await width();
      await expect.poll(width, { timeout: 10_000 }).not.toBe(before);
      stage
        .feeder('full')
        .send('live', { ...liveAt(Date.now()), requests: liveAt(Date.now()).requests.slice(0, 2), total: 2 });
      await expect.poll(() => running.count()).toBe(2);
      await page.locator('.ended-row').first().click();
      await grid(page, 'Spans of this trace').waitFor();
      expect(placeOf(page).at.trace).toMatch(/^[0-9a-f]{32}$/);
    });

    it('a request that still runs has its log lines, and says that its spans come', async () => {
      const page = await open('#/live');
      stage.feeder('full').send('live', liveAt(Date.now()));
      await page.locator('.running a').first().click();
      await page.getByText('This request is still running').waitFor();
    });

    it('Traces are listed, filtered, opened, and left again by Back', async () => {
      const page = await open('#/traces');
      const all = await rowCount(page, 'Traces');
      expect(all).toBe(stage.sample.requests.length);
      await page.getByRole('button', { name: 'Errors' }).click();
      expect(placeOf(page).at.q).toBe('status:error');
      await expect.poll(() => rowCount(page, 'Traces')).toBeLessThan(all);
      const errors = await rowCount(page, 'Traces');
      await search(page).fill('status:error route:/api/fit-check/sessions/*');
      await page.getByText('No trace fits this search').waitFor();
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await expect.poll(() => rowCount(page, 'Traces')).toBe(all);
      await page.goBack();
      await page.goBack();
      await expect.poll(() => placeOf(page).at.q ?? '').toMatch(/^(status:error)?$/);
      await page.goto(`${stage.feeder('full').url}#/traces?q=status%3Aerror`);
      await expect.poll(() => rowCount(page, 'Traces')).toBe(errors);
      await rows(page, 'Traces').first().click();
      await grid(page, 'Spans of this trace').waitFor();
      await page.goBack();
      await expect.poll(() => placeOf(page)).toEqual({ view: 'traces', at: { q: 'status:error' } });
    });

    it('a trace has its spans in order, with marks that differ, and its lines beside it', async () => {
      const page = await open(`#/traces?trace=${stage.trace.id}`);
      const spans = rows(page, 'Spans of this trace');
      expect(await spans.first().locator('.span-words').textContent()).toBe('POST /api/fit-check/stream');
      const kinds = await spans
        .locator('.c-name svg[role="img"]')
        .evaluateAll((marks) =>
          marks.map((mark) => `${mark.getAttribute('aria-label')}|${mark.firstElementChild?.getAttribute('d')}`),
        );
      const distinct = new Map(kinds.map((kind) => kind.split('|') as [string, string]));
      expect([...distinct.keys()].sort()).toEqual([
        'AI',
        'Breaker',
        'Cache',
        'Database',
        'HTTP client',
        'Phase',
        'Redis',
        'Request',
      ]);
      expect(new Set(distinct.values()).size).toBe(8);
      expect(await rowCount(page, 'Log lines of this trace')).toBe(
        stage.sample.requests.find(({ spans: [one] }) => one?.traceId === stage.trace.id)!.lines.length,
      );
      await spans.filter({ hasText: 'chat gpt' }).click();
      await pane(page, 'Span').getByText('gen_ai.request.model').waitFor();
      expect(placeOf(page).at.span).toBe(stage.trace.ai);
      // A copied address opens the same.
      const other = await openTab(browser, page.url());
      await pane(other.page, 'Span').getByText('gen_ai.request.model').waitFor();
      await other.close();
      await rows(page, 'Log lines of this trace').first().click();
      await pane(page, 'Log line').getByText('query_length').waitFor();
    });

    it('from the plot to an exemplar’s trace, to its lines, to the call of the model, and back', async () => {
      const page = await open('#/metrics');
      await page.locator('.uplot canvas').waitFor();
      const exemplar = page.locator('.exemplars a', { hasText: 'stream' }).first();
      await exemplar.click();
      await pane(page, 'Span').waitFor();
      const { trace } = placeOf(page).at;
      await pane(page, 'Span').getByRole('link', { name: 'Log lines of the trace' }).click();
      await expect.poll(() => placeOf(page)).toMatchObject({ view: 'logs', at: { q: `trace_id:${trace}` } });
      const first = rows(page, 'Log lines').filter({ hasText: 'Request started' });
      await first.click();
      await pane(page, 'Log line').getByRole('link', { name: 'Its trace' }).click();
      await rows(page, 'Spans of this trace').filter({ hasText: 'chat ' }).click();
      await pane(page, 'Span').getByRole('link', { name: 'As a call of a model' }).click();
      await pane(page, 'Call of a model').locator('.chunks-strip').waitFor();
      await pane(page, 'Call of a model').getByRole('link', { name: 'Durations of this model' }).click();
      await page.getByRole('heading', { name: 'gen_ai_client_operation_duration_seconds' }).waitFor();
      expect(placeOf(page).at.where).toMatch(/^gen_ai_request_model:/);
      await page.goBack();
      await pane(page, 'Call of a model').getByRole('link', { name: 'Its trace' }).click();
      await pane(page, 'Span').waitFor();
      expect(placeOf(page).at.trace).toBe(trace);
    });

    it('a click on the plot, on an exemplar or not, opens a trace', async () => {
      const page = await open('#/metrics');
      const over = page.locator('.u-over');
      const box = (await over.boundingBox())!;
      await over.click({ position: { x: box.width * 0.6, y: box.height * 0.5 } });
      await grid(page, 'Spans of this trace').waitFor();
      expect(placeOf(page).at.trace).toMatch(/^[0-9a-f]{32}$/);
    });

    it('Logs follow what comes, stand still when one scrolls up, and go on', async () => {
      const page = await open('#/logs');
      const list = grid(page, 'Log lines');
      await rows(page, 'Log lines').first().waitFor();
      const atEnd = (): Promise<boolean> =>
        list.evaluate((element) => element.scrollTop + element.clientHeight >= element.scrollHeight - 2);
      await expect.poll(atEnd).toBe(true);
      const say = (seq: number, message: string): void =>
        stage
          .feeder('full')
          .send('logs', [
            { seq, time: Date.now(), level: 'WARNING', logger: 'x', message, service: 'fit-check', fields: {} },
          ]);
      say(100_001, 'This has just come');
      await page.getByText('This has just come').waitFor();
      expect(await atEnd()).toBe(true);
      await list.hover();
      await page.mouse.wheel(0, -600);
      await expect.poll(() => placeOf(page).at.follow).toBe('0');
      const shown = await rows(page, 'Log lines').nth(8).textContent();
      say(100_002, 'And this after it');
      await expect.poll(async () => (await page.locator('.toolbar-figure').textContent()) ?? '').toMatch(/line/);
      expect(await rows(page, 'Log lines').nth(8).textContent()).toBe(shown);
      await page.getByRole('button', { name: 'Follow' }).click();
      await page.getByText('And this after it').waitFor();
    });

    it('Logs are narrowed by search, level and a field of a line', async () => {
      const page = await open('#/logs');
      const all = await rowCount(page, 'Log lines');
      await page.getByLabel('Level').selectOption('ERROR');
      await expect.poll(() => rowCount(page, 'Log lines')).toBeLessThan(all / 4);
      expect(placeOf(page).at.q).toBe('level:>=ERROR');
      await rows(page, 'Log lines').first().click();
      const line = pane(page, 'Log line');
      await line.locator('.field', { hasText: 'request_id' }).hover();
      await line.getByRole('button', { name: 'Only request_id of this value' }).click();
      await expect.poll(() => placeOf(page).at.q).toMatch(/^level:>=ERROR request_id:[0-9a-f-]{36}$/);
      await page.getByLabel('Level').selectOption('ALL');
      await expect.poll(() => placeOf(page).at.q).toMatch(/^request_id:/);
      expect(await rowCount(page, 'Log lines')).toBeGreaterThan(1);
      await line.getByRole('link', { name: 'Lines of the session' }).click();
      await expect.poll(() => placeOf(page).at.q).toMatch(/^session_id:s-/);
    });

    it('AI sums up by model and shows each call with its chunks', async () => {
      const page = await open('#/ai');
      const model = page.locator('.models tbody tr', { hasText: 'gpt-4.1-mini' });
      expect(await model.locator('td').nth(4).textContent()).toMatch(/^\$/);
      await model.getByRole('button').click();
      expect(placeOf(page).at.q).toBe('model:gpt-4.1-mini');
      await expect.poll(() => page.locator('.models tbody tr').count()).toBe(1);
      await rows(page, 'Calls').first().click();
      expect(await pane(page, 'Call of a model').locator('.chunks-strip').getAttribute('aria-label')).toMatch(
        /chunks from .* longest gap/,
      );
    });

    it('Metrics are read as rate, percentiles or value, by label, and as PromQL', async () => {
      const page = await open('#/metrics');
      expect(await page.locator('.legend li').count()).toBe(3);
      expect(await page.locator('.promql code').textContent()).toBe(
        'histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m])))',
      );
      await page.getByRole('combobox', { name: 'As', exact: true }).selectOption('rate');
      await page.getByRole('combobox', { name: 'By', exact: true }).selectOption('http_route');
      await page.locator('.legend li', { hasText: '/api/fit-check/stream' }).waitFor();
      expect(await page.locator('.promql code').textContent()).toBe(
        'sum by (http_route) (rate(http_server_request_duration_seconds_count[5m]))',
      );
      await page.getByRole('textbox', { name: 'Where', exact: true }).fill('http_response_status_code:404');
      await page.getByRole('textbox', { name: 'Where', exact: true }).press('Enter');
      await expect
        .poll(() => page.locator('.promql code').textContent())
        .toContain('{http_response_status_code="404"}');
      await page.getByRole('button', { name: '1h' }).click();
      expect(placeOf(page).at).toMatchObject({
        reading: 'rate',
        by: 'http_route',
        where: 'http_response_status_code:404',
        range: '1h',
      });
      await search(page).fill('breaker_state');
      await expect.poll(() => rowCount(page, 'Metrics')).toBe(1);
      await rows(page, 'Metrics').first().click();
      await page.locator('.legend li', { hasText: 'service="llm"' }).waitFor();
      expect(await page.locator('.promql code').textContent()).toBe('fit_check_circuit_breaker_state');
    });

    it('Health has checks with their history, breakers with their transitions, and the system', async () => {
      const page = await open('#/health');
      const llm = page.locator('.check-row', { hasText: 'llm' });
      expect(await llm.locator('.strip').getAttribute('aria-label')).toMatch(/40 reports seen, 6 not healthy/);
      expect(await page.locator('.check-row', { hasText: 'search' }).textContent()).toContain('ECONNREFUSED');
      expect(await page.locator('.transitions li').allTextContents()).toEqual([
        expect.stringMatching(/llmhalf open → closed/),
        expect.stringMatching(/llmopen → half open/),
        expect.stringMatching(/llmclosed → open/),
      ]);
      await page.locator('.breakers a', { hasText: 'llm' }).click();
      await page.getByRole('heading', { name: 'fit_check_circuit_breaker_state' }).waitFor();
      await page.goBack();
      await page.locator('.stat', { hasText: 'Memory' }).click();
      await page.getByRole('heading', { name: 'system_memory_usage_bytes' }).waitFor();
    });

    it('Telemetry says what arrives, what is dropped and who takes most', async () => {
      const page = await open('#/telemetry');
      expect(await page.locator('.card', { hasText: 'Exporter' }).textContent()).toContain(
        'http://collector:4318/v1/traces',
      );
      expect(await page.locator('.budgets li', { hasText: 'db_client' }).textContent()).toContain(
        '300 of 300 · 41 folded',
      );
      expect(await page.locator('.held tbody tr').nth(1).textContent()).toContain('18,233');
      stage.feeder('full').send('skipped', { signal: 'logs', count: 12 });
      await expect.poll(() => page.locator('.held tbody tr').nth(1).locator('td').last().textContent()).toBe('12');
      await page.locator('.budgets a', { hasText: 'http_server' }).click();
      await page.getByRole('heading', { name: 'http_server_request_duration_seconds' }).waitFor();
    });

    it('every view is reached by the navigation, and says its name', async () => {
      const page = await open('');
      for (const view of ['Traces', 'Logs', 'AI', 'Metrics', 'Health', 'Telemetry', 'Live']) {
        await goTo(page, view);
        expect(await page.title()).toBe(`${view} · Binnacle`);
      }
    });
  },
);

/** Every view in every state, for looks and pictures. */
import type { Page } from 'playwright-core';
import { pane, rows, search } from './views.ts';

export type Feeding = 'full' | 'empty' | 'standalone' | 'token' | 'gone' | 'refused';

export interface State {
  readonly name: string;
  readonly feeding: Feeding;
  readonly hash: string;
  readonly reach: (page: Page) => Promise<void>;
}

const VIEWS = ['live', 'traces', 'logs', 'ai', 'metrics', 'health', 'telemetry'] as const;

/** @param trace an id and a span of it that calls a model */
export function states(trace: { readonly id: string; readonly ai: string }): State[] {
  const full: State[] = [
    { name: 'live', feeding: 'full', hash: '#/live', reach: (page) => page.locator('.live-phase').first().waitFor() },
    { name: 'traces', feeding: 'full', hash: '#/traces', reach: (page) => rows(page, 'Traces').nth(5).waitFor() },
    {
      name: 'trace',
      feeding: 'full',
      hash: `#/traces?trace=${trace.id}&span=${trace.ai}`,
      reach: async (page) => {
        await pane(page, 'Span').waitFor();
        await page.locator('.bar').nth(4).waitFor({ state: 'attached' });
      },
    },
    {
      name: 'trace-lines',
      feeding: 'full',
      hash: `#/traces?trace=${trace.id}`,
      reach: (page) => page.locator('.bar').nth(4).waitFor({ state: 'attached' }),
    },
    { name: 'logs', feeding: 'full', hash: '#/logs', reach: (page) => rows(page, 'Log lines').nth(5).waitFor() },
    {
      name: 'log-line',
      feeding: 'full',
      hash: '#/logs?q=level%3A%3E%3DERROR&follow=0',
      reach: async (page) => {
        await rows(page, 'Log lines').first().click();
        await pane(page, 'Log line').waitFor();
      },
    },
    { name: 'ai', feeding: 'full', hash: '#/ai', reach: (page) => rows(page, 'Calls').nth(3).waitFor() },
    {
      name: 'ai-call',
      feeding: 'full',
      hash: `#/ai?trace=${trace.id}&span=${trace.ai}`,
      reach: (page) => pane(page, 'Call of a model').locator('.chunks-strip').waitFor(),
    },
    { name: 'metrics', feeding: 'full', hash: '#/metrics', reach: (page) => page.locator('.uplot canvas').waitFor() },
    {
      name: 'metrics-by',
      feeding: 'full',
      hash: '#/metrics?metric=gen_ai_client_operation_duration_seconds&reading=p95&by=gen_ai_request_model',
      reach: (page) => page.locator('.legend li', { hasText: 'gpt' }).waitFor(),
    },
    {
      name: 'health',
      feeding: 'full',
      hash: '#/health',
      reach: (page) => page.locator('.strip-cell').first().waitFor(),
    },
    {
      name: 'telemetry',
      feeding: 'full',
      hash: '#/telemetry',
      reach: (page) => page.locator('.meter').first().waitFor(),
    },
    {
      name: 'help',
      feeding: 'full',
      hash: '#/live',
      reach: async (page) => {
        await page.getByRole('button', { name: /^Help/ }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'no-match',
      feeding: 'full',
      hash: '#/logs',
      reach: async (page) => {
        await search(page).fill('nothing has this in it');
        await page.getByText('No line fits this search').waitFor();
      },
    },
    {
      name: 'no-trace',
      feeding: 'full',
      hash: '#/traces?trace=none',
      reach: (page) => page.getByText('This trace is not here').waitFor(),
    },
  ];
  const empty = VIEWS.map(
    (view): State => ({
      name: `${view}-empty`,
      feeding: 'empty',
      hash: `#/${view}`,
      reach: (page) => page.locator('.empty, .card-empty').first().waitFor(),
    }),
  );
  const others: State[] = [
    {
      name: 'live-standalone',
      feeding: 'standalone',
      hash: '#/live',
      reach: (page) => page.locator('.card-empty').first().waitFor(),
    },
    {
      name: 'telemetry-standalone',
      feeding: 'standalone',
      hash: '#/telemetry',
      reach: (page) => page.getByText('Spans received').waitFor(),
    },
    { name: 'login', feeding: 'token', hash: '#/live', reach: (page) => page.getByLabel('Token').waitFor() },
    {
      name: 'login-wrong',
      feeding: 'token',
      hash: '#/live',
      reach: async (page) => {
        await page.getByLabel('Token').fill('not this one');
        await page.getByRole('button', { name: 'Open the console' }).click();
        await page.getByText('That is not the token.').waitFor();
      },
    },
    {
      name: 'reconnecting',
      feeding: 'gone',
      hash: '#/traces',
      reach: (page) => page.getByText('The service does not answer').waitFor(),
    },
    {
      name: 'refused',
      feeding: 'refused',
      hash: '#/live',
      reach: (page) => page.getByText('There is no console here').waitFor(),
    },
  ];
  return [...full, ...empty, ...others];
}

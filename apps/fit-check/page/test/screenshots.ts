/** `npm run screenshots`: draws docs/images/page-*.png and terminal-*.png anew, from the service as it runs. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startLlm } from '../../test/llm-double.ts';
import { startService } from '../../test/service.ts';
import { openTab, startChromium } from './chromium.ts';
import { drawTerminal } from './terminal.ts';
import { ask, notice, over, verdict } from './views.ts';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/images/', import.meta.url));
const WIDE = { width: 1280, height: 860 };
const TALL = { width: 1280, height: 1180 };
const NARROW = { width: 360, height: 740 };
const NARROW_TALL = { width: 360, height: 1900 };
/** A moment for what would else change with each run. */
const NOW = new Date('2026-11-26T09:30:00Z');
const JOB = `Senior backend engineer, payments

We look for somebody with 5 years of TypeScript and Node.js who has run PostgreSQL and Kubernetes in production.
You will own two services end to end, from design to on-call.

Must have: TypeScript, PostgreSQL, Kubernetes, observability.
Nice to have: Rust, Terraform, Kafka.`;

interface Shot {
  readonly name: string;
  readonly url: string;
  readonly reach: (page: Page) => Promise<void>;
  readonly size?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
}

async function draw(browser: Browser, { name, url, reach, size = WIDE, colorScheme = 'light' }: Shot): Promise<void> {
  const tab = await openTab(browser, 'about:blank', {
    viewport: size,
    colorScheme,
    reducedMotion: 'reduce',
    deviceScaleFactor: 1,
  });
  await tab.page.clock.setFixedTime(NOW);
  await steadyFigures(tab.page);
  await tab.page.goto(url);
  await reach(tab.page);
  await tab.page.evaluate(() =>
    document.activeElement instanceof HTMLElement ? document.activeElement.blur() : undefined,
  );
  await tab.page.mouse.move(0, 0);
  await tab.page.screenshot({ path: join(FOLDER, `page-${name}.png`), animations: 'disabled' });
  await tab.close();
}

/** Durations and ids, which no two runs have in common. */
async function steadyFigures(page: Page): Promise<void> {
  await page.addInitScript(() => {
    let id = 0;
    crypto.getRandomValues = (array) => {
      id += 1;
      if (array instanceof Uint8Array) array.fill(0x40 + id);
      return array;
    };
    const { get } = Headers.prototype;
    Headers.prototype.get = function (name) {
      return name === 'x-request-id' ? '1f0c2a64-5b1e-4a57-9d0e-6f2b8c7d3e10' : get.call(this, name);
    };
    const { parse } = JSON;
    JSON.parse = (text: string, reviver?: Parameters<typeof parse>[1]) => {
      const value: unknown = parse(text, reviver);
      if (typeof value === 'object' && value !== null) {
        if ('duration_ms' in value && typeof value.duration_ms === 'number')
          value.duration_ms = 'phase' in value ? 120 : 1840;
        if ('created_at' in value) value.created_at = '2026-11-26T09:30:00Z';
      }
      return value;
    };
  });
}

const [browser, llm, embedded] = await Promise.all([startChromium(), startLlm({ kind: 'hold' }), startService()]);
const [held, failing] = await Promise.all([
  startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1' }),
  startService({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', LLM_MODEL: 'none' }),
]);

const finish = async (page: Page): Promise<void> => {
  for (const query of ['Spotify', 'Head nurse, intensive care', JOB, 'Google']) {
    await ask(page, query);
    await over(page);
  }
};
const run = async (page: Page): Promise<void> => {
  await ask(page, 'Senior platform engineer: Kubernetes, Terraform, Go');
  await verdict(page).getByText('A fit').waitFor();
};
const fail = async (page: Page): Promise<void> => {
  await ask(page, 'Google');
  await notice(page).waitFor();
};
const paste = async (page: Page): Promise<void> => {
  await ask(page, JOB);
  await over(page);
};

const shots: readonly Shot[] = (['light', 'dark'] as const).flatMap((colorScheme) => [
  { name: `empty-${colorScheme}`, url: embedded.url, reach: async () => {}, colorScheme },
  { name: `running-${colorScheme}`, url: held.url, reach: run, colorScheme },
  { name: `finished-${colorScheme}`, url: embedded.url, reach: finish, colorScheme, size: TALL },
  { name: `error-${colorScheme}`, url: failing.url, reach: fail, colorScheme },
]);
const narrow: readonly Shot[] = [
  { name: 'narrow-empty', url: embedded.url, reach: async () => {}, size: NARROW },
  { name: 'narrow-running', url: held.url, reach: run, size: NARROW_TALL },
  { name: 'narrow-finished', url: embedded.url, reach: paste, size: NARROW_TALL, colorScheme: 'dark' },
  {
    name: 'narrow-not-found',
    url: `${embedded.url}/?session=none`,
    reach: async (page) => notice(page).waitFor(),
    size: NARROW,
  },
];

try {
  mkdirSync(FOLDER, { recursive: true });
  for (const shot of [...shots, ...narrow]) await draw(browser, shot);
  await drawTerminal(browser, FOLDER);
} finally {
  await browser.close();
  for (const each of [embedded, held, failing]) await each.stop();
  await llm.close();
}

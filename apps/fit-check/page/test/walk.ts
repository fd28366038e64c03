/**
 * `npm run walk:page`: a stranger's walk. Starts the service as `npm start` does, opens its page in a Chromium, asks three
 * different things, cancels one, and reads one again by its id. Says each step, and ends with status 1 where one fails.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { freePort } from '../../test/ports.ts';
import { type Proxy as NetworkProxy, startProxy } from '../../test/servers/proxy.ts';
import { openTab, startChromium } from './chromium.ts';
import { ask, cancel, notice, over, result, sessionOf, verdict } from './views.ts';

const START = fileURLToPath(new URL('../../../../scripts/start.mjs', import.meta.url));
const LONGEST_START_MS = 300_000;

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`It does not hold: ${what}`);
  say(`  ok  ${what}`);
}

/** Resolves with the address that the service itself tells a newcomer to open. */
function startAsNewcomer(
  folder: string,
  env: Record<string, string>,
): Promise<{ url: string; stop(): Promise<unknown> }> {
  const child = spawn(process.execPath, [START], {
    cwd: folder,
    env: { ...process.env, LOG_FORMAT: 'text', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('The service did not say where to look')), LONGEST_START_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /Open: (http\S+)/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve({
        url,
        stop: () => {
          child.kill('SIGTERM');
          return ended;
        },
      });
    });
    void ended.then((status) => reject(new Error(`The service ended with ${String(status)}`)));
  });
}

async function walk(page: Page, url: string, proxy: NetworkProxy): Promise<void> {
  const questions = ['Google', 'Senior data engineer: Python, Kafka, Airflow and dbt', 'Pastry chef in Vienna'];
  const verdicts = new Map<string, string>();
  for (const question of questions) {
    await ask(page, question);
    await over(page);
    const heading = result(page).getByRole('heading', { level: 2 });
    check(
      `“${question}” is answered`,
      (await heading.textContent()) === question && (await notice(page).count()) === 0,
    );
    verdicts.set(sessionOf(page), (await verdict(page).textContent()) ?? '');
  }
  check('the three answers differ', verdicts.size === 3 && new Set(verdicts.values()).size === 3);

  // A line so slow that there is time to think better of it.
  await proxy.set({ kind: 'slow', bytesPerSecond: 1500 });
  await ask(page, 'Spotify');
  await page.locator('.step.done').first().waitFor();
  await cancel(page).click();
  await over(page);
  check('a running one is cancelled', ((await notice(page).textContent()) ?? '').includes('Cancelled'));
  await proxy.set({ kind: 'pass' });

  const [id, text] = [...verdicts][1] ?? ['', ''];
  await page.goto(`${url}/?session=${id}`);
  await over(page);
  check('one is read again by its id', (await verdict(page).textContent()) === text);
}

const folder = mkdtempSync(join(tmpdir(), 'fit-check-walk-'));
const env = { PORT: String(await freePort()), DATABASE_URL: `file:${join(folder, 'walk.db')}` };
try {
  const service = await startAsNewcomer(folder, env);
  const proxy = await startProxy(Number(env.PORT));
  const browser = await startChromium();
  try {
    say(`The service runs; it says to open ${service.url}`);
    const url = `http://127.0.0.1:${proxy.port}`;
    const { page, troubles, strays } = await openTab(browser, url);
    await walk(page, url, proxy);
    check('the browser had nothing to complain about', troubles.length === 0);
    check('nothing was loaded from elsewhere', strays.length === 0);
  } finally {
    await browser.close();
    await proxy.close();
    await service.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

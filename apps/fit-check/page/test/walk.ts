/**
 * `npm run walk:page`: a stranger's walk. Clones the repository as it is committed, runs `npm start` in the clone, opens the
 * page that this tells of in a Chromium, asks three different things, cancels one, and reads one again by its id. Says each
 * step, keeps a picture of each in `.cache/walk`, and ends with status 1 where one fails. `--here` walks in this tree, which
 * need not be committed, and installs nothing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PICTURES = join(ROOT, '.cache', 'walk');
/** With all that `npm start` installs and builds. */
const LONGEST_START_MS = 600_000;

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`It does not hold: ${what}`);
  say(`  ok  ${what}`);
}

/** What a stranger has after `git clone`: what is committed, and nothing that was installed or built. */
function clone(folder: string): string {
  const tree = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, tree], { stdio: 'inherit' });
  const commit = execFileSync('git', ['log', '-1', '--format=%h %s'], { cwd: tree, encoding: 'utf8' });
  say(`Cloned: ${commit.trim()}`);
  const left = execFileSync('git', ['status', '--porcelain', '--ignored'], { cwd: tree, encoding: 'utf8' });
  check('the clone holds what is committed, and nothing else', left === '');
  return tree;
}

interface Started {
  /** Where it tells a newcomer to look. */
  readonly url: string;
  /** Ends the service, by the pid that it tells; resolves with the status of `npm start`. */
  stop(): Promise<unknown>;
}

/** Runs `npm start`, and waits for what it tells. Of the variables of whoever runs this it gets those that npm needs. */
function startAsNewcomer(tree: string, env: Record<string, string>): Promise<Started> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(PATH|HOME|LANG|TMPDIR|npm_config_(?!prefix).*)$/i.test(name),
  );
  const child = spawn('npm', ['start'], {
    cwd: tree,
    env: { ...Object.fromEntries(kept), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve(status ?? signal)));
  return new Promise((resolve, reject) => {
    let pid: number | undefined;
    const late = setTimeout(() => reject(new Error('The service did not say where to look')), LONGEST_START_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      pid ??= Number(/pid (\d+)/.exec(line)?.[1]) || undefined;
      const url = /Open: (http\S+)/.exec(line)?.[1];
      if (url === undefined || pid === undefined) return;
      clearTimeout(late);
      const service = pid;
      resolve({
        url,
        stop: () => {
          process.kill(service, 'SIGTERM');
          return ended;
        },
      });
    });
    void ended.then((status) => {
      clearTimeout(late);
      reject(new Error(`npm start ended with ${String(status)}`));
    });
  });
}

let pictures = 0;
/** Keeps what the stranger sees now. */
async function picture(page: Page, name: string): Promise<void> {
  pictures += 1;
  await page.screenshot({ path: join(PICTURES, `${pictures}-${name}.png`), fullPage: true });
}

async function walk(page: Page, url: string, proxy: NetworkProxy): Promise<void> {
  const questions = ['Google', 'Senior data engineer: Python, Kafka, Airflow and dbt', 'Pastry chef in Vienna'];
  const verdicts = new Map<string, string>();
  await picture(page, 'opened');
  for (const [at, question] of questions.entries()) {
    await ask(page, question);
    await over(page);
    const heading = result(page).getByRole('heading', { level: 2 });
    check(
      `“${question}” is answered`,
      (await heading.textContent()) === question && (await notice(page).count()) === 0,
    );
    verdicts.set(sessionOf(page), (await verdict(page).textContent()) ?? '');
    await picture(page, `answer-${at + 1}`);
  }
  check('the three answers differ', verdicts.size === 3 && new Set(verdicts.values()).size === 3);

  // A line so slow that there is time to think better of it.
  await proxy.set({ kind: 'slow', bytesPerSecond: 1500 });
  await ask(page, 'Spotify');
  await page.locator('.step.done').first().waitFor();
  await cancel(page).click();
  await over(page);
  check('a running one is cancelled', ((await notice(page).textContent()) ?? '').includes('Cancelled'));
  await picture(page, 'cancelled');
  await proxy.set({ kind: 'pass' });

  const [id, text] = [...verdicts][1] ?? ['', ''];
  await page.goto(`${url}/?session=${id}`);
  await over(page);
  check('one is read again by its id', text !== '' && (await verdict(page).textContent()) === text);
  await picture(page, 'read-again');
}

/** From the service's start to its end. */
async function visit(tree: string, env: Record<string, string>): Promise<void> {
  const service = await startAsNewcomer(tree, env);
  const proxy = await startProxy(Number(env.PORT));
  const browser = await startChromium();
  let status: unknown;
  try {
    say(`\`npm start\` says to open ${service.url}`);
    check('that is the port that was asked for', new URL(service.url).port === env.PORT);
    const url = `http://127.0.0.1:${proxy.port}`;
    const { page, troubles, strays } = await openTab(browser, url);
    await walk(page, url, proxy);
    check(
      `the browser had nothing to complain about${troubles.map((line) => `\n${line}`).join('')}`,
      troubles.length === 0,
    );
    check('nothing was loaded from elsewhere', strays.length === 0);
  } finally {
    await browser.close();
    await proxy.close();
    status = await service.stop();
  }
  check('it ends at SIGTERM with status 0', status === 0);
}

const here = process.argv.includes('--here');
const folder = mkdtempSync(join(tmpdir(), 'fit-check-walk-'));
try {
  rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  const port = String(await freePort());
  // The clone keeps its sessions within itself, as a stranger's does.
  if (here) await visit(ROOT, { PORT: port, DATABASE_URL: `file:${join(folder, 'walk.db')}` });
  else await visit(clone(folder), { PORT: port });
  say(`Pictures: .cache/walk (${pictures})`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

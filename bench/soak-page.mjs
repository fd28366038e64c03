import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { StepFailed } from '../scripts/step.mjs';
import { CONSOLE_TOKEN } from './page.mjs';

/** The console's page in a real Chromium, which stays open: what its memory holds, and how its frames come. */

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** At 60 frames a second; one that takes longer than one and a half has let others fall. */
const FRAME_MS = 1000 / 60;
/** For a view to be drawn before its frames are counted, in milliseconds. */
const SETTLE_MS = 500;

/**
 * @typedef {{ view: string, frames: number, p50Ms: number, p95Ms: number, p99Ms: number, longestMs: number, dropped: number }} Frames `dropped` is a share
 * @typedef {{ heapMiB: number, nodes: number, views: Frames[] }} Sample
 * @typedef {{ sample: (seconds: number) => Promise<Sample>, troubles: string[], close: () => Promise<void> }} SoakPage
 */

/**
 * @param {string} url of the service
 * @returns {Promise<SoakPage>}
 */
export async function openSoakPage(url) {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new StepFailed('Chromium is not installed: apt-get install chromium');
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: false,
    args: ['--disable-dev-shm-usage', '--enable-precise-memory-info'],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const login = await context.request.post(`${url}/console/api/login`, { data: { token: CONSOLE_TOKEN } });
  if (!login.ok()) throw new StepFailed(`The console does not let the page in: ${login.status()}`);
  const page = await context.newPage();
  /** @type {string[]} */
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  await page.goto(`${url}/console/`);
  const views = await viewsOf(page);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  return {
    troubles,
    close: () => browser.close(),
    async sample(seconds) {
      /** @type {Frames[]} */
      const frames = [];
      for (const view of views) {
        await page.getByRole('navigation').getByRole('link', { name: view }).first().click();
        await sleep(SETTLE_MS);
        frames.push(toFrames(view, await recordFrames(page, (seconds * 1000) / views.length)));
      }
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const of = (/** @type {string} */ name) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
      return { heapMiB: of('JSHeapUsedSize') / 2 ** 20, nodes: of('Nodes'), views: frames };
    },
  };
}

/**
 * The views, by the names of their links.
 * @param {import('playwright-core').Page} page
 */
async function viewsOf(page) {
  const links = page.getByRole('navigation').getByRole('link');
  await links.first().waitFor();
  const names = (await links.allInnerTexts()).map((text) => text.trim().split('\n')[0] ?? '');
  return names.filter((name) => name !== '');
}

/**
 * @param {import('playwright-core').Page} page
 * @param {number} ms
 * @returns {Promise<number[]>} time from frame to frame, in milliseconds
 */
function recordFrames(page, ms) {
  return page.evaluate(
    (/** @type {number} */ forMs) =>
      new Promise((resolve) => {
        /** @type {number[]} */
        const times = [];
        const start = performance.now();
        let last = start;
        const tick = (/** @type {number} */ now) => {
          if (times.length > 0 || last !== start) times.push(now - last);
          last = now;
          if (now - start < forMs) requestAnimationFrame(tick);
          else resolve(times);
        };
        requestAnimationFrame(tick);
      }),
    ms,
  );
}

/**
 * @param {string} view
 * @param {number[]} times
 * @returns {Frames}
 */
export function toFrames(view, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const share = (/** @type {number} */ of) => sorted[Math.max(0, Math.ceil(sorted.length * of) - 1)] ?? Number.NaN;
  const fallen = times.reduce((sum, time) => sum + Math.max(0, Math.round(time / FRAME_MS) - 1), 0);
  return {
    view,
    frames: times.length,
    p50Ms: share(0.5),
    p95Ms: share(0.95),
    p99Ms: share(0.99),
    longestMs: sorted.at(-1) ?? Number.NaN,
    dropped: times.length === 0 ? Number.NaN : fallen / (times.length + fallen),
  };
}

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

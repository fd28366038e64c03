/** As much as the page may hold, and a day of it: rows, frames, memory. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord, SpanRecord } from '../model/wire.ts';
import { type Feeder, startFeeder } from './feeder.ts';
import { line, span } from './records.ts';
import { sample, type Told } from './sample.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, WITHOUT_CHROMIUM } from './stage.ts';
import { goTo, grid, ready, rowCount, rows } from './views.ts';

const installed = hasChromium();
const A_MESSAGE = 500;

function spansFrom(first: number, count: number): SpanRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const number = first + at;
    return span({
      traceId: `trace${Math.floor(number / 4)}`,
      spanId: `span${number}`,
      ...(number % 4 === 0 ? { kind: 'server' as const } : { parentSpanId: `span${number - (number % 4)}` }),
      name: number % 4 === 0 ? 'GET /things/:id' : 'SELECT things',
      start: 1_800_000_000_000 + number * 10,
      duration: 5 + (number % 90),
      attributes: { 'http.route': '/things/:id', number },
    });
  });
}

function linesFrom(first: number, count: number): LogRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const seq = first + at;
    return line({
      seq,
      time: 1_800_000_000_000 + seq * 10,
      message: `Thing ${seq} was asked for and was there`,
      traceId: `trace${Math.floor(seq / 4)}`,
      level: seq % 50 === 0 ? 'ERROR' : 'INFO',
      fields: { seq, route: '/things/:id' },
    });
  });
}

function told(spans: number, lines: number): Told[] {
  const events: Told[] = [];
  for (let at = 0; at < spans; at += A_MESSAGE) events.push(['spans', spansFrom(at, A_MESSAGE)]);
  for (let at = 0; at < lines; at += A_MESSAGE) events.push(['logs', linesFrom(at + 1, A_MESSAGE)]);
  return events;
}

/** Scrolls through a list in steps of a page and more, a step a frame. @returns the median time of a frame in ms */
function framesOf(page: Page, label: string): Promise<number> {
  return page.evaluate(async (name) => {
    const list = document.querySelector<HTMLElement>(`.list[aria-label^="${name}"]`);
    if (list === null) throw new Error(`There is no ${name}`);
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    const times: number[] = [];
    const room = list.scrollHeight - list.clientHeight;
    for (let step = 0; step < 60; step += 1) {
      const began = await frame();
      list.scrollTop = (room * ((step * 37) % 60)) / 60;
      // The handler runs before the next frame, what it draws is drawn with it.
      await frame();
      times.push((await frame()) - began);
    }
    return times.sort((one, other) => one - other)[30] ?? 0;
  }, label);
}

describe.skipIf(!installed)(installed ? 'much' : `much (${WITHOUT_CHROMIUM})`, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  let much: Feeder;
  let little: Feeder;
  beforeAll(async () => {
    [browser, much, little] = await Promise.all([
      startChromium(),
      startFeeder({ events: told(10_000, 50_000) }),
      startFeeder({ events: told(1000, 1000) }),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await much.close();
    await little.close();
  });

  it.each([
    ['traces', 'Traces', 2500],
    ['logs', 'Log lines', 50_000],
  ])(
    '%s: the rows that are there are those that are seen, and scrolling costs no more than with few',
    async (view, label, wanted) => {
      const tabs = await Promise.all(
        [little, much].map((feeder) => openTab(browser, `${feeder.url}#/${view}?follow=0`)),
      );
      const [few, many] = tabs.map(({ page }) => page) as [Page, Page];
      await expect.poll(() => rowCount(many, label), { timeout: 60_000 }).toBe(wanted);
      const frames = { few: Number.POSITIVE_INFINITY, many: Number.POSITIVE_INFINITY };
      for (let round = 0; round < 3; round += 1) {
        await few.bringToFront();
        frames.few = Math.min(frames.few, await framesOf(few, label));
        await many.bringToFront();
        frames.many = Math.min(frames.many, await framesOf(many, label));
      }
      expect(frames.many).toBeLessThan(frames.few * 2.5);
      expect(await rows(many, label).count()).toBeLessThan(70);
      expect(await many.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(1500);
      // The very last row is reached, and says which it is.
      await grid(many, label).focus();
      await many.keyboard.press('End');
      const last = rows(many, label).last();
      await expect.poll(() => last.getAttribute('aria-rowindex')).toBe(String(wanted + 1));
      for (const tab of tabs) await tab.close();
    },
  );

  it('a search over 50,000 lines finds what there is', async () => {
    const { page, close } = await openTab(
      browser,
      `${much.url}#/logs?q=${encodeURIComponent('level:ERROR seq:>25000 "was there"')}`,
    );
    await expect.poll(() => rowCount(page, 'Log lines'), { timeout: 60_000 }).toBe(500);
    await close();
  });

  it('a trace of 10,000 spans is drawn by those that are seen', async () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      span({
        spanId: `s${at}`,
        parentSpanId: at === 0 ? undefined : `s${Math.floor((at - 1) / 3)}`,
        start: at,
        duration: 10_000 - at,
      }),
    );
    const feeder = await startFeeder({
      events: Array.from({ length: 20 }, (_, at): Told => ['spans', chain.slice(at * 500, at * 500 + 500)]),
    });
    const { page, close } = await openTab(browser, `${feeder.url}#/traces?trace=t1`);
    await expect.poll(() => rowCount(page, 'Spans of this trace'), { timeout: 60_000 }).toBe(10_000);
    expect(await rows(page, 'Spans of this trace').count()).toBeLessThan(70);
    await close();
    await feeder.close();
  });

  it('holds what it may and no more, and lets go of the rest, whatever comes and however often one looks elsewhere', async () => {
    const feeder = await startFeeder({ events: sample(Date.now()).events });
    const tab = await openTab(browser, `${feeder.url}#/live`);
    const { page, context } = tab;
    await ready(page);
    const devtools = await context.newCDPSession(page);
    await round(page, feeder, 0);
    await round(page, feeder, 1);
    const before = await held(devtools);
    for (let at = 2; at < 8; at += 1) await round(page, feeder, at);
    const after = await held(devtools);
    expect(after.jsEventListeners).toBeLessThanOrEqual(before.jsEventListeners + 20);
    expect(after.nodes).toBeLessThan(before.nodes * 1.5 + 1000);
    expect(after.heap).toBeLessThan(before.heap * 1.5);
    await goTo(page, 'Logs');
    expect(await rowCount(page, 'Log lines')).toBe(50_000);
    expect(await page.locator('.uplot').count()).toBe(0);
    expect(tab.troubles).toEqual([]);
    await tab.close();
    await feeder.close();
  });

  it('draws nothing while nobody looks, and all of it when somebody does', async () => {
    const feeder = await startFeeder();
    const { page, close } = await openTab(browser, `${feeder.url}#/logs`);
    await ready(page);
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    });
    feeder.send('logs', linesFrom(1, 40));
    await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 300)));
    expect(await rows(page, 'Log lines').count()).toBe(0);
    await page.evaluate(() => {
      Reflect.deleteProperty(document, 'hidden');
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await expect.poll(() => rowCount(page, 'Log lines')).toBeGreaterThan(0);
    await close();
    await feeder.close();
  });
});

/** Half of what a page may hold comes in, while every view is looked at. */
async function round(page: Page, feeder: Feeder, at: number): Promise<void> {
  for (const view of ['Traces', 'Logs', 'AI', 'Metrics', 'Health', 'Telemetry', 'Live']) {
    await goTo(page, view);
    for (let piece = 0; piece < 8; piece += 1) {
      feeder.send('logs', linesFrom(1_000_000 + (at * 56 + piece) * A_MESSAGE, A_MESSAGE));
      feeder.send('spans', spansFrom(1_000_000 + (at * 56 + piece) * A_MESSAGE, A_MESSAGE));
    }
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  }
}

async function held(devtools: CDPSession): Promise<{ heap: number; nodes: number; jsEventListeners: number }> {
  for (let time = 0; time < 3; time += 1) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
  return { heap: usedSize, nodes, jsEventListeners };
}

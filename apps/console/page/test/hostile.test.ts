/** What somebody sends to do harm is text. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFeeder } from './feeder.ts';
import { line, span } from './records.ts';
import type { Told } from './sample.ts';
import { hasChromium, LONGEST_MS, openTab, startChromium, WITHOUT_CHROMIUM } from './stage.ts';
import { overflow, pane, ready, rows } from './views.ts';

const installed = hasChromium();
const ESCAPE = String.fromCharCode(27);
const SCRIPTS = [
  '<script>document.title="harmed"</script>',
  '<img src=x onerror="document.title=\'harmed\'">',
  '"><svg onload=document.title="harmed">',
  'javascript:document.title="harmed"',
  '</style><style>*{display:none}</style>',
  '{{constructor.constructor("document.title=1")()}}',
];
const ANSI = `${ESCAPE}[31mred${ESCAPE}[0m ${ESCAPE}]0;stolen title\u0007 ${ESCAPE}[2J`;
/** A character of each plane of Unicode, halves of such, and marks that turn the direction of writing. */
const PLANES = `${Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0xfff0)).join(' ')} \ud83d \udc00 \u202eesrever\u2066 \u0000\u0007\u007f\u0085 é́́́ 👩‍👩‍👧 שלום`;
const MEGABYTE = 'x'.repeat(1_000_000);
const ALL = [...SCRIPTS, ANSI, PLANES, MEGABYTE, 'a\nb\r\nc\td', '__proto__', ''];

function events(): Told[] {
  const attributes = Object.fromEntries([
    ...ALL.map((text, at) => [`key${at} ${text.slice(0, 400)}`, text] as const),
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.request.model', `${SCRIPTS[0]}${PLANES}`],
    ['http.route', SCRIPTS[1]],
    ['constructor', 'a word'],
    ['deep', { a: { b: [SCRIPTS[2], { c: ANSI }] } }],
  ]);
  const spans = ALL.map((text, at) =>
    span({
      traceId: `t${at}`,
      spanId: `s${at}`,
      kind: 'server',
      start: Date.now() - 1000,
      name: text,
      service: text.slice(0, 2000),
      statusMessage: text,
      status: 'error',
      attributes,
      events: [{ name: text, time: Date.now() - 990, attributes }],
      links: [{ traceId: text.slice(0, 300), spanId: 'x' }],
    }),
  );
  const lines = ALL.map((text, at) =>
    line({
      seq: at + 1,
      time: Date.now(),
      message: text,
      logger: text.slice(0, 3000),
      service: text.slice(0, 3000),
      traceId: `t${at}`,
      fields: { ...attributes, exception: { type: text, stack: text } },
    }),
  );
  const name = SCRIPTS[0]!;
  return [
    ['spans', spans],
    ['chunks', [{ traceId: 't0', spanId: 's0', times: [1, 2, 1e9, -5] }]],
    ['logs', lines],
    [
      'metrics',
      {
        time: Date.now(),
        families: [{ name, type: 'gauge', help: `${PLANES}${SCRIPTS[1]}` }],
        series: ALL.map((text, id) => ({ id, family: name, labels: { [SCRIPTS[1]!]: text } })),
        values: ALL.map((_, id) => [id, id]),
      },
    ],
    [
      'live',
      {
        time: Date.now(),
        total: 1,
        requests: [
          {
            id: name,
            method: name,
            route: PLANES,
            start: Date.now() - 4000,
            sessionId: ANSI,
            phases: ALL.map((text) => ({ name: text, start: Date.now() - 3000 })),
            bytes: 1e15,
            events: 1e15,
            firstByte: 1e9,
          },
        ],
      },
    ],
    [
      'health',
      {
        time: Date.now(),
        status: 'unhealthy',
        checks: Object.fromEntries(
          ALL.map((text, at) => [
            `${at}${text.slice(0, 2000)}`,
            { status: text.slice(0, 2000), critical: true, error: text },
          ]),
        ),
        breakers: [{ service: PLANES, state: 'open' }],
        uptime: 1,
      },
    ],
    [
      'telemetry',
      {
        time: Date.now(),
        exporter: { kind: name, endpoint: 'javascript:alert(1)', up: false },
        spans: { exported: 1, dropped: 1, failed: 1, kept: 1 },
        queues: [{ name: MEGABYTE, size: 5, limit: 1 }],
        logs: { dropped: 1, withoutContext: 1 },
        series: [{ metric: name, count: 9, budget: 0, folded: 1 }],
        store: [],
      },
    ],
  ];
}

describe.skipIf(!installed)(installed ? 'harm' : `harm (${WITHOUT_CHROMIUM})`, { timeout: LONGEST_MS }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  async function harmless(page: Page): Promise<void> {
    const seen = await page.evaluate(() => ({
      title: document.title,
      foreign: document.querySelectorAll(
        'body script, iframe, img, object, embed, body style, [onload], [onerror], [onclick]',
      ).length,
      hrefs: [...document.querySelectorAll('a')].map(({ href }) => href),
      text: document.body.textContent ?? '',
      longest: Math.max(...[...document.querySelectorAll('bdi')].map((element) => element.textContent?.length ?? 0), 0),
    }));
    expect(seen.title).toMatch(/ · Binnacle$/);
    expect(seen.foreign).toBe(0);
    for (const href of seen.hrefs) expect(new URL(href).origin).toBe(new URL(page.url()).origin);
    expect(seen.text.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
    expect(seen.text).not.toContain('stolen title');
    expect(seen.longest).toBeLessThan(21_000);
    expect(await overflow(page)).toEqual([]);
  }

  it.each([360, 1280])('is done by nothing that is in any record, at %i pixels', async (width) => {
    const feeder = await startFeeder({
      events: events(),
      hello: { service: SCRIPTS[0]!, environment: PLANES, version: MEGABYTE },
    });
    const tab = await openTab(browser, `${feeder.url}#/live`, { viewport: { width, height: 800 } });
    const { page } = tab;
    await ready(page);
    const places = [
      '#/live',
      '#/traces',
      '#/traces?trace=t0&span=s0',
      '#/traces?trace=t8&span=s8',
      '#/logs',
      '#/logs?line=7&follow=0',
      '#/logs?line=9&follow=0',
      '#/ai',
      '#/ai?trace=t0&span=s0',
      '#/metrics',
      '#/health',
      '#/telemetry',
      `#/logs?q=${encodeURIComponent(SCRIPTS[1]!)}`,
      `#/metrics?metric=${encodeURIComponent(SCRIPTS[1]!)}`,
      `#/traces?trace=${encodeURIComponent(SCRIPTS[0]! + ANSI)}`,
    ];
    for (const place of places) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, place);
      await page.locator('h1').first().waitFor();
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await harmless(page);
    }
    expect(tab.troubles).toEqual([]);
    expect(tab.strays).toEqual([]);
    await tab.close();
    await feeder.close();
  });

  it('a megabyte is cut, and can be seen whole', async () => {
    const feeder = await startFeeder({ events: [['logs', [line({ seq: 1, message: `${MEGABYTE}end` })]]] });
    const tab = await openTab(browser, `${feeder.url}#/logs`);
    await rows(tab.page, 'Log lines').first().click();
    const message = pane(tab.page, 'Log line').locator('.log-message');
    expect((await message.locator('bdi').textContent())?.length).toBe(2000);
    for (let more = 0; more < 3; more += 1) await message.getByRole('button', { name: /^Show/ }).click();
    expect((await message.locator('bdi').textContent())?.endsWith('xend')).toBe(true);
    expect(await message.getByRole('button', { name: /^Show/ }).count()).toBe(0);
    await tab.close();
    await feeder.close();
  });
});

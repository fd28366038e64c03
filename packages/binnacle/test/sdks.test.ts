/** OpenTelemetry's public SDKs of JavaScript and Python, sending to `binnacle console`: one trace, with its log lines. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  hasChromium,
  LONGEST_MS,
  openTab,
  startChromium,
  WITHOUT_CHROMIUM,
} from '../../../apps/fit-check/page/test/chromium.ts';
import { loadScript } from '../../../test/scripts/module.ts';
import { openPage, type PageEvents } from './otlp/page-events.ts';
import { preparePython } from './sdks/python.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`sdks/${name}`, import.meta.url));
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const python = await preparePython();
const missing = 'missing' in python ? python.missing : undefined;
const chromium = hasChromium();

const HOSTILE = `<script>alert(1)</script>\u001b[31m ${'\u{1f9ed}'}\u{10fffd}`;

/** The first match of what a process says. */
async function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
    output += bytes;
    const found = pattern.exec(output)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error(`it ended, and said only: ${output}`);
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

function start(program: string, args: readonly string[], env: Record<string, string | undefined> = {}): ChildProcess {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** JavaScript asks Python; gives the id of their trace. */
async function callEachOther(program: string, url: string): Promise<string> {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url };
  const zipped = { OTEL_SERVICE_NAME: 'stock', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', PYTHONWARNINGS: 'ignore' };
  const asked = start(program, [fileOf('asked.py'), HOSTILE], { ...env, ...zipped });
  const port = await said(asked, /^\d+(?=\n)/);
  const caller = [fileOf('caller.mjs'), `http://127.0.0.1:${port}/stock`, HOSTILE];
  const options = { env: { PATH: process.env.PATH, ...env } };
  const { stdout } = await promisify(execFile)(process.execPath, caller, options);
  if (asked.exitCode === null) await once(asked, 'exit');
  return stdout;
}

const title = missing === undefined ? '' : ` (skipped: ${missing})`;
describe.skipIf(missing !== undefined)(`JavaScript asks Python${title}`, () => {
  let url = '';
  let traceId = '';
  let page: PageEvents;
  beforeAll(async () => {
    await (await loadScript<{ ensureBuilt(): Promise<unknown> }>('build.mjs')).ensureBuilt();
    url = await said(start(process.execPath, [MAIN, 'console', '--port', '0']), /http:\/\/localhost:\d+/);
    page = await openPage(url);
    traceId = await callEachOther((python as { program: string }).program, url);
    await page.until(({ spans, logs, metrics }) => spans.length === 3 && logs.length === 1 && metrics.size >= 3);
  }, 300_000);
  afterAll(() => page?.close());
  const span = (name: string) => page.spans.find((one) => one.name === name)!;

  test('their spans are one trace', () => {
    expect(span(HOSTILE)).toMatchObject({
      traceId,
      kind: 'server',
      service: 'shop',
      status: 'error',
      statusMessage: HOSTILE,
    });
    expect(span(HOSTILE)).not.toHaveProperty('parentSpanId');
    expect(span('GET')).toMatchObject({
      traceId,
      kind: 'client',
      service: 'shop',
      parentSpanId: span(HOSTILE).spanId,
      attributes: { 'http.response.status_code': 200 },
    });
    expect(span('GET /stock')).toMatchObject({
      traceId,
      kind: 'server',
      service: 'stock',
      scope: 'stock',
      parentSpanId: span('GET').spanId,
      attributes: { 'stock.item': HOSTILE, 'stock.shelves': [1, 2, 3] },
      events: [{ name: 'exception', attributes: { 'exception.type': 'ValueError', 'exception.message': HOSTILE } }],
    });
  });

  test('a line that Python wrote meanwhile has its ids, and its error', () => {
    expect(page.logs[0]).toMatchObject({
      level: 'ERROR',
      logger: 'stock',
      message: `only 3 left: ${HOSTILE}`,
      traceId,
      spanId: span('GET /stock').spanId,
      service: 'stock',
      fields: { 'exception.type': 'ValueError', 'exception.message': HOSTILE },
    });
  });

  test('its metrics are named as Prometheus names them', () => {
    expect(page.metrics.get('stock_looked_total{item="tea",service_name="stock"}')).toEqual([2]);
    const [sum, count, ...counts] = page.metrics.get('stock_duration_seconds{item="tea",service_name="stock"}') ?? [];
    expect([sum, count, counts.at(-1)]).toEqual([0.2, 1, 1]);
    const [waited, waits, ...bounds] = page.metrics.get('stock_wait_seconds{item="tea",service_name="stock"}') ?? [];
    // 0.75 s lies between 2^-0.5 and 1: of the bounds from 2^-20 by half powers, that of 1 is the 41st.
    expect([waited, waits, bounds.indexOf(1)]).toEqual([0.75, 1, 40]);
  });

  test.skipIf(!chromium)(
    `a real browser shows them, and runs none of it${chromium ? '' : ` (${WITHOUT_CHROMIUM})`}`,
    async () => {
      const browser = await startChromium();
      try {
        const { page: tab, troubles, strays } = await openTab(browser, `${url}/console/`);
        const dialogs: string[] = [];
        tab.on('dialog', (dialog) => {
          dialogs.push(dialog.message());
          void dialog.dismiss();
        });
        await tab.getByRole('navigation').getByRole('link', { name: 'Traces' }).click();
        await tab.getByText('<script>alert(1)</script>').first().click();
        for (const shown of ['GET /stock', 'shop', 'stock', traceId, 'only 3 left'])
          await tab.getByText(shown).first().waitFor();
        expect(await tab.locator('main script, body > script:not([src])').count()).toBe(0);
        expect({ dialogs, troubles, strays }).toEqual({ dialogs: [], troubles: [], strays: [] });
      } finally {
        await browser.close();
      }
    },
    LONGEST_MS,
  );
});

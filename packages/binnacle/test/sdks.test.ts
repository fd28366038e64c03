/** OpenTelemetry's public SDKs of JavaScript and Python, sending to `binnacle console`: one trace, with its log lines. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compiled, compileModules } from './compiled.ts';
import { openPage } from './otlp/page-events.ts';
import { preparePython } from './sdks/python.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`sdks/${name}`, import.meta.url));
const python = await preparePython();
const missing = 'missing' in python ? python.missing : undefined;

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compileModules('cli/main.ts');
});
afterAll(() => compiled?.remove());

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

const title = missing === undefined ? '' : ` (skipped: ${missing})`;
test.skipIf(missing !== undefined)(
  `JavaScript asks Python${title}`,
  async () => {
    const program = (python as { program: string }).program;
    const children: ChildProcess[] = [];
    try {
      const main = join(compiled.folder, 'cli/main.js');
      const binnacle = spawn(process.execPath, [main, 'console', '--port', '0'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(binnacle);
      const url = await said(binnacle, /http:\/\/localhost:\d+/);
      const env = { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: url };
      const asked = spawn(program, [fileOf('asked.py'), HOSTILE], {
        env: { ...env, OTEL_SERVICE_NAME: 'stock', OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', PYTHONWARNINGS: 'ignore' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(asked);
      const port = await said(asked, /^\d+(?=\n)/);
      const page = await openPage(url);
      const caller = [fileOf('caller.mjs'), `http://127.0.0.1:${port}/stock`, HOSTILE];
      const { stdout: traceId } = await promisify(execFile)(process.execPath, caller, { env });
      if (asked.exitCode === null) await once(asked, 'exit');
      await page.until(({ spans, logs, metrics }) => spans.length === 3 && logs.length === 1 && metrics.size >= 3);
      const span = (name: string) => page.spans.find((one) => one.name === name)!;
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
      expect(page.logs[0]).toMatchObject({
        level: 'ERROR',
        logger: 'stock',
        message: `only 3 left: ${HOSTILE}`,
        traceId,
        spanId: span('GET /stock').spanId,
        service: 'stock',
        fields: { 'exception.type': 'ValueError', 'exception.message': HOSTILE },
      });
      expect(page.metrics.get('stock_looked_total{item="tea",service_name="stock"}')).toEqual([2]);
      const [sum, count, ...counts] = page.metrics.get('stock_duration_seconds{item="tea",service_name="stock"}') ?? [];
      expect([sum, count, counts.at(-1)]).toEqual([0.2, 1, 1]);
      const [waited, waits, ...bounds] = page.metrics.get('stock_wait_seconds{item="tea",service_name="stock"}') ?? [];
      // 0.75 s lies between 2^-0.5 and 1: of the bounds from 2^-20 by half powers, that of 1 is the 41st.
      expect([waited, waits, bounds.indexOf(1)]).toEqual([0.75, 1, 40]);
      page.close();
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  },
  60_000,
);

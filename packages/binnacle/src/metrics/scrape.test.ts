/** The whole scrape before the tools that read it: promtool, and a real Prometheus. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counter, Registry as PromRegistry, Summary } from 'prom-client';
import { afterEach, expect, type TestContext, test, vi } from 'vitest';
import { definitions, type MetricKey } from '../catalogue.ts';
import { processDefinitions } from '../catalogue-process.ts';
import { createFaults } from '../faults.ts';
import { CONTENT_TYPES, type Format, negotiate } from './exposition.ts';
import { observeProcess } from './process.ts';
import { createRegistry, type Registry } from './registry.ts';
import { observeSystem } from './system.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Skips, with the reason, where a tool is missing; with REQUIRE_SERVERS=1 that fails instead. */
function need(context: TestContext, tool: string): void {
  if (spawnSync(tool, ['--version']).error === undefined) return;
  if (process.env.REQUIRE_SERVERS === '1') throw new Error(`${tool} is not on the PATH, and REQUIRE_SERVERS is 1`);
  context.skip(`${tool} is not on the PATH`);
}

const nasty = 'a "b" \\ c\nd, ünïcode {✓}';

/** Every metric there is, each with a series. */
function full(legacy = false): Registry {
  const registry = createRegistry({ namespace: 'fit_check', faults: createFaults() });
  const closing = [observeProcess(registry, { legacy }), observeSystem(registry, { paths: [tmpdir()] })];
  cleanUp.push(...closing.map((one) => () => one.close()));
  for (const [key, { labels }] of Object.entries(definitions)) {
    const series = registry.meters[key as MetricKey].bind(
      Object.fromEntries(labels.map((name) => [name, 'x'])) as never,
    );
    series.inc(2);
    series.observe(0.3);
  }
  registry.counter({ name: 'user_jobs_total', help: 'Jobs.', labels: ['name'] }).inc({ name: nasty }, 3);
  const host = new PromRegistry();
  new Counter({ name: 'host_jobs_total', help: 'Jobs.', labelNames: ['name'], registers: [host] }).inc(
    { name: nasty },
    5,
  );
  new Summary({ name: 'host_size_bytes', help: 'Size.', percentiles: [0.5], registers: [host] }).observe(7);
  registry.guest(host);
  return registry;
}

async function scrape(registry: Registry, format: Format): Promise<string> {
  let text = '';
  for await (const chunk of registry.scrape(format)) text += chunk;
  return text;
}

test('promtool finds nothing in the whole default scrape', async (context) => {
  need(context, 'promtool');
  const input = await scrape(full(), 'prometheus');
  for (const { name, namespaced } of Object.values(definitions)) {
    expect(input).toContain(`# TYPE ${namespaced ? `fit_check_${name}` : name} `);
  }
  for (const { name, legacy, labels } of Object.values(processDefinitions)) {
    // Types of handles come and go; there may be none.
    if (!legacy && !labels.includes('type')) expect(input).toContain(`# TYPE ${name} `);
  }
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** `/metrics` as the scraper asks for it; `/text` is always the text format. */
async function serve(registry: Registry): Promise<{ port: number; formats: Set<string> }> {
  const formats = new Set<string>();
  const server: Server = createServer(async (request, response) => {
    const format = request.url === '/text' ? 'prometheus' : negotiate(request.headers.accept);
    formats.add(`${request.url} ${format}`);
    response.setHeader('content-type', CONTENT_TYPES[format]);
    response.end(await scrape(registry, format));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, formats };
}

async function startPrometheus(target: number): Promise<(path: string) => Promise<unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-prometheus-'));
  const port = await freePort();
  const job = (name: string, path: string) =>
    `  - {job_name: ${name}, metrics_path: ${path}, static_configs: [{targets: ['127.0.0.1:${target}']}]}\n`;
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s}\nscrape_configs:\n${job('open', '/metrics')}${job('text', '/text')}`,
  );
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  cleanUp.push(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return ((await response.json()) as { data: unknown }).data;
  };
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

test('a real Prometheus scrapes both formats and finds the same series in both', {
  timeout: 60_000,
}, async (context) => {
  need(context, 'prometheus');
  const { port, formats } = await serve(full(true));
  const ask = await startPrometheus(port);
  const query = async (expression: string): Promise<readonly Sample[]> =>
    ((await ask(`query?query=${encodeURIComponent(expression)}`)) as { result: readonly Sample[] }).result;

  await vi.waitFor(
    async () => {
      const { activeTargets } = (await ask('targets')) as { activeTargets: { health: string; lastError: string }[] };
      expect(activeTargets.map(({ health, lastError }) => `${health}${lastError}`)).toEqual(['up', 'up']);
    },
    { timeout: 30_000, interval: 100 },
  );
  expect([...formats].sort()).toEqual(['/metrics openmetrics', '/text prometheus']);

  // A target is up a moment before its samples can be asked for.
  await vi.waitFor(
    async () => {
      for (const [name, value] of [
        ['user_jobs_total', '3'],
        ['host_jobs_total', '5'],
      ] as const) {
        const found = await query(name);
        expect(found.map(({ metric, value: [, text] }) => [metric.job, metric.name, text]).sort()).toEqual([
          ['open', nasty, value],
          ['text', nasty, value],
        ]);
      }
      expect(await query('{job="open",__name__=~".+_.+"} unless on(__name__) {job="text"}')).toEqual([]);
      expect(await query('{job="text",__name__=~".+_.+"} unless on(__name__) {job="open"}')).toEqual([]);
      const buckets = await query('count by (job) ({__name__="http_server_request_duration_seconds_bucket"})');
      expect(buckets.map(({ value: [, count] }) => count)).toEqual(['20', '20']);
      const quantile = await query('histogram_quantile(0.5, http_server_request_duration_seconds_bucket{job="open"})');
      expect(Number(quantile[0]?.value[1])).toBeGreaterThan(0.25);
    },
    { timeout: 10_000, interval: 100 },
  );
});

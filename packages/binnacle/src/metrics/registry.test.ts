import { expect, test, vi } from 'vitest';
import { catalogue, definitions } from '../catalogue.ts';
import { createFaults } from '../faults.ts';
import { createRegistry, type Registry } from './registry.ts';

function setUp(options: { namespace?: string; maxSeries?: Record<string, number> } = {}) {
  const lines: string[] = [];
  const faults = createFaults();
  faults.connect((level, logger, message) => lines.push(`${level} ${logger} ${message}`));
  return { lines, registry: createRegistry({ namespace: 'fit_check', faults, ...options }) };
}

async function scrape(registry: Registry): Promise<string> {
  let text = '';
  for await (const chunk of registry.scrape('prometheus')) text += chunk;
  return text;
}

const value = (text: string, series: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

test("the service's metrics get its namespace, the others none; without one there is no prefix", async () => {
  const { registry } = setUp();
  registry.meters.requests.bind({ status: 'success' }).inc();
  registry.meters.httpActive.bind({ http_request_method: 'GET', url_scheme: 'http' }).inc();
  const text = await scrape(registry);
  expect(value(text, 'fit_check_requests_total{status="success"}')).toBe('1');
  expect(value(text, 'http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe('1');

  const bare = setUp({ namespace: '' }).registry;
  bare.meters.requests.bind({ status: 'success' }).inc();
  expect(value(await scrape(bare), 'requests_total{status="success"}')).toBe('1');
});

test('counters and histograms without labels are there at 0 from the start; a gauge once it is known', async () => {
  const { registry } = setUp();
  const text = await scrape(registry);
  expect(value(text, 'fit_check_request_duration_seconds_count')).toBe('0');
  expect(value(text, 'binnacle_log_lines_dropped_total')).toBe('0');
  expect(value(text, 'binnacle_scrape_duration_seconds')).toBe('0');
  expect(text).not.toContain('# TYPE binnacle_exporter_up');
  expect(Number(value(await scrape(registry), 'binnacle_scrape_duration_seconds'))).toBeGreaterThan(0);
});

test('a budget by name folds and counts, and the series of each metric are told', async () => {
  const { registry } = setUp({ maxSeries: { jobs_total: 2, fit_check_requests_total: 1 } });
  const jobs = registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] });
  const small = registry.counter({ name: 'small_total', help: 'Small.', labels: ['queue'], maxSeries: 1 });
  for (let i = 0; i < 5; i += 1) {
    jobs.inc({ queue: i });
    small.inc({ queue: i });
  }
  for (const status of ['success', 'error']) registry.meters.requests.bind({ status }).inc();
  const text = await scrape(registry);
  expect(value(text, 'jobs_total{queue="_other"}')).toBe('3');
  expect(value(text, 'small_total{queue="_other"}')).toBe('4');
  expect(value(text, 'binnacle_series_folded_total{metric="jobs_total"}')).toBe('3');
  expect(value(text, 'binnacle_series_folded_total{metric="small_total"}')).toBe('4');
  expect(value(text, 'binnacle_series_folded_total{metric="fit_check_requests_total"}')).toBe('1');
  expect(value(text, 'binnacle_series{metric="jobs_total"}')).toBe('3');
  const families = Object.keys(definitions).length + 2;
  expect(value(text, 'binnacle_series{metric="binnacle_series"}')).toBe(String(families));
});

test('1,000 label sets are kept apart unless told', async () => {
  const { registry } = setUp();
  const jobs = registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] });
  for (let i = 0; i < 1500; i += 1) jobs.inc({ queue: i });
  expect(value(await scrape(registry), 'jobs_total{queue="_other"}')).toBe('500');
});

test('the counter of folds over its own budget does not count itself without end', () => {
  const { registry } = setUp({ maxSeries: { binnacle_series_folded_total: 1, a_total: 1, b_total: 1 } });
  for (const name of ['a_total', 'b_total']) {
    const counter = registry.counter({ name, help: 'x', labels: ['l'] });
    for (let i = 0; i < 3; i += 1) counter.inc({ l: i });
  }
});

test('a name that is taken throws and names itself', () => {
  const { registry } = setUp();
  registry.gauge({ name: 'depth', help: 'Depth.' });
  expect(() => registry.gauge({ name: 'depth', help: 'Depth.' })).toThrow('metric depth is already defined');
  expect(() => registry.counter({ name: 'fit_check_requests_total', help: 'x' })).toThrow('already defined');
  expect(() => registry.define(catalogue.httpActive)).toThrow('already defined');
});

test('a reader that throws is one line an outage, and the others are still read', async () => {
  const { registry, lines } = setUp();
  const depth = registry.gauge({ name: 'depth', help: 'Depth.' });
  const broken = vi.fn<() => void>(() => {
    throw new Error('no');
  });
  registry.beforeScrape(broken);
  registry.beforeScrape(() => depth.set(7));
  expect(value(await scrape(registry), 'depth')).toBe('7');
  await scrape(registry);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^WARNING binnacle A metric could not be read/);
  broken.mockImplementationOnce(() => {});
  await scrape(registry);
  await scrape(registry);
  expect(lines).toHaveLength(2);
});

test('50,000 series leave the event loop free between chunks', async () => {
  const { registry } = setUp({ maxSeries: { jobs_total: 50_000 } });
  const jobs = registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue', 'kind'] });
  for (let i = 0; i < 50_000; i += 1) jobs.inc({ queue: `queue-${i}`, kind: 'a kind of some length' });
  let ticks = 0;
  let running = true;
  const tick = () => {
    ticks += 1;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  let chunks = 0;
  let longest = 0;
  for await (const chunk of registry.scrape('prometheus')) {
    chunks += 1;
    longest = Math.max(longest, chunk.length);
  }
  running = false;
  expect(chunks).toBeGreaterThan(50);
  expect(longest).toBeLessThan(40_000);
  expect(ticks).toBeGreaterThanOrEqual(chunks - 1);
});

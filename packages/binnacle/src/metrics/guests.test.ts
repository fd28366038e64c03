import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as PromRegistry, Summary } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFaults } from '../faults.ts';
import type { Format } from './exposition.ts';
import type { GuestRegistry } from './guests.ts';
import { createRegistry } from './registry.ts';

function setUp() {
  const lines: string[] = [];
  const faults = createFaults();
  faults.connect((level, logger, message) => lines.push(`${level} ${logger} ${message}`));
  return { lines, registry: createRegistry({ namespace: '', faults }) };
}

async function scrape(registry: ReturnType<typeof createRegistry>, format: Format = 'prometheus'): Promise<string[]> {
  let text = '';
  for await (const chunk of registry.scrape(format)) text += chunk;
  return text.split('\n');
}

/** What a host may have made with prom-client before it met us. */
function host() {
  const registry = new PromRegistry();
  const registers = [registry];
  new Counter({ name: 'host_jobs_total', help: 'Jobs.', labelNames: ['queue'], registers }).inc({ queue: 'a "b"' }, 3);
  new Counter({ name: 'host_hits', help: 'Hits, named as it should not be.', registers }).inc();
  new Gauge({ name: 'host_depth', help: 'Depth.', labelNames: ['empty', 'q'], registers }).set({ empty: '', q: 1 }, 4);
  new Histogram({ name: 'host_time_seconds', help: 'Time.', buckets: [1, 2], labelNames: ['q'], registers }).observe(
    { q: 'x' },
    1.5,
  );
  new Summary({ name: 'host_size_bytes', help: 'Size.', percentiles: [0.5], registers }).observe(7);
  return registry;
}

describe('a registry of the host', () => {
  test('is in the scrape with all its kinds', async () => {
    const { registry, lines } = setUp();
    registry.guest(host());
    const text = await scrape(registry);
    const theirs = text.slice(text.findIndex((line) => line.includes('host_')));
    expect(theirs).toEqual([
      '# HELP host_jobs_total Jobs.',
      '# TYPE host_jobs_total counter',
      'host_jobs_total{queue="a \\"b\\""} 3',
      '# HELP host_hits Hits, named as it should not be.',
      '# TYPE host_hits counter',
      'host_hits 1',
      '# HELP host_depth Depth.',
      '# TYPE host_depth gauge',
      'host_depth{q="1"} 4',
      '# HELP host_time_seconds Time.',
      '# TYPE host_time_seconds histogram',
      'host_time_seconds_bucket{le="1",q="x"} 0',
      'host_time_seconds_bucket{le="2",q="x"} 1',
      'host_time_seconds_bucket{le="+Inf",q="x"} 1',
      'host_time_seconds_sum{q="x"} 1.5',
      'host_time_seconds_count{q="x"} 1',
      '# HELP host_size_bytes Size.',
      '# TYPE host_size_bytes summary',
      'host_size_bytes{quantile="0.5"} 7',
      'host_size_bytes_sum 7',
      'host_size_bytes_count 1',
      '',
    ]);
    expect(lines).toEqual([]);
  });

  test('has its counters end in _total in OpenMetrics, the family without', async () => {
    const { registry } = setUp();
    registry.guest(host());
    const text = await scrape(registry, 'openmetrics');
    expect(text).toContain('# TYPE host_jobs counter');
    expect(text).toContain('host_jobs_total{queue="a \\"b\\""} 3');
    expect(text).toContain('# TYPE host_hits counter');
    expect(text).toContain('host_hits_total 1');
    expect(text.slice(-2)).toEqual(['# EOF', '']);
  });

  test('brings its default labels, and is there once although given twice', async () => {
    const { registry, lines } = setUp();
    const prom = host();
    prom.setDefaultLabels({ app: 'shop' });
    registry.guest(prom);
    registry.guest(prom);
    const text = await scrape(registry);
    expect(text.filter((line) => line.startsWith('host_hits'))).toEqual(['host_hits{app="shop"} 1']);
    expect(lines).toEqual([]);
  });

  test('may bring the default metrics', async () => {
    const { registry, lines } = setUp();
    const prom = new PromRegistry();
    collectDefaultMetrics({ register: prom });
    registry.guest(prom);
    const text = await scrape(registry);
    expect(text.some((line) => /^process_cpu_seconds_total \d/.test(line))).toBe(true);
    expect(text.some((line) => /^nodejs_heap_space_size_used_bytes\{space="old"\} \d+$/.test(line))).toBe(true);
    expect(text.filter((line) => line.includes('nodejs_active_handles_total'))).toEqual([]);
    expect(lines).toEqual([]);
  });
});

describe('names that are taken', () => {
  test('are those of a histogram of ours with its suffixes too', async () => {
    const { registry, lines } = setUp();
    registry.histogram({ name: 'wait_seconds', help: 'Ours.' });
    const prom = new PromRegistry();
    new Gauge({ name: 'wait_seconds_count', help: 'Theirs.', registers: [prom] }).set(99);
    registry.guest(prom);
    expect((await scrape(registry)).filter((line) => line.startsWith('wait_seconds_count'))).toEqual([
      'wait_seconds_count 0',
    ]);
    expect(lines).toHaveLength(1);
  });

  test('stay ours, with one warning for all of them however often they are scraped', async () => {
    const { registry, lines } = setUp();
    registry.counter({ name: 'host_jobs_total', help: 'Ours.' }).inc();
    // The host's `host_hits` is `host_hits_total` in OpenMetrics.
    registry.counter({ name: 'host_hits_total', help: 'Ours.' }).inc(2);
    registry.guest(host());
    const other = new PromRegistry();
    new Gauge({ name: 'host_depth', help: 'Of another registry.', registers: [other] }).set(99);
    registry.guest(other);
    await scrape(registry);
    const text = await scrape(registry);
    expect(text.filter((line) => line.startsWith('host_jobs_total'))).toEqual(['host_jobs_total 1']);
    expect(text.filter((line) => line.startsWith('host_hits'))).toEqual(['host_hits_total 2']);
    expect(text.filter((line) => line.startsWith('host_depth'))).toEqual(['host_depth{q="1"} 4']);
    expect(lines).toEqual([
      "WARNING binnacle The host's metrics host_jobs_total, host_hits, host_depth are left out of the scrape: their names are taken",
    ]);
  });
});

describe('a guest that does not answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test.each<[string, GuestRegistry]>([
    ['rejects', { getMetricsAsJSON: async () => Promise.reject(new Error('no')) }],
    [
      'throws',
      {
        getMetricsAsJSON: () => {
          throw new Error('no');
        },
      },
    ],
    ['answers with nothing', { getMetricsAsJSON: async () => undefined as never }],
    ['answers with broken metrics', { getMetricsAsJSON: async () => [{ name: 'x', type: 'gauge', values: [null] }] }],
  ])('one that %s is left out with one line', async (_, guest) => {
    const { registry, lines } = setUp();
    registry.guest(guest);
    registry.guest(host());
    await scrape(registry);
    expect(await scrape(registry)).toContain('host_hits 1');
    expect(lines).toEqual(['WARNING binnacle A registry of the host could not be read; the scrape goes on without it']);
  });

  test('one that hangs is waited for once, 5 s, is not asked again meanwhile, and comes back', async () => {
    const { registry, lines } = setUp();
    let answer = (_: readonly object[]): void => {};
    const ask = vi.fn(
      () =>
        new Promise<readonly object[]>((resolve) => {
          answer = resolve;
        }),
    );
    registry.guest({ getMetricsAsJSON: ask });
    registry.guest({ getMetricsAsJSON: () => new Promise(() => {}) });
    registry.guest(host());

    const first = scrape(registry);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await first).toContain('host_hits 1');
    expect(await scrape(registry)).toContain('host_hits 1');
    expect(ask).toHaveBeenCalledTimes(1);
    expect(lines).toHaveLength(2);

    answer([]);
    await vi.advanceTimersByTimeAsync(0);
    ask.mockResolvedValueOnce([{ name: 'back', help: '', type: 'gauge', values: [{ value: 1 }] }]);
    expect(await scrape(registry)).toContain('back 1');
  });
});

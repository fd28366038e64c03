import { describe, expect, it } from 'vitest';
import { parseFilter } from './filter.ts';
import { HISTORY_MS, Metrics } from './metrics.ts';
import { exemplarsOf, labelText, matchingSeries, type PlotQuery, promql, query, type Reading } from './plot-query.ts';
import type { MetricFamily } from './wire.ts';

const requests: MetricFamily = { name: 'requests_total', type: 'counter', help: 'Requests.' };
const duration: MetricFamily = { name: 'took_seconds', type: 'histogram', help: 'Took.', unit: 's', bounds: [0.1, 1] };
const memory: MetricFamily = { name: 'memory_bytes', type: 'gauge', help: 'Memory.' };
const T = 1_700_000_000_000;

function asked(family: MetricFamily, reading: Reading, more: Partial<PlotQuery> = {}): PlotQuery {
  return { family, reading, where: [], from: T, to: T + 300_000, ...more };
}

/** Every two seconds for five minutes. */
function filled(): Metrics {
  const metrics = new Metrics();
  metrics.add({
    time: T,
    families: [requests, duration, memory],
    series: [
      { id: 0, family: 'requests_total', labels: { status: 'success', route: '/a' } },
      { id: 1, family: 'requests_total', labels: { status: 'error', route: '/a' } },
      { id: 2, family: 'took_seconds', labels: { route: '/a' } },
      { id: 3, family: 'memory_bytes', labels: { pool: 'one' } },
    ],
    values: [
      [0, 0],
      [1, 0],
      [2, 0, 0, 0, 0],
      [3, 5],
    ],
  });
  for (let at = 1; at <= 150; at += 1) {
    metrics.add({
      time: T + at * 2000,
      values: [
        [0, at * 20],
        [2, at, at * 4, at * 2, at * 4],
        [3, 5 + at],
      ],
    });
  }
  return metrics;
}

describe('a plot', () => {
  const metrics = filled();
  const last = (values: readonly (number | null)[] = []): number | null | undefined =>
    values.findLast((value) => value !== null);

  it('of a counter is its rise a second', () => {
    const { lines, times } = query(metrics, asked(requests, 'rate'));
    expect(times.length).toBe(151);
    expect(lines.length).toBe(1);
    expect(last(lines[0]?.values)).toBeCloseTo(10, 6);
    const by = query(metrics, asked(requests, 'rate', { by: 'status' })).lines;
    expect(by.map(({ name }) => name)).toEqual(['success', 'error']);
    expect(last(by[1]?.values)).toBe(0);
  });

  it('of a histogram is what its observations say', () => {
    const [p50, p95, p99] = query(metrics, asked(duration, 'percentiles')).lines;
    expect([p50?.name, p95?.name, p99?.name]).toEqual(['p50', 'p95', 'p99']);
    // Half of them are below 0.1 s, the other half between 0.1 s and 1 s.
    expect(last(p50?.values)).toBeCloseTo(0.1, 6);
    expect(last(p95?.values)).toBeCloseTo(0.91, 6);
    expect(last(query(metrics, asked(duration, 'mean')).lines[0]?.values)).toBeCloseTo(0.25, 6);
    expect(last(query(metrics, asked(duration, 'rate')).lines[0]?.values)).toBeCloseTo(2, 6);
  });

  it('of a gauge is its value, of a moment that is not here nothing', () => {
    const { lines } = query(metrics, asked(memory, 'value', { from: T - 60_000, to: T + 400_000 }));
    expect(lines[0]?.values[0]).toBeNull();
    expect(lines[0]?.values.at(-1)).toBeNull();
    expect(Math.max(...(lines[0]?.values ?? []).map((value) => value ?? 0))).toBe(155);
  });

  it('is narrowed by labels', () => {
    const names = (q: string) =>
      matchingSeries(metrics, { family: requests, where: parseFilter(q) }).map(({ labels }) => labels.status);
    expect(names('')).toEqual(['success', 'error']);
    expect(names('status:err*')).toEqual(['error']);
    expect(names('-status:error route:/a')).toEqual(['success']);
    expect(names('route:/b')).toEqual([]);
  });

  it('draws the twelve highest of many lines, and says how many it leaves out', () => {
    const many = new Metrics();
    many.add({
      time: T,
      families: [memory],
      series: Array.from({ length: 40 }, (_, id) => ({ id, family: memory.name, labels: { pool: `${id}` } })),
      values: Array.from({ length: 40 }, (_, id) => [id, id]),
    });
    const { lines, more } = query(many, asked(memory, 'value', { from: T - 1000, to: T + 1000 }));
    expect([lines.length, more]).toEqual([12, 28]);
    expect(lines[0]?.name).toBe('pool="39"');
  });
});

describe('a series', () => {
  it('that begins again does not fall, and one that came late counts from 0', () => {
    const metrics = new Metrics();
    metrics.add({
      time: T,
      families: [requests],
      series: [{ id: 0, family: requests.name, labels: {} }],
      values: [[0, 100]],
    });
    metrics.add({ time: T + 2000, values: [[0, 110]] });
    metrics.add({
      time: T + 4000,
      values: [[0, 3]],
      series: [{ id: 1, family: requests.name, labels: { late: 'yes' } }],
    });
    metrics.add({
      time: T + 6000,
      values: [
        [0, 5],
        [1, 7],
      ],
    });
    const [first, late] = metrics.of(requests.name);
    expect(first?.rise(T, T + 6000)).toEqual([15]);
    expect(late?.rise(T, T + 6000)).toEqual([7]);
    // Nothing is known of before the page came.
    expect(first?.rise(T - 60_000, T)).toBeUndefined();
    expect(first?.at(T - 1)).toBeUndefined();
  });

  it('is thinned with age and stays within the hour, its rises as they were', () => {
    const metrics = new Metrics();
    const minutes = 180;
    metrics.add({
      time: T,
      families: [requests],
      series: [{ id: 0, family: requests.name, labels: {} }],
      values: [[0, 0]],
    });
    for (let at = 1; at <= minutes * 30; at += 1) metrics.add({ time: T + at * 2000, values: [[0, at]] });
    const [series] = metrics.of(requests.name);
    expect(series?.times.length).toBeLessThan(350);
    expect(series?.times[1]).toBeGreaterThanOrEqual(metrics.newest - HISTORY_MS - 60_000);
    expect(series?.rise(metrics.newest - 1_800_000, metrics.newest)?.[0]).toBeCloseTo(900, -2);
    const hour = query(metrics, {
      family: requests,
      reading: 'rate',
      where: [],
      from: metrics.newest - HISTORY_MS,
      to: metrics.newest,
    });
    for (const value of hour.lines[0]?.values.filter((one) => one !== null).slice(6) ?? [])
      expect(value).toBeCloseTo(0.5, 0);
  });

  it('of which nobody was told is left out, and so is what comes twice', () => {
    const metrics = new Metrics();
    metrics.add({ time: T, values: [[99, 1], [], [0]] as never, series: [{ id: 5, family: 'unknown', labels: {} }] });
    expect(metrics.seriesCount).toBe(0);
    metrics.add({
      time: T,
      families: [requests],
      series: [{ id: 0, family: requests.name, labels: {} }],
      values: [[0, 1]],
    });
    metrics.add({ time: T + 2000, values: [[0, 4]] });
    metrics.add({ time: T, values: [[0, 1]] });
    expect(metrics.of(requests.name)[0]?.samples).toEqual([[1], [4]]);
  });
});

it('exemplars are bounded, and those of the range come newest first', () => {
  const metrics = filled();
  const exemplars = Array.from({ length: 90 }, (_, at) => ({
    series: 2,
    value: at,
    time: T + at * 1000,
    traceId: `t${at}`,
    spanId: 's',
  }));
  metrics.add({
    time: T + 301_000,
    values: [],
    exemplars: [...exemplars, { series: 77, value: 1, time: T, traceId: 'x', spanId: 's' }],
  });
  const found = exemplarsOf(metrics.of(duration.name), T + 60_000, T + 80_000);
  expect(found.map(({ traceId }) => traceId).slice(0, 2)).toEqual(['t80', 't79']);
  expect(metrics.of(duration.name)[0]?.exemplars.length).toBe(40);
});

describe('PromQL', () => {
  it.each([
    [asked(requests, 'rate'), 'sum(rate(requests_total[5m]))'],
    [asked(requests, 'rate', { by: 'status' }), 'sum by (status) (rate(requests_total[5m]))'],
    [asked(memory, 'value'), 'memory_bytes'],
    [asked(memory, 'value', { by: 'pool' }), 'sum by (pool) (memory_bytes)'],
    [
      asked(duration, 'percentiles', { by: 'route' }),
      'histogram_quantile(0.95, sum by (le, route) (rate(took_seconds_bucket[5m])))',
    ],
    [
      asked(duration, 'p50', { where: parseFilter('route:/a* -code:"5\\"0"') }),
      'histogram_quantile(0.5, sum by (le) (rate(took_seconds_bucket{route=~"/a.*", code!="5\\"0"}[5m])))',
    ],
    [asked(duration, 'mean'), 'sum(rate(took_seconds_sum[5m])) / sum(rate(took_seconds_count[5m]))'],
  ])('%#', (question, text) => expect(promql(question)).toBe(text));

  it('labels are written as it writes them', () => expect(labelText({ a: '1', b: '', c: 'x' })).toBe('a="1", c="x"'));
});

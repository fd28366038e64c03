import { describe, expect, test } from 'vitest';
import { MetricsHistory } from './metrics-history.ts';
import type { Origin } from './otlp-envelope.ts';
import type { MetricAbout, MetricPoint } from './otlp-points.ts';
import { SeriesIntake } from './otlp-series.ts';
import type { MetricFamily } from './wire.ts';

const MiB = 1024 * 1024;
const ORIGIN: Origin = { service: 'web', attributes: { 'service.name': 'web' }, scope: 'meter' };
const about = (more: Partial<MetricAbout> = {}): MetricAbout => ({
  name: 'calls',
  description: 'All calls.',
  unit: '',
  isMonotonic: true,
  isDelta: false,
  ...more,
});
const PARTS = { attributes: { route: '/a' }, start: '1', exemplars: [] };
const sum = (value: number, more: Partial<MetricPoint> = {}): MetricPoint =>
  ({ ...PARTS, kind: 'sum', value, ...more }) as MetricPoint;
const gauge = (value: number): MetricPoint => ({ ...PARTS, kind: 'gauge', value });
const histogram = (total: number, counts: number[], bounds: number[], more: object = {}): MetricPoint => ({
  ...PARTS,
  kind: 'histogram',
  count: counts.reduce((all, one) => all + one, 0),
  sum: total,
  bounds,
  counts,
  ...more,
});

function setUp(series = 100) {
  const history = new MetricsHistory({ series, bytes: 4 * MiB });
  const intake = new SeriesIntake(history);
  let time = 1_700_000_000_000;
  /** Each series' last value after a flush, by its name and labels. */
  const told = (): Record<string, number[]> => {
    time += 1000;
    intake.flush(time);
    const cursor = history.begin();
    const names = new Map<number, string>();
    const values: Record<string, number[]> = {};
    for (let update = history.next(cursor); update !== undefined; update = history.next(cursor)) {
      for (const { id, family, labels } of update.series ?? []) names.set(id, `${family} ${JSON.stringify(labels)}`);
      for (const [id, ...numbers] of update.values) values[names.get(id!)!] = numbers;
    }
    return values;
  };
  const families = (): MetricFamily[] => {
    const cursor = history.begin();
    return [...(history.next(cursor)?.families ?? [])];
  };
  return { history, intake, told, families };
}

const CALLS = 'calls_total {"route":"/a","service_name":"web"}';

describe('counters', () => {
  test('go on where the process begins again, and where another runs beside it', () => {
    const { intake, told } = setUp();
    intake.take(about(), sum(5), ORIGIN);
    intake.take(about(), sum(8), ORIGIN);
    expect(told()).toEqual({ [CALLS]: [8] });
    // The same process, which forgot.
    intake.take(about(), sum(2), ORIGIN);
    expect(told()).toEqual({ [CALLS]: [10] });
    // Another run, and the first one is still heard.
    intake.take(about(), sum(4, { start: '2' }), ORIGIN);
    intake.take(about(), sum(3), ORIGIN);
    intake.take(about(), sum(6, { start: '2' }), ORIGIN);
    expect(told()).toEqual({ [CALLS]: [17] });
    const replica = { ...ORIGIN, attributes: { 'service.instance.id': 'b' } };
    intake.take(about(), sum(100), replica);
    intake.take(about(), sum(101), replica);
    expect(told()).toEqual({ [CALLS]: [118] });
  });

  test('as deltas are added', () => {
    const { intake, told } = setUp();
    for (const value of [5, 0, 7]) intake.take(about({ isDelta: true }), sum(value), ORIGIN);
    expect(told()).toEqual({ [CALLS]: [12] });
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('of %d are refused', (value) => {
    const { intake, told } = setUp();
    expect(intake.take(about(), sum(value), ORIGIN)).toMatch(/below 0|finite/);
    expect(told()).toEqual({});
  });

  test('of each service are their own', () => {
    const { intake, told } = setUp();
    intake.take(about(), sum(1), ORIGIN);
    intake.take(about(), sum(2), { ...ORIGIN, service: 'api' });
    expect(told()).toEqual({ [CALLS]: [1], 'calls_total {"route":"/a","service_name":"api"}': [2] });
  });
});

describe('gauges', () => {
  test('say what was said last, sums that may fall too; NaN says nothing', () => {
    const { intake, told } = setUp();
    const active = about({ name: 'active', isMonotonic: false });
    intake.take(active, sum(5), ORIGIN);
    intake.take(active, sum(2), ORIGIN);
    intake.take(about({ name: 'load', unit: '1' }), gauge(0.5), ORIGIN);
    expect(intake.take(about({ name: 'load', unit: '1' }), gauge(Number.NaN), ORIGIN)).toBeUndefined();
    expect(told()).toEqual({
      'active {"route":"/a","service_name":"web"}': [2],
      'load_ratio {"route":"/a","service_name":"web"}': [0.5],
    });
  });

  test('as deltas go up and down', () => {
    const { intake, told } = setUp();
    for (const value of [5, -2]) intake.take(about({ isMonotonic: false, isDelta: true }), sum(value), ORIGIN);
    expect(told()).toEqual({ 'calls {"route":"/a","service_name":"web"}': [3] });
  });
});

describe('histograms', () => {
  const took = about({ name: 'took', unit: 's', isMonotonic: false });
  const TOOK = 'took_seconds {"route":"/a","service_name":"web"}';

  test('cumulative by bound, and by process', () => {
    const { intake, told, families } = setUp();
    intake.take(took, histogram(1.5, [1, 1, 1], [0.5, 1]), ORIGIN);
    intake.take(took, histogram(2, [1, 2, 1], [0.5, 1]), ORIGIN);
    intake.take(took, histogram(9, [0, 0, 1], [0.5, 1], { start: '2' }), ORIGIN);
    expect(told()).toEqual({ [TOOK]: [11, 5, 1, 3] });
    expect(families()).toEqual([
      { name: 'took_seconds', type: 'histogram', help: 'All calls.', unit: 'seconds', bounds: [0.5, 1] },
    ]);
  });

  test('of other bounds are told by the first ones, never below their own', () => {
    const { intake, told } = setUp();
    intake.take({ ...took, isDelta: true }, histogram(1, [1, 0, 0], [0.5, 1]), ORIGIN);
    intake.take({ ...took, isDelta: true }, histogram(1, [1, 1, 1, 1], [0.4, 0.7, 2]), ORIGIN);
    expect(told()).toEqual({ [TOOK]: [2, 5, 2, 3] });
  });

  test('without buckets, and a sum that is none', () => {
    const { intake, told } = setUp();
    intake.take(took, histogram(Number.NaN, [], [], { count: 3 }), ORIGIN);
    expect(told()).toEqual({ [TOOK]: [0, 3] });
  });

  test('that are none are refused', () => {
    const { intake } = setUp();
    expect(intake.take(took, histogram(1, [1], [1]), ORIGIN)).toContain('one more');
  });
});

test('summaries are a gauge by quantile and two counters', () => {
  const { intake, told } = setUp();
  const point = { ...PARTS, kind: 'summary', count: 3, sum: 1.5, quantiles: [{ quantile: 0.5, value: 0.4 }] } as const;
  intake.take(about({ name: 'rpc', unit: 's' }), point, ORIGIN);
  expect(told()).toEqual({
    'rpc_seconds {"route":"/a","service_name":"web","quantile":"0.5"}': [0.4],
    'rpc_seconds_sum {"route":"/a","service_name":"web"}': [1.5],
    'rpc_seconds_count {"route":"/a","service_name":"web"}': [3],
  });
});

test('exemplars lead to their trace', () => {
  const { history, intake } = setUp();
  const exemplar = { value: 0.7, time: 5, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  intake.take(about(), sum(1, { exemplars: [exemplar] }), ORIGIN);
  intake.flush(10);
  const cursor = history.begin();
  history.next(cursor);
  expect(history.next(cursor)?.exemplars).toEqual([{ ...exemplar, series: 0 }]);
});

describe('bounds', () => {
  test('past the series that are kept, new ones are refused and the known ones go on', () => {
    const { intake, told } = setUp(2);
    const point = (route: string) => sum(1, { attributes: { route } });
    expect(['/a', '/b', '/c'].map((route) => intake.take(about(), point(route), ORIGIN))).toEqual([
      undefined,
      undefined,
      expect.stringContaining('more series'),
    ]);
    intake.take(about({ isDelta: true }), point('/b'), ORIGIN);
    expect(Object.values(told())).toEqual([[1], [2]]);
    expect(intake.largest(5)).toEqual([{ metric: 'calls_total', count: 2, budget: 2, folded: 1 }]);
  });

  test('two kinds by one name are not mixed', () => {
    const { intake, told } = setUp();
    intake.take(about({ name: 'x_total', isMonotonic: false }), gauge(5), ORIGIN);
    expect(intake.take(about({ name: 'x' }), sum(1), ORIGIN)).toContain('two kinds');
    expect(told()).toEqual({ 'x_total {"route":"/a","service_name":"web"}': [5] });
  });

  test('wide histograms do not fill the memory', () => {
    const { history, intake } = setUp(2000);
    const bounds = Array.from({ length: 900 }, (_, i) => i);
    const counts = Array.from({ length: 901 }, () => 1);
    for (let i = 0; i < 500; i += 1)
      intake.take(about({ name: 'wide' }), histogram(1, counts, bounds, { attributes: { i } }), ORIGIN);
    expect(history.count).toBeLessThan(200);
  });

  test('a metric without a name is none', () => {
    expect(setUp().intake.take(about({ name: '' }), sum(1), ORIGIN)).toContain('without a name');
  });
});

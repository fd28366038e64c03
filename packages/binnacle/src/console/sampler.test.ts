import { describe, expect, test, vi } from 'vitest';
import { createFaults } from '../faults.ts';
import { createRegistry } from '../metrics/registry.ts';
import { createHandClock } from '../testing/hand-clock.ts';
import { parseLabels } from './labels.ts';
import { MetricsHistory } from './metrics-history.ts';
import { SAMPLE_MS, Sampler } from './sampler.ts';
import type { MetricFamily, MetricsUpdate } from './wire.ts';

function setUp(bounds = { series: 2000, bytes: 16 * 1024 * 1024 }) {
  const registry = createRegistry({ namespace: '', faults: createFaults() });
  const history = new MetricsHistory(bounds);
  const clock = createHandClock();
  const onFault = vi.fn();
  const sampler = new Sampler({ registry, history, clock, onFault });
  const cursor = history.begin();
  const told = (): MetricsUpdate[] => {
    const updates: MetricsUpdate[] = [];
    for (let update = history.next(cursor); update !== undefined; update = history.next(cursor)) updates.push(update);
    return updates;
  };
  const families = new Map<string, MetricFamily>();
  const names = new Map<number, string>();
  /** What changed, by `name{labels}`. */
  const changes = (): Record<string, readonly number[]> => {
    const found: Record<string, readonly number[]> = {};
    for (const update of told()) {
      for (const family of update.families ?? []) families.set(family.name, family);
      for (const { id, family, labels } of update.series ?? []) names.set(id, `${family}${JSON.stringify(labels)}`);
      for (const [id = 0, ...value] of update.values) found[names.get(id) ?? ''] = value;
    }
    return found;
  };
  return { registry, history, clock, sampler, onFault, told, changes, families };
}

describe('a look at the registry', () => {
  test('tells all kinds, with their names, and after that what changed', async () => {
    const { registry, clock, sampler, changes, families } = setUp();
    const asked = registry.counter({ name: 'asked_total', help: 'Asked.', labels: ['who'] });
    const open = registry.gauge({ name: 'open_bytes', help: 'Open.' });
    const took = registry.histogram({ name: 'took_seconds', help: 'Took.', buckets: [1, 2] });
    asked.inc({ who: 'a "b"\\\n' });
    open.set(-4);
    for (const value of [0.5, 1.5, 9]) took.observe(value);
    await sampler.sample();
    expect(changes()).toMatchObject({
      [`asked_total${JSON.stringify({ who: 'a "b"\\\n' })}`]: [1],
      'open_bytes{}': [-4],
      'took_seconds{}': [11, 3, 1, 2],
    });
    expect(families.get('took_seconds')).toEqual({
      name: 'took_seconds',
      type: 'histogram',
      help: 'Took.',
      unit: 'seconds',
      bounds: [1, 2],
    });
    expect(families.get('asked_total')).toEqual({ name: 'asked_total', type: 'counter', help: 'Asked.' });
    expect(families.get('open_bytes')?.unit).toBe('bytes');
    took.observe(3);
    void clock.advance(SAMPLE_MS);
    await sampler.sample();
    expect(changes()).toEqual({ 'took_seconds{}': [14, 4, 1, 2] });
  });

  test('tells an exemplar once', async () => {
    const { registry, clock, sampler, told } = setUp();
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, endedAt: 1_700_000_000_000 };
    registry.meters.httpDuration
      .bind({
        http_request_method: 'GET',
        url_scheme: 'http',
        http_route: '/x',
        http_response_status_code: 200,
        error_type: '',
      })
      .observe(0.1, span);
    await sampler.sample();
    const [exemplar] = told().flatMap(({ exemplars = [] }) => exemplars);
    expect(exemplar).toMatchObject({ value: 0.1, time: span.endedAt, traceId: span.traceId, spanId: span.spanId });
    void clock.advance(SAMPLE_MS);
    await sampler.sample();
    expect(told().flatMap(({ exemplars = [] }) => exemplars)).toEqual([]);
  });

  test('tells guests, their histograms put together', async () => {
    const { registry, sampler, changes, families } = setUp();
    const metric = (name: string, type: string, values: object[]): object => ({ name, type, help: 'Theirs.', values });
    registry.guest({
      getMetricsAsJSON: async () => [
        metric('jobs_total', 'counter', [{ value: 3, labels: { queue: 'q' } }]),
        metric('wait_seconds', 'histogram', [
          { value: 1, labels: { le: 0.1, queue: 'q' }, metricName: 'wait_seconds_bucket' },
          { value: 2, labels: { le: 5, queue: 'q' }, metricName: 'wait_seconds_bucket' },
          { value: 2, labels: { le: '+Inf', queue: 'q' }, metricName: 'wait_seconds_bucket' },
          { value: 2.2, labels: { queue: 'q' }, metricName: 'wait_seconds_sum' },
          { value: 2, labels: { queue: 'q' }, metricName: 'wait_seconds_count' },
        ]),
        metric('size', 'summary', [
          { value: 9, labels: { quantile: 0.5 } },
          { value: 18, metricName: 'size_sum' },
          { value: 2, metricName: 'size_count' },
        ]),
      ],
    });
    await sampler.sample();
    expect(changes()).toMatchObject({
      'jobs_total{"queue":"q"}': [3],
      'wait_seconds{"queue":"q"}': [2.2, 2, 1, 2],
      'size{"quantile":"0.5"}': [9],
      'size_sum{}': [18],
      'size_count{}': [2],
    });
    expect(families.get('wait_seconds')?.bounds).toEqual([0.1, 5]);
    expect(families.get('size')?.type).toBe('gauge');
    expect(families.get('size_count')?.type).toBe('counter');
  });

  test('that fails is told, and the next one is made', async () => {
    const { registry, sampler, onFault, changes } = setUp();
    const look = vi.spyOn(registry, 'look').mockRejectedValueOnce(new Error('broken'));
    await sampler.sample();
    expect(onFault).toHaveBeenCalledOnce();
    look.mockRestore();
    await sampler.sample();
    expect(Object.keys(changes()).length).toBeGreaterThan(0);
  });

  test('leaves series out past the bound, and counts each once', async () => {
    const { history, sampler } = setUp({ series: 5, bytes: 1024 * 1024 });
    await sampler.sample();
    const { evicted } = history;
    expect([history.count, evicted > 0]).toEqual([5, true]);
    await sampler.sample();
    expect(history.evicted - evicted).toBeLessThan(5);
  });
});

test('it looks every two seconds, until it is closed, and takes nothing away from a scrape', async () => {
  const { registry, history, clock, sampler } = setUp();
  const seen: boolean[] = [];
  registry.beforeScrape((isLook) => void seen.push(isLook));
  await sampler.start();
  for (let look = 0; look < 3; look += 1) await clock.advance(SAMPLE_MS);
  await vi.waitFor(() => expect(seen).toEqual([true, true, true, true]));
  await registry.read();
  expect(seen.at(-1)).toBe(false);
  expect(history.latest).toBe(clock.wall());
  sampler.close();
  await clock.advance(SAMPLE_MS * 5);
  expect(seen).toHaveLength(5);
});

test('labels are read as they are written', () => {
  expect({ ...parseLabels('') }).toEqual({});
  expect({ ...parseLabels('a="x",b="y,z=\\"1\\"",c="\\\\n\\n"') }).toEqual({ a: 'x', b: 'y,z="1"', c: '\\n\n' });
  expect(Object.keys(parseLabels('__proto__="x"'))).toEqual(['__proto__']);
});

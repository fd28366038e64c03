import { describe, expect, expectTypeOf, test } from 'vitest';
import { createFaults } from '../faults.ts';
import type { BoundCounter, BoundGauge, BoundHistogram } from '../signals.ts';
import type { Counter, Gauge, Histogram } from './instrument.ts';
import { createRegistry, type Registry } from './registry.ts';

const registry = (): Registry => createRegistry({ namespace: '', faults: createFaults() });

async function samples(from: Registry, name: string): Promise<string[]> {
  let text = '';
  for await (const chunk of from.scrape('prometheus')) text += chunk;
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('types', () => {
  const metrics = registry();
  const jobs = metrics.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue', 'state'] });
  const depth = metrics.gauge({ name: 'depth', help: 'Depth.' });
  const time = metrics.histogram({ name: 'time_seconds', help: 'Time.', labels: ['queue'], buckets: [1, 2] });

  test('labels are those of the definition, without a cast', () => {
    expectTypeOf(jobs).toEqualTypeOf<Counter<'queue' | 'state'>>();
    expectTypeOf(depth).toEqualTypeOf<Gauge<never>>();
    expectTypeOf(time).toEqualTypeOf<Histogram<'queue'>>();
    expectTypeOf(jobs.bind({ queue: 'a', state: 'b' })).toEqualTypeOf<BoundCounter>();
    expectTypeOf(depth.bind({})).toEqualTypeOf<BoundGauge>();
    expectTypeOf(time.bind({ queue: 'a' })).toEqualTypeOf<BoundHistogram>();
    expectTypeOf(depth.set).parameters.toEqualTypeOf<[value: number]>();
    expectTypeOf(depth.inc).parameters.toEqualTypeOf<[value?: number]>();
  });

  test('a wrong, missing or superfluous label does not compile, nor does a method of another kind', () => {
    const wrong = [
      // @ts-expect-error a label that is not defined
      () => jobs.inc({ queue: 'a', status: 'b' }),
      // @ts-expect-error one label is missing
      () => jobs.inc({ queue: 'a' }),
      // @ts-expect-error one label too many
      () => jobs.bind({ queue: 'a', state: 'b', more: 'c' }),
      // @ts-expect-error labels are left out
      () => jobs.inc(2),
      // @ts-expect-error a label's value is text, number or boolean
      () => jobs.inc({ queue: 'a', state: {} }),
      // @ts-expect-error a metric without labels takes none
      () => depth.set({ queue: 'a' }, 1),
      // @ts-expect-error a gauge is set to something
      () => depth.set(),
      // @ts-expect-error a histogram observes something
      () => time.observe({ queue: 'a' }),
      // @ts-expect-error a counter cannot be set
      () => jobs.set({ queue: 'a', state: 'b' }, 1),
      // @ts-expect-error a histogram does not count
      () => time.inc({ queue: 'a' }),
      // @ts-expect-error only histograms have buckets
      () => metrics.counter({ name: 'more_total', help: 'More.', buckets: [1] }),
      // @ts-expect-error each metric says what it is
      () => metrics.gauge({ name: 'silent' }),
    ];
    expect(wrong).toHaveLength(12);
  });
});

describe('recording', () => {
  test('with labels, by label set or bound once', async () => {
    const metrics = registry();
    const jobs = metrics.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] });
    jobs.inc({ queue: 'a' });
    jobs.inc({ queue: 'a' }, 2);
    jobs.bind({ queue: 'a' }).inc(0.5);
    jobs.inc({ queue: 'b' });
    expect(await samples(metrics, 'jobs')).toEqual(['jobs_total{queue="a"} 3.5', 'jobs_total{queue="b"} 1']);
  });

  test('without labels, and there at 0 before the first', async () => {
    const metrics = registry();
    const done = metrics.counter({ name: 'done_total', help: 'Done.' });
    const depth = metrics.gauge({ name: 'depth', help: 'Depth.' });
    const time = metrics.histogram({ name: 'time_seconds', help: 'Time.', buckets: [1] });
    expect(await samples(metrics, 'd')).toEqual(['done_total 0', 'depth 0']);
    expect(await samples(metrics, 'time_seconds_count')).toEqual(['time_seconds_count 0']);
    done.inc();
    depth.set(5);
    depth.dec();
    depth.inc(3);
    time.observe(0.5);
    expect(await samples(metrics, 'd')).toEqual(['done_total 1', 'depth 7']);
    expect(await samples(metrics, 'time')).toEqual([
      'time_seconds_bucket{le="1"} 1',
      'time_seconds_bucket{le="+Inf"} 1',
      'time_seconds_sum 0.5',
      'time_seconds_count 1',
    ]);
  });

  test('a caller without types is not thrown at', () => {
    const metrics = registry();
    const jobs = metrics.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] }) as Counter<string>;
    expect(() => {
      jobs.inc(undefined as never);
      jobs.inc(null as never, 'x' as never);
      jobs.bind(undefined as never).inc();
    }).not.toThrow();
  });

  test('buckets are seconds from 5 ms to 10 s unless told', async () => {
    const metrics = registry();
    metrics.histogram({ name: 'time_seconds', help: 'Time.' });
    const bounds = (await samples(metrics, 'time_seconds_bucket')).map((line) => /le="(.*)"/.exec(line)?.[1]);
    expect([bounds[0], bounds.at(-2), bounds.at(-1)]).toEqual(['0.005', '10', '+Inf']);
  });
});

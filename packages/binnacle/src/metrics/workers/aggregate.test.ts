/** What several registries tell by slices, through JSON as between processes, against what they counted. */
import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry as HostRegistry, Summary } from 'prom-client';
import { expect, test } from 'vitest';
import type { AcrossWorkers } from '../../catalogue.ts';
import { createFaults } from '../../faults.ts';
import { expose, type Format } from '../exposition.ts';
import type { GuestRegistry } from '../guests.ts';
import { createRegistry, type Registry, type View } from '../registry.ts';
import { Aggregate, type Source } from './aggregate.ts';
import { type Pass, Reader, type ReaderOptions } from './reader.ts';
import { atOnce } from './slices.ts';
import { SLICE_CHARACTERS, type Slice } from './wire.ts';

const WHOLE: Pass = { whole: true, exemplars: true };

function setUp(maxSeries: Record<string, number> = {}) {
  const leftOut = new Set<string>();
  const aggregate = new Aggregate({ maxSeries, onLeftOut: (name) => leftOut.add(name) });
  return { aggregate, leftOut };
}

interface Told {
  readonly registry: Registry;
  readonly reader: Reader;
  readonly source: Source;
}

function worker(aggregate: Aggregate, place: string, options: ReaderOptions = {}): Told {
  return {
    registry: createRegistry({ namespace: '', faults: createFaults() }),
    reader: new Reader(options),
    source: aggregate.source(options.thread ? { worker: '', thread: place } : { worker: place, thread: '' }),
  };
}

/** All slices of a pass, as they arrive. */
function slicesOf(reader: Reader, view: View, pass: Pass = WHOLE): Slice[] {
  reader.begin(view, pass);
  const slices: Slice[] = [];
  for (let done = false; !done; ) {
    const next = reader.next();
    slices.push(JSON.parse(JSON.stringify(next.slice)) as Slice);
    done = next.done;
  }
  return slices;
}

async function tell({ registry, reader, source }: Told, pass: Pass = WHOLE): Promise<Slice[]> {
  const slices = slicesOf(reader, await registry.read(), pass);
  for (const slice of slices) source.apply(slice);
  return slices;
}

async function write(aggregate: Aggregate, format: Format = 'prometheus'): Promise<string> {
  atOnce(aggregate.settle());
  const { families, guests } = aggregate.view();
  let text = '';
  for await (const chunk of expose(families, guests, format)) text += chunk;
  return text;
}

/** The lines of one metric, sorted. */
async function linesOf(aggregate: Aggregate, name: string, format?: Format): Promise<string[]> {
  const text = await write(aggregate, format);
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .sort();
}

test('whatever workers count, in whatever order they tell and leave, the whole is the sum', async () => {
  const step = fc.record({ worker: fc.nat(2), job: fc.nat(4), by: fc.integer({ min: 1, max: 9 }), tell: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(2), async (steps, leaver) => {
      const { aggregate } = setUp();
      const workers = ['1', '2', '3'].map((place) => worker(aggregate, place));
      const meters = workers.map(({ registry }) => ({
        jobs: registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'] }),
        size: registry.histogram({ name: 'size', help: 'Size.', labels: ['job'], buckets: [2, 5] }),
        level: registry.gauge({ name: 'level', help: 'Level.', labels: ['job'] }),
      }));
      const sums = new Map<string, number>();
      const levels = new Map<string, number>();
      for (const { worker: at, job, by, tell: tells } of steps) {
        meters[at]?.jobs.inc({ job }, by);
        meters[at]?.size.observe({ job }, by);
        meters[at]?.level.set({ job }, by);
        levels.set(`${at} ${job}`, by);
        sums.set(`job="${job}"`, (sums.get(`job="${job}"`) ?? 0) + by);
        if (tells) await tell(workers[at] as Told, { whole: by % 2 === 0, exemplars: false });
      }
      for (const one of workers) await tell(one);
      atOnce((workers[leaver] as Told).source.leave());

      const text = await write(aggregate);
      const value = (series: string) => text.match(new RegExp(`^${series} (.*)$`, 'm'))?.[1];
      for (const [labels, sum] of sums) {
        expect(value(`jobs_total{${labels}}`)).toBe(String(sum));
        expect(value(`size_sum{${labels}}`)).toBe(String(sum));
      }
      const times = (low: number, high: number) => steps.filter(({ by }) => by > low && by <= high).length;
      const bucket = (le: string) =>
        [0, 1, 2, 3, 4].reduce((sum, job) => sum + Number(value(`size_bucket{job="${job}",le="${le}"}`) ?? 0), 0);
      expect([bucket('2'), bucket('5'), bucket('\\+Inf')]).toEqual([times(0, 2), times(0, 5), steps.length]);
      for (const job of [0, 1, 2, 3, 4]) {
        const left = [0, 1, 2].filter((at) => at !== leaver).map((at) => levels.get(`${at} ${job}`));
        const there = left.filter((level) => level !== undefined);
        const sum = there.reduce((all, level) => all + level, 0);
        expect(value(`level{job="${job}"}`)).toBe(there.length === 0 ? undefined : String(sum));
      }
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['sum', ['level 9']],
  ['max', ['level 5']],
  ['min', ['level 1']],
  ['average', ['level 3']],
  ['each', ['level{worker="1"} 5', 'level{worker="2"} 1', 'level{worker="3"} 3']],
] as const)('a gauge of which the %s is told', async (workers, lines) => {
  const { aggregate } = setUp();
  for (const [place, value] of [
    ['1', 5],
    ['2', 1],
    ['3', 3],
  ] as const) {
    const one = worker(aggregate, place);
    one.registry.gauge({ name: 'level', help: 'Level.', workers }).set(value);
    await tell(one);
  }
  expect(await linesOf(aggregate, 'level')).toEqual(lines);
});

test('gauges that are no numbers pass', async () => {
  const { aggregate } = setUp();
  for (const [place, value] of Object.entries([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])) {
    const one = worker(aggregate, place);
    one.registry.gauge({ name: 'level', help: 'Level.', workers: 'each' }).set(value);
    await tell(one);
  }
  expect((await linesOf(aggregate, 'level')).map((line) => line.split(' ')[1])).toEqual(['NaN', '+Inf', '-Inf']);
});

test('of the resource one is told: of the first, and once it is gone of the next', async () => {
  const { aggregate } = setUp();
  const both = ['1', '2'].map((place) => worker(aggregate, place));
  for (const [at, { registry }] of both.entries()) {
    const labels = { service_name: 's', service_version: '1', deployment_environment_name: 'test' };
    registry.meters.targetInfo.bind({ ...labels, service_instance_id: `id-${at}` }).set(1);
  }
  await tell(both[1] as Told);
  await tell(both[0] as Told);
  expect(await linesOf(aggregate, 'target_info')).toEqual([expect.stringContaining('id-0')]);
  atOnce((both[0] as Told).source.leave());
  expect(await linesOf(aggregate, 'target_info')).toEqual([expect.stringContaining('id-1')]);
});

test('a thread tells nothing that is of its process, and its own gauges by its label', async () => {
  const { aggregate } = setUp();
  const thread = worker(aggregate, '1', { thread: true });
  const define = (name: string, kind: 'gauge' | 'counter', workers: AcrossWorkers) =>
    thread.registry.define({ name, kind, unit: '', labels: [], help: 'H.', workers }).bind({}).inc(7);
  define('process_memory_bytes', 'gauge', 'process');
  define('process_cpu_seconds_total', 'counter', 'process');
  define('nodejs_heap_bytes', 'gauge', 'each');
  await tell(thread);
  const text = await write(aggregate);
  expect(text).not.toContain('process_');
  expect(text).toContain('nodejs_heap_bytes{thread="1"} 7');
});

test('a second pass tells only what changed, and labels only once', async () => {
  const { aggregate } = setUp();
  const one = worker(aggregate, '1');
  const jobs = one.registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'], maxSeries: 5000 });
  for (let job = 0; job < 5000; job += 1) jobs.inc({ job });
  const first = await tell(one, { whole: false, exemplars: false });
  jobs.inc({ job: 77 }, 3);
  const second = await tell(one, { whole: false, exemplars: false });
  expect(JSON.stringify(first).length).toBeGreaterThan(100_000);
  expect(JSON.stringify(second).length).toBeLessThan(1000);
  expect(second.flatMap(({ series, families }) => [...series, ...families])).toEqual([]);
  expect(second.flatMap(({ figures }) => figures)).toEqual([expect.any(Number), 3]);
  expect(await write(aggregate)).toContain('jobs_total{job="77"} 4\n');
});

test('no message is much longer than its bound, and what is longer by itself is left out', async () => {
  const { aggregate } = setUp();
  const one = worker(aggregate, '1');
  const jobs = one.registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'], maxSeries: 5000 });
  for (let job = 0; job < 3000; job += 1) jobs.inc({ job: `${job}`.padStart(100, 'x') });
  for (let job = 0; job < 20; job += 1) jobs.inc({ job: `${job}`.padStart(20_000, 'x') });
  jobs.inc({ job: 'z'.repeat(40_000) });
  const time = one.registry.histogram({ name: 'seconds', help: 'T.', labels: ['job'], maxSeries: 5000 });
  for (let job = 0; job < 3000; job += 1) time.observe({ job }, Math.PI);
  const slices = await tell(one);
  expect(slices.length).toBeGreaterThan(20);
  // One series may pass the bound: of at most the bound itself.
  for (const slice of slices) expect(JSON.stringify(slice).length).toBeLessThan(2.2 * SLICE_CHARACTERS);
  const lines = await linesOf(aggregate, 'jobs_total');
  expect(lines).toHaveLength(3020);
  expect(await linesOf(aggregate, 'seconds_count')).toHaveLength(3000);
});

test('budgets hold over the whole: past one, label sets of all workers fold and are counted', async () => {
  const { aggregate } = setUp({ small_total: 2 });
  for (const place of ['1', '2', '3']) {
    const one = worker(aggregate, place);
    const jobs = one.registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'], maxSeries: 4 });
    const small = one.registry.counter({ name: 'small_total', help: 'Jobs.', labels: ['job'] });
    const level = one.registry.gauge({ name: 'level', help: 'Level.', labels: ['job'], maxSeries: 4 });
    for (const job of ['a', 'b', 'c', 'd']) {
      jobs.inc({ job: `${job}${place}` });
      small.inc({ job });
      level.set({ job: `${job}${place}` }, 2);
    }
    await tell(one);
  }
  expect(await linesOf(aggregate, 'jobs_total')).toEqual([
    'jobs_total{job="_other"} 8',
    'jobs_total{job="a1"} 1',
    'jobs_total{job="b1"} 1',
    'jobs_total{job="c1"} 1',
    'jobs_total{job="d1"} 1',
  ]);
  expect(await linesOf(aggregate, 'level')).toContain('level{job="_other"} 16');
  expect(await linesOf(aggregate, 'small_total')).toEqual([
    'small_total{job="_other"} 6',
    'small_total{job="a"} 3',
    'small_total{job="b"} 3',
  ]);
  expect(await linesOf(aggregate, 'binnacle_series_folded_total{metric="jobs_total"}')).toEqual([
    'binnacle_series_folded_total{metric="jobs_total"} 8',
  ]);
});

test('of exemplars the latest is kept', async () => {
  const { aggregate } = setUp();
  const [old, young] = ['1', '2'].map((place) => worker(aggregate, place)) as [Told, Told];
  const observe = ({ registry }: Told, traceId: string) =>
    registry
      .histogram({ name: 'seconds', help: 'T.', buckets: [1] })
      .bind({})
      .observe(0.5, { traceId, spanId: 'b'.repeat(16), traceFlags: 1 });
  observe(old, '1'.repeat(32));
  const later = performance.now() + 2;
  while (performance.now() < later);
  observe(young, '2'.repeat(32));
  await tell(young);
  await tell(old);
  const [line] = await linesOf(aggregate, 'seconds_bucket{le="1"}', 'openmetrics');
  expect(line).toContain(`2 # {trace_id="${'2'.repeat(32)}",span_id="${'b'.repeat(16)}"} 0.5`);
});

test("a host's registries are put together as prom-client would, and a reset takes nothing away", async () => {
  const { aggregate } = setUp();
  const hosts = ['1', '2'].map((place) => {
    const host = new HostRegistry();
    const registers = [host];
    const meters = {
      jobs: new Counter({ name: 'host_jobs_total', help: 'J.', labelNames: ['job'], registers }),
      sum: new Gauge({ name: 'host_sum', help: 'S.', registers }),
      max: new Gauge({ name: 'host_max', help: 'M.', registers, aggregator: 'max' }),
      omitted: new Gauge({ name: 'host_omitted', help: 'O.', registers, aggregator: 'omit' }),
      time: new Histogram({ name: 'host_seconds', help: 'T.', buckets: [1], registers }),
      size: new Summary({ name: 'host_size', help: 'S.', percentiles: [0.5], registers }),
    };
    const told = worker(aggregate, place);
    told.registry.guest(host as unknown as GuestRegistry);
    return { host, meters, told };
  });
  for (const [at, { meters, told }] of hosts.entries()) {
    meters.jobs.inc({ job: 'a "b"' }, 7 - at);
    meters.sum.set(at + 1);
    meters.max.set(at + 1);
    meters.omitted.set(1);
    meters.time.observe(0.5);
    meters.size.observe(4);
    await tell(told);
  }
  hosts[0]?.host.resetMetrics();
  hosts[0]?.meters.jobs.inc({ job: 'a "b"' }, 5);
  hosts[0]?.meters.time.observe(2);
  await tell(hosts[0]?.told as Told);
  const lines = await linesOf(aggregate, 'host_');
  expect(lines).toEqual(
    expect.arrayContaining([
      'host_jobs_total{job="a \\"b\\""} 18',
      'host_sum 2',
      'host_max 2',
      'host_seconds_bucket{le="1"} 2',
      'host_seconds_bucket{le="+Inf"} 3',
      'host_seconds_sum 3',
      'host_seconds_count 3',
      'host_size_count 2',
    ]),
  );
  expect(lines.some((line) => line.startsWith('host_omitted'))).toBe(false);
});

test('a metric that another worker defined otherwise is left out, and the rest goes on', async () => {
  const { aggregate, leftOut } = setUp();
  const [one, other] = ['1', '2'].map((place) => worker(aggregate, place)) as [Told, Told];
  one.registry.histogram({ name: 'seconds', help: 'T.', buckets: [1, 2] }).observe(1);
  other.registry.histogram({ name: 'seconds', help: 'T.', buckets: [1, 2, 3] }).observe(1);
  other.registry.counter({ name: 'jobs_total', help: 'J.' }).inc(4);
  await tell(one);
  await tell(other);
  await tell(other);
  expect([...leftOut]).toEqual(['seconds']);
  expect(await linesOf(aggregate, 'seconds_count')).toEqual(['seconds_count 1']);
  expect(await linesOf(aggregate, 'jobs_total')).toEqual(['jobs_total 4']);
});

test('whoever is to write the scrape gets the whole, byte for byte', async () => {
  const { aggregate } = setUp({ jobs_total: 3 });
  for (const place of ['1', '2']) {
    const one = worker(aggregate, place);
    const jobs = one.registry.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'] });
    for (const job of ['a', 'b', `c"${place}\\`, `d\n${place}`]) jobs.inc({ job });
    one.registry.gauge({ name: 'level', help: 'Level.', workers: 'each' }).set(0);
    one.registry.histogram({ name: 'seconds', help: 'T.', buckets: [1] }).observe(0.1 + 0.2);
    await tell(one);
  }
  atOnce(aggregate.settle());
  const replica = setUp().aggregate;
  const source = replica.source({ worker: '', thread: '' });
  for (const slice of slicesOf(new Reader({ final: true }), aggregate.view())) source.apply(slice);
  expect(await write(replica)).toBe(await write(aggregate));
});

test.each([
  [{ figures: [99, 1] }],
  [{ series: [0, 99, 'a="b"'] }],
  [{ series: [0, 0, 'a=b'] }],
  [{ series: [0] }],
  [{ figures: [0] }],
  [{ families: [{ name: 'bad name', kind: 'counter' }] }],
  [{ families: [null] }],
  [{ figures: [1, 0.5, -2, 0, 0] }],
  [{ figures: [1, 0.5, 1, 7, 1] }],
  [{ figures: [1, 0.5, 1, 0, -1] }],
  [null],
])('a slice without sense throws, and does not go half-way into a loop: %j', (slice) => {
  const { aggregate } = setUp();
  const source = aggregate.source({ worker: '1', thread: '' });
  const common = { help: '', labels: ['a'], maxSeries: 9, workers: 'sum', guest: false } as const;
  const families = [
    { ...common, name: 'jobs_total', kind: 'counter', buckets: [] },
    { ...common, name: 'seconds', kind: 'histogram', buckets: [1] },
  ];
  const empty: Slice = { families: [], series: [], figures: [], exemplars: [], gone: [] };
  source.apply({ ...empty, families, series: [0, 0, 'a="b"', 1, 1, 'a="b"'] });
  expect(() => source.apply(slice === null ? (null as never) : ({ ...empty, ...slice } as never))).toThrow();
});

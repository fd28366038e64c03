/** One `/metrics` over real workers: processes of a cluster and threads, that come, count, hang and die. */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import {
  type Bundle,
  bundleProgram,
  type Ports,
  type Program,
  type ProgramSettings,
  scrapePort,
  seriesIn,
  startProgram,
  sumOf,
} from './workers/run.ts';

const WORKERS = 8;
const SERIES = 5000;
/** How long a scrape waits for workers, in milliseconds, as gatherer.ts has it; and what a busy machine may add. */
const GATHER_MS = 1000;
const GENEROUS_MS = 4000;
const AT = Array.from({ length: WORKERS }, (_, at) => at);

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleProgram();
});
afterAll(() => bundle.remove());

const running: Program[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.kill()));
});

interface Counted {
  readonly jobs: number;
  readonly count: number;
  readonly sum: number;
}

interface Started {
  readonly program: Program;
  readonly ports: Ports[];
}

async function start(workers: number, settings: ProgramSettings): Promise<Started> {
  const program = startProgram(bundle, settings);
  running.push(program);
  const ports: Ports[] = [];
  for (let at = 0; at < workers; at += 1) ports.push(await program.tell<Ports>('primary', 'fork'));
  return { program, ports };
}

const linesOf = (text: string, shape: RegExp): string[] =>
  text.split('\n').flatMap((line) => shape.exec(line)?.[0] ?? []);

const portOf = ({ ports }: Started, at: number): number => (ports[at] as Ports).own;

function need(context: TestContext, tool: string): void {
  if (spawnSync(tool, ['--version']).error === undefined) return;
  if (process.env.REQUIRE_SERVERS === '1') throw new Error(`${tool} is not on the PATH, and REQUIRE_SERVERS is 1`);
  context.skip(`${tool} is not on the PATH`);
}

/** What a scrape says that all have counted. */
function countedIn(text: string): Counted {
  return {
    jobs: sumOf(text, 'jobs_total'),
    count: sumOf(text, 'job_seconds_count'),
    sum: sumOf(text, 'job_seconds_sum'),
  };
}

const total = (counted: readonly Counted[]): Counted =>
  counted.reduce((all, one) => ({ jobs: all.jobs + one.jobs, count: all.count + one.count, sum: all.sum + one.sum }));

/** Scrapes until a scrape says so: on a busy machine a worker may have no time to answer the first ones. */
async function untilCounted(port: number, counted: Counted, ...gauges: readonly [RegExp, number][]): Promise<string> {
  return vi.waitFor(
    async () => {
      const { text } = await scrapePort(port);
      expect(countedIn(text)).toEqual(counted);
      for (const [shape, count] of gauges) expect(linesOf(text, shape)).toHaveLength(count);
      return text;
    },
    { timeout: 20_000, interval: 20 },
  );
}

describe(`a cluster of ${WORKERS} workers with ${SERIES} series each`, () => {
  let cluster: Started;
  const counted: Counted[] = [];
  beforeAll(async () => {
    cluster = await start(WORKERS, { primary: 'observe', series: SERIES });
    running.splice(0);
    for (const at of AT) counted.push(await cluster.program.tell<Counted>(at, 'count', { by: at + 1 }));
  });
  afterAll(() => cluster.program.kill());

  test('whoever answers, a worker, the port of all or the primary, tells the same sums', async () => {
    const { program, ports } = cluster;
    const expected = total(counted);
    expect(expected).toEqual({ jobs: 2500 * 36, count: 2500 * 8, sum: (2500 * 36) / 8 });
    const text = await untilCounted(portOf(cluster, 0), expected);
    expect(seriesIn(text, 'jobs_total{job="job \\"7\\" \\\\ ü\\n"}')).toBe(36);
    expect(seriesIn(text, 'job_seconds_bucket{job="job \\"7\\" \\\\ ü\\n",le="0.1"}')).toBe(0);
    expect(seriesIn(text, 'job_seconds_bucket{job="job \\"7\\" \\\\ ü\\n",le="1"}')).toBe(8);
    for (const at of AT) counted[at] = await program.tell<Counted>(at, 'count', { by: 3 });
    const again = total(counted);
    for (const port of [portOf(cluster, 5), (ports[0] as Ports).shared]) {
      await untilCounted(port, again);
    }
    expect(countedIn(await program.tell<string>('primary', 'scrape'))).toEqual(again);
  });

  test('gauges are put together as each is meant: summed, the most, of each worker', async () => {
    const { program } = cluster;
    for (const at of AT) await program.tell(at, 'levels', at + 1);
    const text = await vi.waitFor(async () => {
      const scraped = await scrapePort(portOf(cluster, 3));
      expect(seriesIn(scraped.text, 'levels{job="a"}')).toBe(36);
      return scraped.text;
    }, 20_000);
    expect(seriesIn(text, 'levels_most')).toBe(8);
    expect(sumOf(text, 'levels_each')).toBe(36);
    expect(linesOf(text, /^levels_each\{worker="\d"\}/)).toHaveLength(WORKERS);
    expect([seriesIn(text, 'host_levels'), seriesIn(text, 'host_jobs_total')]).toEqual([8, 36]);
    // The primary's own, and one of each worker.
    expect(linesOf(text, /^process_resident_memory_bytes/)).toHaveLength(WORKERS + 1);
    expect(linesOf(text, /^process_cpu_seconds_total /)).toHaveLength(1);
    expect(linesOf(text, /^target_info/)).toHaveLength(1);
    expect(seriesIn(text, 'binnacle_workers_gathered')).toBe(1);
    expect(seriesIn(text, 'binnacle_series{metric="jobs_total"}')).toBe(SERIES / 2);
    expect(linesOf(text, /^binnacle_worker_report_age_seconds\{worker="\d"\}/)).toHaveLength(WORKERS);
  });

  test('promtool finds nothing in it, and OpenMetrics has the exemplars of any worker', async (context) => {
    const { program } = cluster;
    counted[2] = await program.tell<Counted>(2, 'exemplar', '4bf92f3577b34da6a3ce929d0e0e4736');
    const open = await scrapePort(portOf(cluster, 6), 'application/openmetrics-text');
    expect(open.text).toMatch(
      /job="x",le="0.1"\} 1 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"\} 0.0625 \d+\.\d{3}\n/,
    );
    expect(open.text.endsWith('# EOF\n')).toBe(true);
    need(context, 'promtool');
    for (const input of [
      (await scrapePort(portOf(cluster, 1))).text,
      await program.tell<string>('primary', 'scrape'),
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    }
  });

  test('a worker that hangs neither fails nor delays the scrape beyond its bound, and is told of', async () => {
    const { program } = cluster;
    const text = await untilCounted(portOf(cluster, 0), total(counted));
    const before = countedIn(text);
    const place = /^levels_each\{worker="(\d)"\} 8$/m.exec(text)?.[1];
    await program.tell('primary', 'kill', { worker: 7, signal: 'SIGSTOP' });
    const first = await scrapePort(portOf(cluster, 0));
    expect(first.ms).toBeLessThan(GATHER_MS + GENEROUS_MS);
    expect(countedIn(first.text)).toEqual(before);
    counted[0] = await program.tell<Counted>(0, 'count', { by: 1 });
    // It is not waited for again.
    const again: number[] = [];
    for (const at of [0, 1, 2, 3]) again.push((await scrapePort(portOf(cluster, at))).ms);
    expect(Math.min(...again)).toBeLessThan(GATHER_MS);
    const stale = await vi.waitFor(async () => {
      const scraped = await scrapePort(portOf(cluster, 0));
      const age = seriesIn(scraped.text, `binnacle_worker_report_age_seconds{worker="${place}"}`);
      expect(age).toBeGreaterThan(1.5);
      return scraped.text;
    }, 20_000);
    expect(countedIn(stale).jobs).toBe(before.jobs + 2500);
    expect(seriesIn(stale, `levels_each{worker="${place}"}`)).toBe(8);
    expect(program.lines.join('\n')).toContain('A worker does not answer');

    await program.tell('primary', 'kill', { worker: 7, signal: 'SIGCONT' });
    counted[7] = await program.tell<Counted>(7, 'count', { by: 1 });
    await untilCounted(portOf(cluster, 0), total(counted));
    await vi.waitFor(() => expect(program.lines.join('\n')).toContain('All workers answer scrapes again'), 20_000);
  });

  test('counts never fall while workers are killed and others take their places', async () => {
    const { program, ports } = cluster;
    let last = await untilCounted(portOf(cluster, 0), total(counted));
    let killing = true;
    const watch = (async () => {
      while (killing) {
        const { text } = await scrapePort(portOf(cluster, 0));
        for (const key of ['jobs', 'count', 'sum'] as const) {
          expect(countedIn(text)[key]).toBeGreaterThanOrEqual(countedIn(last)[key]);
        }
        last = text;
      }
    })();
    for (const worker of [4, 5, 6]) {
      await program.tell('primary', 'kill', { worker, signal: 'SIGKILL' });
      ports.push(await program.tell<Ports>('primary', 'fork'));
      counted.push(await program.tell<Counted>(ports.length - 1, 'count', { by: 2, prefix: 'new ' }));
    }
    killing = false;
    await watch;
    // All that the killed ones had told is still there, their gauges are not, and their numbers are taken again.
    const memories = /^process_resident_memory_bytes\{worker="\d"\}/;
    const text = await untilCounted(portOf(cluster, 0), total(counted), [memories, WORKERS]);
    expect(linesOf(text, /^levels_each\{worker="\d"\} [567]$/)).toEqual([]);
    expect(linesOf(text, memories).sort()).toEqual(AT.map((at) => `process_resident_memory_bytes{worker="${at + 1}"}`));
    expect(seriesIn(text, 'levels{job="a"}')).toBe(1 + 2 + 3 + 4 + 8);
  });

  test('what a worker counted right before it left by itself is not lost', async () => {
    const { program, ports } = cluster;
    ports.push(await program.tell<Ports>('primary', 'fork'));
    const at = ports.length - 1;
    counted.push(await program.tell<Counted>(at, 'count', { by: 1 }));
    await untilCounted(portOf(cluster, 0), total(counted));
    void program.tell(at, 'countAndExit', { by: 5 });
    const { jobs, count, sum } = counted[at] as Counted;
    counted[at] = { jobs: jobs + 2500 * 5, count: count + 2500, sum: sum + (2500 * 5) / 8 };
    await untilCounted(portOf(cluster, 0), total(counted));
  });

  test('everything exits by itself once the cluster disconnects', async () => {
    const { program } = cluster;
    await program.tell('primary', 'disconnect');
    void program.tell('primary', 'letGo');
    const [code, signal] = (await program.exited) as [number | null, string | null];
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});

test("the primary's loop is not held, though all workers tell of new series at once", {
  timeout: 120_000,
}, async () => {
  const cluster = await start(WORKERS, { primary: 'observe', series: SERIES });
  const alone = await start(1, { primary: 'nothing', series: SERIES, apart: true });
  const own: number[] = [];
  const holds: { wall: number; cpu: number }[] = [];
  const scrapes: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const value = { by: 1, prefix: `round ${round} ` };
    await alone.program.tell(0, 'count', value);
    own.push(await alone.program.tell<number>(0, 'scrapeCpu'));
    await cluster.program.tell('primary', 'watchLoop');
    const counted = await Promise.all(AT.map((at) => cluster.program.tell<Counted>(at, 'count', value)));
    await untilCounted(portOf(cluster, round), total(counted));
    scrapes.push((await scrapePort(portOf(cluster, round))).ms);
    holds.push(await cluster.program.tell<(typeof holds)[number]>('primary', 'longestHold'));
  }
  const list = (of: readonly number[]): string => `${of.map((ms) => ms.toFixed(1)).join(' ')} ms`;
  const [walls, cpus] = [holds.map(({ wall }) => wall), holds.map(({ cpu }) => cpu)];
  process.stdout.write(
    `the primary's longest holds: ${list(walls)}, of processor time: ${list(cpus)}; scrapes of all: ${list(scrapes)}; one worker's own scrape, processor time: ${list(own)}\n`,
  );
  // A collection of garbage may fall into one of a round's turns: the middle round counts.
  const middle = cpus.toSorted((a, b) => a - b)[2];
  expect(middle).toBeLessThan(Math.min(...own));
});

test('a primary without metrics of its own gathers by one call', async () => {
  const cluster = await start(3, { primary: 'gather', series: 100 });
  const counted: Counted[] = [];
  for (const at of [0, 1, 2]) counted.push(await cluster.program.tell<Counted>(at, 'count', { by: at + 1 }));
  const memories = /^process_resident_memory_bytes/;
  const text = await untilCounted(portOf(cluster, 1), total(counted), [memories, 3], [/^target_info/, 1]);
  expect(seriesIn(text, 'binnacle_workers_gathered')).toBe(1);
});

test('where nothing gathers the scrape says that it is of one worker, in a metric and one line', async () => {
  const cluster = await start(2, { primary: 'nothing', series: 100 });
  const counted = await cluster.program.tell<Counted>(0, 'count', { by: 1 });
  await cluster.program.tell(1, 'count', { by: 1 });
  for (const expected of [counted, counted]) {
    const { text, ms } = await scrapePort(portOf(cluster, 0));
    expect(countedIn(text)).toEqual(expected);
    expect(seriesIn(text, 'binnacle_workers_gathered')).toBe(0);
    expect(ms).toBeLessThan(GATHER_MS + GENEROUS_MS);
  }
  const alone = (): string[] => cluster.program.lines.filter((line) => line.includes('tells of this worker alone'));
  await vi.waitFor(() => expect(alone()).not.toEqual([]), 20_000);
  expect(alone()).toHaveLength(1);
});

test('a primary that begins to gather late finds its workers, whatever else they send it', async () => {
  const cluster = await start(2, { primary: 'nothing', series: 100, advanced: true });
  const { program } = cluster;
  const counted = [
    await program.tell<Counted>(0, 'count', { by: 1 }),
    await program.tell<Counted>(1, 'count', { by: 2 }),
  ];
  expect(seriesIn((await scrapePort(portOf(cluster, 0))).text, 'binnacle_workers_gathered')).toBe(0);
  // Where nothing gathers, nothing is waited for either, once the worker has been there for a while.
  await vi.waitFor(async () => expect((await scrapePort(portOf(cluster, 1))).ms).toBeLessThan(GATHER_MS), 20_000);
  await program.tell('primary', 'gatherNow');
  const text = await untilCounted(portOf(cluster, 0), total(counted));
  expect(seriesIn(text, 'binnacle_workers_gathered')).toBe(1);
  await program.tell(0, 'chatter');
  counted[0] = await program.tell<Counted>(0, 'count', { by: 5 });
  await untilCounted(portOf(cluster, 1), total(counted));
});

test('apart, each worker tells of itself and of nothing else', async () => {
  const cluster = await start(2, { primary: 'observe', series: 100, apart: true });
  const counted = await cluster.program.tell<Counted>(0, 'count', { by: 1 });
  await cluster.program.tell(1, 'count', { by: 1 });
  const { text } = await scrapePort(portOf(cluster, 0));
  expect(countedIn(text)).toEqual(counted);
  expect(seriesIn(text, 'binnacle_workers_gathered')).toBeUndefined();
  expect(cluster.program.lines).toEqual([]);
});

test('a scrape fails where the primary hangs, rather than telling of fewer than all', { timeout: 60_000 }, async () => {
  const cluster = await start(2, { primary: 'observe', series: 100 });
  const counted: Counted[] = [];
  for (const at of [0, 1]) counted.push(await cluster.program.tell<Counted>(at, 'count', { by: 1 }));
  await untilCounted(portOf(cluster, 0), total(counted));
  cluster.program.child.kill('SIGSTOP');
  await expect(scrapePort(portOf(cluster, 0))).rejects.toThrow();
  cluster.program.child.kill('SIGCONT');
  await untilCounted(portOf(cluster, 0), total(counted));
});

describe('threads', () => {
  test('the main thread and any other tell of all; what a thread counted stays when it ends in any way', async () => {
    const threads = await start(4, { primary: 'observe', kind: 'threads', series: SERIES });
    const { program, ports } = threads;
    const counted: Counted[] = [];
    for (const at of [0, 1, 2, 3]) counted.push(await program.tell<Counted>(at, 'count', { by: at + 1 }));
    const port = await program.tell<number>('primary', 'serve');
    const heaps = /^nodejs_heap_size_used_bytes(\{thread="\d"\})? /;
    const text = await untilCounted(port, total(counted), [heaps, 5]);
    expect(countedIn((await scrapePort(portOf(threads, 2))).text)).toEqual(total(counted));
    // What is of the process is told once, what is of a thread by each.
    expect(linesOf(text, /^process_resident_memory_bytes/)).toHaveLength(1);
    expect(seriesIn(text, 'binnacle_workers_gathered')).toBe(1);

    await program.tell('primary', 'kill', { worker: 0 });
    void program.tell(1, 'countAndExit', { by: 5 });
    const { jobs, count, sum } = counted[1] as Counted;
    counted[1] = { jobs: jobs + 2500 * 5, count: count + 2500, sum: sum + (2500 * 5) / 8 };
    ports.push(await program.tell<Ports>('primary', 'fork'));
    counted.push(await program.tell<Counted>(4, 'count', { by: 2, prefix: 'new ' }));
    await untilCounted(port, total(counted), [heaps, 4]);
  });

  test('a thread that hangs does not hold the scrape up', async () => {
    const { program } = await start(2, { primary: 'observe', kind: 'threads', series: 100 });
    const port = await program.tell<number>('primary', 'serve');
    const counted: Counted[] = [];
    for (const at of [0, 1]) counted.push(await program.tell<Counted>(at, 'count', { by: 1 }));
    await untilCounted(port, total(counted));
    void program.tell(1, 'hang');
    const first = await scrapePort(port);
    expect(first.ms).toBeLessThan(GATHER_MS + GENEROUS_MS);
    expect(countedIn(first.text)).toEqual(total(counted));
    const again: number[] = [];
    for (let i = 0; i < 4; i += 1) again.push((await scrapePort(port)).ms);
    expect(Math.min(...again)).toBeLessThan(GATHER_MS);
  });

  test('nothing keeps a process or a thread that is at its end', async () => {
    const { program } = await start(2, { primary: 'observe', kind: 'threads', series: 10 });
    const port = await program.tell<number>('primary', 'serve');
    const counted: Counted[] = [];
    for (const at of [0, 1]) counted.push(await program.tell<Counted>(at, 'count', { by: 1 }));
    await untilCounted(port, total(counted));
    for (const at of [0, 1]) await program.tell(at, 'letGo');
    void program.tell('primary', 'letGo');
    expect((await program.exited) as unknown[]).toEqual([0, null]);
  });

  test('nor a thread that its host lets go while it runs', async () => {
    const { program } = await start(1, { primary: 'observe', kind: 'threads', series: 10 });
    const port = await program.tell<number>('primary', 'serve');
    await untilCounted(port, await program.tell<Counted>(0, 'count', { by: 1 }));
    await program.tell('primary', 'unref', 0);
    void program.tell('primary', 'letGo');
    expect((await program.exited) as unknown[]).toEqual([0, null]);
  });

  test('a thread in a worker of a cluster is part of the whole', async () => {
    const cluster = await start(2, { primary: 'observe', series: 100 });
    const { program } = cluster;
    const counted: Counted[] = [];
    // What was told before the worker had a thread is not told twice after.
    for (const at of [0, 1]) counted.push(await program.tell<Counted>(at, 'count', { by: 1 }));
    await untilCounted(portOf(cluster, 1), total(counted));
    const { own } = await program.tell<Ports>(0, 'thread');
    counted.push(await program.tell<Counted>(0, 'toThread', { what: 'count', value: { by: 2 } }));
    await untilCounted(
      portOf(cluster, 1),
      total(counted),
      [/^nodejs_heap_size_used_bytes\{worker="1",thread="1"\} /, 1],
      [/^binnacle_worker_report_age_seconds\{worker="1",thread="1"\} /, 1],
      [/^process_resident_memory_bytes/, 3],
    );
    expect(countedIn((await scrapePort(own)).text)).toEqual(total(counted));
    counted[0] = await program.tell<Counted>(0, 'count', { by: 4 });
    counted[2] = await program.tell<Counted>(0, 'toThread', { what: 'count', value: { by: 1 } });
    await untilCounted(portOf(cluster, 0), total(counted));
  });
});

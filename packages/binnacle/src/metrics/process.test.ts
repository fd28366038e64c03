import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Registry as PromRegistry } from 'prom-client';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { processDefinitions } from '../catalogue-process.ts';
import { createFaults } from '../faults.ts';
import { observeProcess } from './process.ts';
import { createRegistry } from './registry.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  vi.restoreAllMocks();
});

function setUp(legacy = false) {
  const lines: string[] = [];
  const faults = createFaults();
  faults.connect((_level, _logger, message) => lines.push(message));
  const registry = createRegistry({ namespace: 'fit_check', faults });
  const observed = observeProcess(registry, { legacy });
  open.push(observed);
  const scrape = async (): Promise<Map<string, number>> => {
    let text = '';
    for await (const chunk of registry.scrape('prometheus')) text += chunk;
    const samples = [...text.matchAll(/^([^#\n]\S*) (\S+)$/gm)];
    return new Map(samples.map(([, name = '', value]) => [name, Number(value)]));
  };
  return { lines, observed, registry, scrape };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const mine = (samples: Map<string, number>) => [...samples.keys()].filter((name) => /^(process|nodejs)_/.test(name));

describe('beside prom-client', () => {
  test('names, kinds and labels are its own', async () => {
    const prom = new PromRegistry();
    collectDefaultMetrics({ register: prom });
    const theirs = (await prom.getMetricsAsJSON()) as unknown as {
      name: string;
      type: string;
      values: { labels: object }[];
    }[];
    const ours = Object.values(processDefinitions);
    expect(ours.map(({ name }) => name).sort()).toEqual(theirs.map(({ name }) => name).sort());
    for (const { name, type, values } of theirs) {
      const row = ours.find((one) => one.name === name);
      expect({ name, type: row?.kind }).toEqual({ name, type });
      if (values[0] && type !== 'histogram') expect(row?.labels).toEqual(Object.keys(values[0].labels));
    }
  });

  test('series and values are its own, within what changes between two reads', async () => {
    const { scrape } = setUp(true);
    const prom = new PromRegistry();
    collectDefaultMetrics({ register: prom });
    const [samples, theirs] = [await scrape(), await prom.metrics()];
    const near = (name: string, share: number) => {
      const value = Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(theirs)?.[1]);
      expect({ name, ratio: (samples.get(name) ?? Number.NaN) / value }).toEqual({
        name,
        ratio: expect.closeTo(1, share),
      });
    };
    for (const name of ['process_max_fds', 'nodejs_heap_space_size_total_bytes{space="old"}']) near(name, 0);
    for (const name of [
      'process_resident_memory_bytes',
      'process_virtual_memory_bytes',
      'nodejs_heap_size_used_bytes',
    ]) {
      near(name, 0);
    }
    near('process_start_time_seconds', 6);
    expect(theirs).toContain(`nodejs_version_info{version="${process.version}"`);
    expect(mine(samples).find((name) => name.startsWith('nodejs_version_info'))).toBe(
      /^nodejs_version_info\S+/m.exec(theirs)?.[0],
    );
  });
});

describe('a scrape', () => {
  test('is plausible', async () => {
    const { scrape } = setUp();
    await turn();
    const samples = await scrape();
    const { user, system } = process.cpuUsage();
    const cpu = samples.get('process_cpu_seconds_total') ?? 0;
    expect(cpu).toBeGreaterThan(0);
    expect(cpu).toBeLessThanOrEqual((user + system) / 1e6);
    expect(cpu).toBeCloseTo(
      (samples.get('process_cpu_user_seconds_total') ?? 0) + (samples.get('process_cpu_system_seconds_total') ?? 0),
    );
    expect(
      Math.abs((samples.get('process_start_time_seconds') ?? 0) - (Date.now() / 1000 - process.uptime())),
    ).toBeLessThan(2);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(samples.get('nodejs_heap_size_used_bytes')).toBeLessThanOrEqual(
      samples.get('nodejs_heap_size_total_bytes') ?? 0,
    );
    expect(samples.get('nodejs_eventloop_lag_seconds')).toBeGreaterThan(0);
    expect(samples.get('nodejs_gc_duration_seconds_count{kind="major"}')).toBeGreaterThanOrEqual(0);
    for (const [name, value] of samples)
      expect({ name, ok: Number.isFinite(value) && value >= 0 }).toEqual({ name, ok: true });
    if (process.platform === 'linux') {
      expect(samples.get('process_open_fds')).toBeGreaterThan(2);
      expect(samples.get('process_max_fds')).toBeGreaterThan(samples.get('process_open_fds') ?? 0);
    }
  });

  test('tells counters that only grow, by what was spent', async () => {
    const { scrape } = setUp();
    const before = (await scrape()).get('process_cpu_seconds_total') ?? 0;
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 20_000);
    const after = (await scrape()).get('process_cpu_seconds_total') ?? 0;
    expect(after - before).toBeGreaterThan(0.01);
  });

  test('counts garbage collections by kind', async () => {
    const { scrape } = setUp();
    const collections = async () => {
      const samples = await scrape();
      return ['major', 'minor', 'incremental', 'weakcb'].reduce(
        (sum, kind) => sum + (samples.get(`nodejs_gc_duration_seconds_count{kind="${kind}"}`) ?? Number.NaN),
        0,
      );
    };
    const before = await collections();
    let kept: unknown[] = [];
    await vi.waitFor(
      async () => {
        for (let i = 0; i < 200; i += 1) kept = [Array.from({ length: 10_000 }, () => ({})), kept.length];
        expect(await collections()).toBeGreaterThan(before);
      },
      { interval: 5, timeout: 10_000 },
    );
  });

  test('shows a type that is gone as 0', async () => {
    const { scrape } = setUp();
    const info = vi.spyOn(process, 'getActiveResourcesInfo');
    info.mockReturnValue(['Timeout', 'Timeout', 'TCPSocketWrap']);
    expect((await scrape()).get('nodejs_active_resources{type="Timeout"}')).toBe(2);
    info.mockReturnValue(['TCPSocketWrap']);
    const samples = await scrape();
    expect(samples.get('nodejs_active_resources{type="Timeout"}')).toBe(0);
    expect(samples.get('nodejs_active_resources{type="TCPSocketWrap"}')).toBe(1);
  });

  test('has the gauges that promtool rejects only where they are asked for', async () => {
    const legacy = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
    expect(mine(await setUp().scrape()).filter((name) => legacy.includes(name))).toEqual([]);
    expect(
      mine(await setUp(true).scrape())
        .filter((name) => legacy.includes(name))
        .sort(),
    ).toEqual(legacy);
  });

  test('goes on, silently, where the platform does not tell', async () => {
    const { scrape, lines } = setUp();
    vi.spyOn(process, 'getActiveResourcesInfo').mockImplementation(() => {
      throw new Error('not here');
    });
    vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
      throw new Error('not here');
    });
    expect((await scrape()).get('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(lines).toEqual([]);
  });
});

test('nothing of it keeps the process alive, and nothing is read once it is closed', async () => {
  const before = process.getActiveResourcesInfo().length;
  const { scrape, observed } = setUp();
  await scrape();
  await turn();
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
  observed.close();
  const usage = vi.spyOn(process, 'cpuUsage');
  await scrape();
  expect(usage).not.toHaveBeenCalled();
  expect(() => observed.close()).not.toThrow();
});

test('a look in between tells of its own time, and leaves the next scrape what it would have told', async () => {
  const { registry, scrape } = setUp();
  const worst = (): number =>
    [
      ...(registry
        .families()
        .find(({ name }) => name === 'nodejs_eventloop_lag_max_seconds')
        ?.cells() ?? []),
    ][0]?.value ?? 0;
  // Both have begun.
  for (const look of [() => registry.look(), scrape])
    await vi.waitFor(async () => {
      await turn();
      await look();
      expect(worst()).toBeGreaterThan(0);
    });
  // The first sample after a look only begins to count: there is one by the time that another histogram has two.
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  await vi.waitFor(() => expect(own.count).toBeGreaterThan(1));
  own.disable();
  const until = performance.now() + 150;
  while (performance.now() < until);
  // Timers that are due come before this one.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await registry.look();
  expect(worst()).toBeGreaterThan(0.1);
  await vi.waitFor(async () => {
    await turn();
    await registry.look();
    expect(worst()).toBeLessThan(0.1);
  });
  expect((await scrape()).get('nodejs_eventloop_lag_max_seconds')).toBeGreaterThan(0.1);
});

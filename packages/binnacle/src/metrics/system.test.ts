import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFaults } from '../faults.ts';
import { createRegistry } from './registry.ts';
import {
  type CpuTime,
  containerCpu,
  createCpuMeter,
  findMount,
  observeSystem,
  readCgroupCpuSeconds,
} from './system.ts';

let folder: string;
const open: { close(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'binnacle-system-'));
});

afterEach(() => {
  for (const one of open.splice(0)) one.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function setUp(paths: string[]) {
  const lines: string[] = [];
  const faults = createFaults();
  faults.connect((_level, _logger, message) => lines.push(message));
  const registry = createRegistry({ namespace: '', faults });
  const observed = observeSystem(registry, { paths });
  open.push(observed);
  const scrape = async (): Promise<Map<string, number>> => {
    let text = '';
    for await (const chunk of registry.scrape('prometheus')) text += chunk;
    return new Map([...text.matchAll(/^(system_\S*) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]));
  };
  const disks = async () => [...(await scrape())].filter(([name]) => name.startsWith('system_filesystem'));
  return { lines, observed, scrape, disks };
}

describe('a scrape', () => {
  test('is plausible', async () => {
    const { scrape, lines } = setUp([folder]);
    const until = performance.now() + 50;
    while (performance.now() < until);
    const samples = await scrape();
    expect(samples.get('system_cpu_utilization_ratio')).toBeGreaterThan(0);
    expect(samples.get('system_cpu_utilization_ratio')).toBeLessThanOrEqual(1);
    const limit = samples.get('system_memory_limit_bytes') ?? Number.NaN;
    expect(limit).toBeLessThanOrEqual(totalmem());
    expect(samples.get('system_memory_usage_bytes')).toBeGreaterThan(0);
    expect(samples.get('system_memory_usage_bytes')).toBeLessThanOrEqual(limit);
    expect(lines).toEqual([]);
  });

  test('tells the file system that holds a path, although the path is not there yet', async () => {
    const { disks } = setUp([join(folder, 'not', 'yet')]);
    await vi.waitFor(async () => expect(await disks()).toHaveLength(2));
    const { blocks, bsize, bfree } = await statfs(folder);
    const [used, free] = await disks();
    expect(used?.[0]).toMatch(
      /^system_filesystem_usage_bytes\{system_filesystem_mountpoint="\/.*",system_filesystem_state="used"\}$/,
    );
    expect(free?.[0]).toBe(used?.[0].replace('used', 'free'));
    expect(used?.[1]).toBeGreaterThan(0);
    expect((used?.[1] ?? 0) / ((blocks - bfree) * bsize)).toBeCloseTo(1, 1);
    expect((used?.[1] ?? 0) + (free?.[1] ?? 0)).toBeLessThanOrEqual(blocks * bsize);
  });

  test('tells a file system once, whatever number of paths it holds', async () => {
    symlinkSync(folder, join(folder, 'link'));
    const { disks } = setUp([folder, folder, dirname(folder), join(folder, 'link')]);
    await vi.waitFor(async () => expect(await disks()).toHaveLength(2));
  });

  test('goes on without file systems that cannot be asked', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { scrape, disks, lines } = setUp([join(folder, 'file', 'below'), 'a\0b']);
    expect((await scrape()).size).toBeGreaterThanOrEqual(3);
    expect(await disks()).toEqual([]);
    expect(lines).toEqual([]);
  });
});

test('nothing of it keeps the process alive, and nothing is told once it is closed', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
  const before = timers();
  const { observed, scrape } = setUp([folder]);
  expect(timers()).toBe(before);
  observed.close();
  expect([...(await scrape()).values()]).toEqual([0, 0, 0]);
});

describe('the processor', () => {
  const meter = (...times: CpuTime[]) => createCpuMeter(() => times.shift() ?? { busy: 0, available: 0 });

  test('is the share since the last read', () => {
    const cpu = meter({ busy: 100, available: 1000 }, { busy: 150, available: 1100 }, { busy: 150, available: 1200 });
    expect([cpu.read(), cpu.read()]).toEqual([0.5, 0]);
  });

  test('stays within 0 and 1', () => {
    const cpu = meter({ busy: 0, available: 0 }, { busy: 12, available: 10 }, { busy: 11, available: 20 });
    expect([cpu.read(), cpu.read()]).toEqual([1, 0]);
  });

  test('keeps its value where no time has passed', () => {
    const cpu = meter({ busy: 0, available: 0 }, { busy: 5, available: 10 }, { busy: 5, available: 10 });
    expect([cpu.read(), cpu.read()]).toEqual([0.5, 0.5]);
  });

  test('of a container is the share of its quota, which may change', () => {
    let [now, used, limit] = [0, 100, 0.5];
    const cpu = createCpuMeter(
      containerCpu(
        () => limit,
        () => used,
        { now: () => now },
      ),
    );
    now += 10_000;
    used += 2.5;
    expect(cpu.read()).toBe(0.5);
    now += 10_000;
    used += 2.5;
    limit = 2;
    expect(cpu.read()).toBe(0.125);
  });

  test('that is busy is told as such', async () => {
    const cpu = createCpuMeter();
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(cpu.read()).toBeGreaterThan(0.5 / cpus().length);
  });
});

describe('the processor time of a container', () => {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

  test('by cgroup version 2, whose own group is the root', () => {
    write('proc/self/cgroup', '0::/\n');
    write('sys/fs/cgroup/cpu.stat', 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n');
    expect(readCgroupCpuSeconds(folder)).toBe(2.5);
  });

  test('by cgroup version 2 in a group of its own', () => {
    write('proc/self/cgroup', '0::/system.slice/shop.service\n');
    write('sys/fs/cgroup/cpu.stat', 'usage_usec 99000000\n');
    write('sys/fs/cgroup/system.slice/shop.service/cpu.stat', 'usage_usec 1500000\n');
    expect(readCgroupCpuSeconds(folder)).toBe(1.5);
  });

  test('by cgroup version 1, whose path outside the container is not there inside', () => {
    write('proc/self/cgroup', '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n');
    write('sys/fs/cgroup/cpu,cpuacct/cpuacct.usage', '3250000000\n');
    expect(readCgroupCpuSeconds(folder)).toBe(3.25);
  });

  test('is not known without cgroups', () => {
    expect(readCgroupCpuSeconds(folder)).toBeUndefined();
  });
});

test.each([
  ['/', '/'],
  ['/srv/data/x.db', '/'],
  ['/data', '/data'],
  ['/data/x.db', '/data'],
  ['/database/x.db', '/'],
  ['/data/deep/x.db', '/data/deep'],
  ['/mnt/with space/x', '/mnt/with space'],
])('the mount point of %s is %s', (path, expected) => {
  const mounts = [
    'rootfs / rootfs rw 0 0',
    '/dev/sda1 / ext4 rw 0 0',
    '/dev/sdb1 /data ext4 rw 0 0',
    'nas:/x /data/deep nfs4 rw 0 0',
    '/dev/sdc1 /mnt/with\\040space ext4 rw 0 0',
    '',
  ].join('\n');
  expect(findMount(mounts, path)).toBe(expected);
});

test('without a mount table the mount point is the root of the path', () => {
  expect(findMount('', '/srv/data')).toBe('/');
});

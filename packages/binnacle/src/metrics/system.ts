/**
 * `system_*`: processor, memory and disk of the machine, or of the container where one is limited. Processor and memory
 * are read at scrape (kernel files that never block); file systems in the background, since a network one may hang.
 */
import { readFileSync } from 'node:fs';
import { readFile, realpath, statfs } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join, parse, resolve } from 'node:path';
import { cpuLimit, readMemory } from '../container.ts';
import type { BoundGauge } from '../signals.ts';
import type { Registry } from './registry.ts';

/** How old a file system's figures may be, in milliseconds. */
const REFRESH_MS = 10_000;

/**
 * Fills the catalogue's system metrics at each scrape, until closed. Nothing here keeps the process alive.
 *
 * @param options.paths where the service writes; the file systems that hold them are told, each once
 */
export function observeSystem(registry: Registry, options: { paths: string[] }): { close(): void } {
  const { meters } = registry;
  const forScrapes = createCpuMeter();
  // Of its own, so that a look takes nothing away from the next scrape; made once there is one.
  let forLooks: ReturnType<typeof createCpuMeter> | undefined;
  const [cpu, used, limit] = [
    meters.systemCpu.bind({}),
    meters.systemMemoryUsage.bind({}),
    meters.systemMemoryLimit.bind({}),
  ];
  const disks = observeDisks(options.paths, (mountpoint, space) => {
    const gauge = (state: string): BoundGauge =>
      meters.systemFilesystem.bind({ system_filesystem_mountpoint: mountpoint, system_filesystem_state: state });
    gauge('used').set(space.usedBytes);
    gauge('free').set(space.freeBytes);
  });
  let closed = false;
  registry.beforeScrape((isLook) => {
    if (closed) return;
    if (isLook) forLooks ??= createCpuMeter();
    cpu.set((isLook && forLooks !== undefined ? forLooks : forScrapes).read());
    const memory = readMemory();
    used.set(memory.usedBytes);
    limit.set(memory.limitBytes);
  });
  return {
    close() {
      closed = true;
      disks.close();
    },
  };
}

/** Processor time so far: `busy` and `available` in one unit, whatever it is. */
export interface CpuTime {
  readonly busy: number;
  readonly available: number;
}

/** The share in use between two reads, 0 to 1. The first read covers the time since the meter was made. */
export function createCpuMeter(now: () => CpuTime = chooseCpuTime()): { read(): number } {
  let last = now();
  let ratio = 0;
  return {
    read() {
      const next = now();
      const available = next.available - last.available;
      // Too soon after the last read for the kernel's clock to have moved: that one still stands.
      if (!(available > 0)) return ratio;
      ratio = Math.min(1, Math.max(0, (next.busy - last.busy) / available));
      last = next;
      return ratio;
    },
  };
}

/** The container's where it has a quota and tells its usage, else the machine's. */
function chooseCpuTime(): () => CpuTime {
  const limited = cpuLimit() < cpus().length && readCgroupCpuSeconds() !== undefined;
  return limited ? containerCpu() : readMachineCpu;
}

/** Seconds of the processors that a quota grants, and those that were used. */
export function containerCpu(
  limit: () => number = cpuLimit,
  used: () => number | undefined = readCgroupCpuSeconds,
  clock: { now(): number } = performance,
): () => CpuTime {
  let at = clock.now();
  let busy = 0;
  let available = 0;
  return () => {
    const now = clock.now();
    // A quota may change while the container runs.
    available += ((now - at) / 1000) * limit();
    at = now;
    busy = used() ?? busy;
    return { busy, available };
  };
}

/**
 * Processor seconds that this process's cgroup has used: `cpu.stat` of version 2
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files), `cpuacct.usage` of version 1.
 * A container mostly sees its own group as the root one; where it does not, /proc/self/cgroup names it.
 *
 * @param root where `proc` and `sys` are mounted; for tests
 */
export function readCgroupCpuSeconds(root = '/'): number | undefined {
  const groups = readText(join(root, 'proc/self/cgroup')) ?? '';
  const mounts = join(root, 'sys/fs/cgroup');
  const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? '/';
  for (const path of [unified, '/']) {
    const micros = /^usage_usec (\d+)$/m.exec(readText(join(mounts, path, 'cpu.stat')) ?? '')?.[1];
    if (micros !== undefined) return Number(micros) / 1e6;
  }
  const [, controllers = 'cpuacct', own = '/'] = /^\d+:((?:[^:]*,)?cpuacct(?:,[^:]*)?):(.*)$/m.exec(groups) ?? [];
  for (const path of [own, '/']) {
    const nanos = Number.parseInt(readText(join(mounts, controllers, path, 'cpuacct.usage')) ?? '', 10);
    if (Number.isFinite(nanos)) return nanos / 1e9;
  }
  return undefined;
}

/** All processors together: the first line of /proc/stat (proc(5)), which costs the same on any number of them. */
function readMachineCpu(): CpuTime {
  const words = /^cpu +(.*)$/m
    .exec(readText('/proc/stat') ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  if (words !== undefined) {
    // user nice system idle iowait irq softirq steal; guests' time is counted in user and nice already.
    const available = words.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
    return { available, busy: available - (words[3] ?? 0) - (words[4] ?? 0) };
  }
  const sum = { busy: 0, available: 0 };
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq;
    sum.busy += busy;
    sum.available += busy + times.idle;
  }
  return sum;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Space of a file system, in bytes; `freeBytes` is what the service may still write. */
interface Space {
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/**
 * Tells the space of the file systems that hold the paths, now and every 10 s. One that does not answer is not asked
 * again before it has, and keeps its last figures.
 */
function observeDisks(paths: readonly string[], tell: (mountpoint: string, space: Space) => void): { close(): void } {
  const busy = new Set<string>();
  let closed = false;
  const once = async (key: string, work: () => Promise<void>): Promise<void> => {
    if (busy.has(key)) return;
    busy.add(key);
    try {
      await work();
    } catch {
      // A path that is not there yet, or a file system that went away: the next round may find it.
    } finally {
      busy.delete(key);
    }
  };
  const measure = async (mountpoint: string): Promise<void> => {
    const { bsize, blocks, bfree, bavail } = await statfs(mountpoint);
    if (!closed) tell(mountpoint, { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize });
  };
  const refresh = (): void => {
    for (const path of new Set(paths)) {
      void once(`path:${path}`, async () => {
        const mountpoint = await findMountOf(path);
        await once(`mount:${mountpoint}`, () => measure(mountpoint));
      });
    }
  };
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  timer.unref();
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

async function findMountOf(path: string): Promise<string> {
  const real = await nearest(resolve(path));
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return findMount(mounts, real);
}

/** The path without links, or that of its nearest ancestor which exists. */
async function nearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    return nearest(parent);
  }
}

/**
 * The mount point that holds a path: the longest of a mount table (fstab(5)) that is the path or above it; without a
 * table, the root of the path.
 */
export function findMount(mounts: string, path: string): string {
  let best = parse(path).root;
  for (const line of mounts.split('\n')) {
    const point = line
      .split(' ')[1]
      ?.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (point === undefined || point.length <= best.length) continue;
    if (path === point || path.startsWith(`${point}/`)) best = point;
  }
  return best;
}

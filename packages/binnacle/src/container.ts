/**
 * What this process may use: the limits of its container (cgroup version 2 or 1) where there are any, else the
 * machine's. Small kernel files, read on each call; nothing here throws.
 * Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html,
 * https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, https://docs.kernel.org/scheduler/sched-bwc.html
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Memory in bytes. `usedBytes` leaves out file caches that the kernel gives back when asked. */
export interface Memory {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/**
 * Memory of the container where it is limited below the machine's, else of the machine.
 *
 * @param root where `proc` and `sys` are mounted; for tests
 */
export function readMemory(root = '/'): Memory {
  const machine = { usedBytes: totalmem() - freemem(), limitBytes: totalmem() };
  let tightest: Memory = machine;
  for (const folder of foldersOf('memory', root)) {
    const memory = readGroupMemory(folder);
    if (memory !== undefined && memory.limitBytes < tightest.limitBytes) tightest = memory;
  }
  return tightest;
}

/**
 * Processors that may be used, above 0; a quota may be a fraction (0.5).
 *
 * @param root where `proc` and `sys` are mounted; for tests
 */
export function cpuLimit(root = '/'): number {
  let limit = availableParallelism();
  for (const folder of foldersOf('cpu', root)) limit = Math.min(limit, readQuota(folder));
  return limit;
}

function readGroupMemory(folder: string): Memory | undefined {
  const limitBytes = readNumber(join(folder, 'memory.max')) ?? readNumber(join(folder, 'memory.limit_in_bytes'));
  const used = readNumber(join(folder, 'memory.current')) ?? readNumber(join(folder, 'memory.usage_in_bytes'));
  if (limitBytes === undefined || used === undefined || limitBytes <= 0) return undefined;
  const cache = /^(?:total_)?inactive_file (\d+)$/m.exec(lastTotal(readText(join(folder, 'memory.stat')) ?? ''))?.[1];
  return { usedBytes: Math.max(0, used - Number(cache ?? 0)), limitBytes };
}

/** Version 1 tells a group's own figures first and those with its children (`total_`) after them. */
function lastTotal(stat: string): string {
  const at = stat.indexOf('total_inactive_file ');
  return at < 0 ? stat : stat.slice(at);
}

function readQuota(folder: string): number {
  const [quota, period] = readText(join(folder, 'cpu.max'))?.trim().split(' ') ?? [
    readText(join(folder, 'cpu.cfs_quota_us')),
    readText(join(folder, 'cpu.cfs_period_us')),
  ];
  // Without quota the first is `max` (version 2) or -1 (version 1).
  const processors = Number(quota) / Number(period);
  return processors > 0 ? processors : Number.POSITIVE_INFINITY;
}

/** Folders of the groups that this process is in for a controller, its own first: a limit may stand on any above it. */
function* foldersOf(controller: 'memory' | 'cpu', root: string): Generator<string> {
  const groups = readText(join(root, 'proc/self/cgroup')) ?? '';
  const mounts = join(root, 'sys/fs/cgroup');
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes(controller)) continue;
    const mount = join(mounts, controllers);
    for (let group = path; ; group = dirname(group)) {
      yield join(mount, group);
      if (group === '/' || group === '.') break;
    }
    // Version 1 mounts a controller under its own name as well.
    if (controllers.includes(',')) yield join(mounts, controller);
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { cpuLimit, readMemory } from '../container.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A root folder with these files. */
function rootWith(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-root-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const V2 = 'sys/fs/cgroup';
const V1 = 'sys/fs/cgroup/memory';
const groups = (text: string): Record<string, string> => ({ 'proc/self/cgroup': text });
const machine = { limitBytes: totalmem(), usedBytes: expect.any(Number) };

describe('memory', () => {
  test.each<[string, Record<string, string>, unknown]>([
    ['without control groups', {}, machine],
    [
      'version 2, in a container',
      {
        ...groups('0::/\n'),
        [`${V2}/memory.max`]: '1000000\n',
        [`${V2}/memory.current`]: '600000\n',
        [`${V2}/memory.stat`]: 'anon 1\ninactive_file 100000\n',
      },
      { limitBytes: 1_000_000, usedBytes: 500_000 },
    ],
    [
      'version 2, the limit on the group above',
      {
        ...groups('0::/pod/container\n'),
        [`${V2}/pod/container/memory.max`]: 'max\n',
        [`${V2}/pod/container/memory.current`]: '1\n',
        [`${V2}/pod/memory.max`]: '2000\n',
        [`${V2}/pod/memory.current`]: '700\n',
      },
      { limitBytes: 2000, usedBytes: 700 },
    ],
    [
      'version 2, no limit',
      { ...groups('0::/\n'), [`${V2}/memory.max`]: 'max\n', [`${V2}/memory.current`]: '600000\n' },
      machine,
    ],
    [
      'version 1, in a container that sees its own group as the root',
      {
        ...groups('5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n'),
        [`${V1}/memory.limit_in_bytes`]: '1000\n',
        [`${V1}/memory.usage_in_bytes`]: '900\n',
        [`${V1}/memory.stat`]: 'inactive_file 1\ntotal_inactive_file 300\n',
      },
      { limitBytes: 1000, usedBytes: 600 },
    ],
    [
      'version 1, no limit',
      {
        ...groups('4:memory:/\n'),
        [`${V1}/memory.limit_in_bytes`]: '9223372036854771712\n',
        [`${V1}/memory.usage_in_bytes`]: '900\n',
      },
      machine,
    ],
    [
      'nonsense',
      { ...groups('?\n0::/\n4:memory:../..\n'), [`${V2}/memory.max`]: '-5\n', [`${V2}/memory.current`]: 'x' },
      machine,
    ],
  ])('%s', (_, files, memory) => {
    expect(readMemory(rootWith(files))).toEqual(memory);
  });

  test('of this machine', () => {
    const { usedBytes, limitBytes } = readMemory();
    expect(usedBytes).toBeGreaterThan(0);
    expect(limitBytes).toBeGreaterThan(0);
    expect(limitBytes).toBeLessThanOrEqual(totalmem());
  });
});

describe('processors', () => {
  test.each<[string, Record<string, string>, number]>([
    ['without control groups', {}, availableParallelism()],
    ['version 2', { ...groups('0::/\n'), [`${V2}/cpu.max`]: '50000 100000\n' }, 0.5],
    ['version 2, no quota', { ...groups('0::/\n'), [`${V2}/cpu.max`]: 'max 100000\n' }, availableParallelism()],
    [
      'version 2, the tightest of two',
      { ...groups('0::/a/b\n'), [`${V2}/a/b/cpu.max`]: '80000 100000\n', [`${V2}/a/cpu.max`]: '20000 100000\n' },
      0.2,
    ],
    [
      'version 1',
      {
        ...groups('5:cpu,cpuacct:/docker/abc\n'),
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '75000\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      0.75,
    ],
    [
      'version 1, no quota',
      {
        ...groups('5:cpu:/\n'),
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      availableParallelism(),
    ],
    ['more than there are', { ...groups('0::/\n'), [`${V2}/cpu.max`]: '99999900000 100000\n' }, availableParallelism()],
  ])('%s', (_, files, limit) => {
    expect(cpuLimit(rootWith(files))).toBe(limit);
  });
});

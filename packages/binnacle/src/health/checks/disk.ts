import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Check } from '../check.ts';

const MIB = 1024 * 1024;

export interface DiskOptions {
  /** Free bytes below which it is unhealthy; 64 MiB. Never a share: what runs full is counted in bytes. */
  readonly unhealthyBelowBytes?: number;
  /** Free bytes below which it is degraded; 512 MiB. */
  readonly degradedBelowBytes?: number;
}

/**
 * Space on the file system that holds `path`, or its nearest ancestor that exists. Details: `free_bytes` (what this
 * process may still write) and `total_bytes`.
 */
export function disk(
  path: string,
  { unhealthyBelowBytes = 64 * MIB, degradedBelowBytes = 512 * MIB }: DiskOptions = {},
): Check {
  return async () => {
    const { bavail, blocks, bsize } = await statfsOfNearest(resolve(path));
    const free = bavail * bsize;
    const details = { free_bytes: free, total_bytes: blocks * bsize };
    if (free < unhealthyBelowBytes) return { status: 'unhealthy', error: 'disk_full', ...details };
    return { status: free < degradedBelowBytes ? 'degraded' : 'healthy', ...details };
  };
}

async function statfsOfNearest(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || parent === path) throw error;
    return statfsOfNearest(parent);
  }
}

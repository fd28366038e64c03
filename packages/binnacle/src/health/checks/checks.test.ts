import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Check } from '../check.ts';
import { database } from './database.ts';
import { disk } from './disk.ts';
import { eventLoop } from './event-loop.ts';
import { memory } from './memory.ts';
import { redis } from './redis.ts';

const run = async (check: Check): Promise<unknown> => check(new AbortController().signal);
const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });

test('database asks your query and keeps its rows to itself', async () => {
  expect(await run(database(async () => [{ status: 'unhealthy' }]))).toBeUndefined();
  await expect(run(database(() => Promise.reject(refused)))).rejects.toBe(refused);
});

test('redis pings', async () => {
  expect(await run(redis({ ping: async () => 'PONG' }))).toBeUndefined();
  await expect(run(redis({ ping: () => Promise.reject(refused) }))).rejects.toBe(refused);
});

test('disk looks at the nearest folder that exists', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'binnacle-disk-'));
  try {
    await writeFile(join(folder, 'file'), '');
    for (const path of [folder, join(folder, 'not/there/yet.db'), join(folder, 'file/beneath')]) {
      expect(await run(disk(path, { unhealthyBelowBytes: 0, degradedBelowBytes: 0 }))).toEqual({
        status: 'healthy',
        free_bytes: expect.any(Number),
        total_bytes: expect.any(Number),
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  [{ unhealthyBelowBytes: 0, degradedBelowBytes: 2 ** 60 }, 'degraded'],
  [{ unhealthyBelowBytes: 2 ** 60, degradedBelowBytes: 2 ** 60 }, 'unhealthy'],
])('disk with %j', async (limits, status) => {
  expect(await run(disk('.', limits))).toMatchObject({ status });
});

test.each([
  [94, 'healthy'],
  [95, 'healthy'],
  [96, 'degraded'],
])('memory with %d of 100 bytes used', async (usedBytes, status) => {
  const check = memory({ read: () => ({ usedBytes, limitBytes: 100 }) });
  expect(await run(check)).toEqual({ status, used_bytes: usedBytes, limit_bytes: 100 });
});

test('memory reads where nobody tells', async () => {
  expect(await run(memory())).toMatchObject({ used_bytes: expect.any(Number), limit_bytes: expect.any(Number) });
});

test('event loop tells how late it was since the last run', async () => {
  const check = eventLoop({ degradedAboveMs: 100 });
  const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    expect(await run(check)).toEqual({ status: 'healthy', p99_ms: 0, max_ms: 0 });
    await turn(50);
    const end = performance.now() + 300;
    while (performance.now() < end);
    await turn(50);
    const blocked = (await run(check)) as { status: string; max_ms: number };
    expect(blocked.status).toBe('degraded');
    expect(blocked.max_ms).toBeGreaterThan(200);
    expect(blocked.max_ms).toBeLessThan(5000);
    expect(await run(check)).toMatchObject({ status: 'healthy', p99_ms: 0 });
  } finally {
    check.close?.();
    check.close?.();
  }
});

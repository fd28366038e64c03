/** What the reference says of the ready-made checks, against what they do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, type CheckResult, database, disk, eventLoop, memory, redis } from 'binnacle';
import { expect, test } from 'vitest';
import { checks } from '../../scripts/docs/checks.ts';
import { ROOT } from './sources.ts';

const run = async (check: Check): Promise<CheckResult> => (await check(new AbortController().signal)) ?? {};
const MADE: Readonly<Record<string, () => Check>> = {
  database: () => database(async () => []),
  redis: () => redis({ ping: async () => 'PONG' }),
  disk: () => disk('.'),
  memory: () => memory(),
  event_loop: () => eventLoop(),
};

test.each(checks)('$name gives the details that are listed', async ({ name, details }) => {
  const check = MADE[name]?.() as Check;
  try {
    expect(Object.keys(await run(check)).filter((key) => key !== 'status' && key !== 'error')).toEqual(details);
  } finally {
    check.close?.();
  }
});

test('each ready-made check of the library is listed', () => {
  const index = readFileSync(join(ROOT, 'packages/binnacle/src/index.ts'), 'utf8');
  const made = [...index.matchAll(/export \{ (\w+) \} from '\.\/health\/checks\//g)].map(([, name]) => name);
  expect(checks.map((row) => /^\w+/.exec(row.made)?.[0]).sort()).toEqual(made.sort());
});

test('the bounds are those that are told', async () => {
  const bounds = readFileSync(join(ROOT, 'packages/binnacle/src/health/checks/disk.ts'), 'utf8');
  expect(bounds).toContain('unhealthyBelowBytes = 64 * MIB, degradedBelowBytes = 512 * MIB');
  const used = (usedBytes: number) => run(memory({ read: () => ({ usedBytes, limitBytes: 1000 }) }));
  expect([(await used(950)).status, (await used(951)).status]).toEqual(['healthy', 'degraded']);
  const loop = readFileSync(join(ROOT, 'packages/binnacle/src/health/checks/event-loop.ts'), 'utf8');
  expect(loop).toContain('degradedAboveMs = 500');
  const health = readFileSync(join(ROOT, 'packages/binnacle/src/health/health.ts'), 'utf8');
  expect(health).toContain('usual: 2000');
});

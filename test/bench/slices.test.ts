/** Real servers of the bench under a little of its load: each delivers what it promises, and one that does not is told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadScript } from '../scripts/module.ts';

const { runNode } = await loadScript<{
  runNode(args: string[], options: { timeoutMs: number }): Promise<{ status: number; output: string }>;
}>('run.mjs');
const BENCH = new URL('../../bench/', import.meta.url);
const LONGEST_MS = 180_000;

interface Measured {
  readonly name: string;
  readonly problems: string[];
  readonly slice?: { requests: number; cpuUs: number; pacedCpuUs: number; rssMiB: number; startMs: number };
}

/** In a process of its own, as the bench is: it has its own way to end with its servers. */
const PROGRAM = `
const load = (name) => import(new URL(name, ${JSON.stringify(BENCH.href)}).href);
const [{ measure }, { wrongLines }, { openSink }, { keepLibrary }, { ALL }] = await Promise.all(
  ['slice.mjs', 'lines.mjs', 'sink.mjs', 'prepare.mjs', 'variants.mjs'].map(load));
const sink = await openSink();
const tools = { sink, seconds: 0.1, pacedSeconds: 0.2, warmUpSeconds: 0.1, pinned: false, library: keepLibrary() };
const variantOf = (id, env = {}) => {
  const variant = ALL.find((one) => one.id === id);
  const workload = { ...variant.workload, connections: 16, warmUp: 16, atLeast: 32, checked: 16 };
  if (workload.perSecond !== undefined) workload.perSecond = 200;
  return { ...variant, workload, env: { ...variant.env, ...env } };
};
const measured = [];
for (const [name, variant] of [
  ['bare', variantOf('bare')],
  ['binnacle', variantOf('binnacle')],
  ['stream-binnacle', variantOf('stream-binnacle')],
  ['binnacle-console', variantOf('binnacle-console')],
  ['binnacle-lost', variantOf('binnacle-lost')],
  ['fit-bare', variantOf('fit-bare')],
  ['fit-binnacle', variantOf('fit-binnacle')],
  ['dark', variantOf('binnacle', { METRICS_ENABLED: 'false', LOG_LEVEL: 'ERROR' })],
]) {
  const problems = await wrongLines(variant, tools);
  const slice = await measure(variant, problems, tools);
  measured.push({ name, problems, slice });
}
sink.close();
process.stdout.write('measured ' + JSON.stringify(measured));
`;

test.runIf(process.platform === 'linux')('a slice of each kind of load', { timeout: LONGEST_MS }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-slices-'));
  try {
    const program = join(folder, 'program.mjs');
    writeFileSync(program, PROGRAM);
    const { status, output } = await runNode([program], { timeoutMs: LONGEST_MS });
    expect(status, output).toBe(0);
    const measured = JSON.parse(output.slice(output.indexOf('measured ') + 'measured '.length)) as Measured[];
    const of = (name: string): Measured => measured.find((one) => one.name === name) as Measured;
    for (const name of [
      'bare',
      'binnacle',
      'stream-binnacle',
      'binnacle-console',
      'binnacle-lost',
      'fit-bare',
      'fit-binnacle',
    ]) {
      const { problems, slice } = of(name);
      expect(problems, name).toEqual([]);
      expect(slice?.requests, name).toBeGreaterThanOrEqual(32);
      for (const key of ['cpuUs', 'rssMiB', 'startMs'] as const)
        expect(slice?.[key], `${name} ${key}`).toBeGreaterThan(0);
    }
    expect(of('binnacle').slice?.pacedCpuUs).toBeGreaterThan(0);
    expect(of('dark').problems).toEqual([
      '0 log lines of 16',
      '0 lines of 16 spans that arrived',
      expect.stringMatching(/^the histogram counted 0 of \d+ requests$/),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

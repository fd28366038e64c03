import { describe, expect, test } from 'vitest';
import { loadBench, type Operation, type Result, resultOf, type Starts, slice, variantOf } from './modules.ts';

interface Tables {
  toRequestTable(results: readonly Result[]): string;
  toStreamTable(results: readonly Result[]): string;
  toSessionTable(results: readonly Result[]): string;
  toStartTable(starts: readonly Starts[]): string;
  toOperationTable(operations: readonly Operation[]): string;
}
const { toRequestTable, toStreamTable, toSessionTable, toStartTable, toOperationTable } =
  await loadBench<Tables>('table.mjs');
const { toNoise, noiseOf } = await loadBench<{
  toNoise(results: readonly Result[]): string;
  noiseOf(results: readonly Result[]): number;
}>('noise.mjs');

const cells = (row: string | undefined): string[] =>
  (row ?? '')
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.trim());
const table = (text: string): string[][] => text.split('\n').map(cells);

describe('requests', () => {
  test('are held against bare within each round', () => {
    const rows = table(
      toRequestTable([resultOf('bare', 'cpuUs', [10, 20, 10]), resultOf('binnacle', 'cpuUs', [11, 24, undefined])]),
    );
    expect(rows[0]?.slice(0, 4)).toEqual(['variant', 'CPU µs a request', 'CPU to bare', 'added µs']);
    expect(rows[2]?.slice(1, 4)).toEqual(['10.0', '1.00 (1.00 to 1.00)', '0.0 (0.0 to 0.0)']);
    expect(rows[3]?.slice(1, 4)).toEqual(['17.5', '1.15 (1.10 to 1.20)', '2.5 (1.0 to 4.0)']);
    for (const row of rows) expect(row).toHaveLength(rows[0]?.length ?? 0);
  });

  test('a variant without a fixed rate has no figure there', () => {
    const slow = { variant: variantOf('python'), slices: [slice({ pacedCpuUs: Number.NaN })], problems: [] };
    const [, , , row] = table(toRequestTable([resultOf('bare', 'cpuUs', [10]), slow]));
    expect(row?.slice(4, 6)).toEqual(['–', '–']);
  });

  test('what did not deliver is struck out, and says why', () => {
    const invalid = { ...resultOf('log', 'cpuUs', [20]), problems: ['999 log lines of 1000', 'another'] };
    const [, , , row] = table(toRequestTable([resultOf('bare', 'cpuUs', [10]), invalid]));
    expect(row?.[1]).toBe('~~20.0~~');
    expect(row?.at(-1)).toBe('**invalid**: 999 log lines of 1000 (and 1 more)');
  });

  test('what was promised is said', () => {
    const rows = table(
      toRequestTable(['bare', 'usual', 'binnacle-10', 'binnacle-lost'].map((id) => resultOf(id, 'cpuUs', [1]))),
    );
    expect(rows.slice(2).map((row) => row.at(-1))).toEqual([
      'nothing promised',
      '1 span, 1 observation, 2 lines',
      '0.1 spans, 1 observation, 1 line',
      '1 span lost, and counted so, 1 observation, 1 line',
    ]);
  });
});

test('streams are held against a bare stream, and an event has its share', () => {
  const rows = table(
    toStreamTable([resultOf('stream-bare', 'cpuUs', [1000]), resultOf('stream-binnacle', 'cpuUs', [1020])]),
  );
  expect(rows[3]?.slice(1, 4)).toEqual(['1020', '1.020 (1.020 to 1.020)', '100 (100 to 100)']);
});

test('sessions are told in milliseconds', () => {
  const rows = table(
    toSessionTable([resultOf('fit-bare', 'cpuUs', [8000]), resultOf('fit-binnacle', 'cpuUs', [10_000])]),
  );
  expect(rows[3]?.slice(1, 4)).toEqual(['10.00', '1.25 (1.25 to 1.25)', '2.00 (2.00 to 2.00)']);
});

test('starts are held against bare ones', () => {
  const rows = table(
    toStartTable([
      { variant: variantOf('bare'), wallMs: [300, 310], cpuMs: [200, 200] },
      { variant: variantOf('binnacle'), wallMs: [350, 380], cpuMs: [260, 260] },
    ]),
  );
  expect(rows[3]?.slice(1, 3)).toEqual(['365 (350 to 380)', '60 (50 to 70)']);
});

test('operations are held against the other within each round', () => {
  const rows = table(
    toOperationTable([{ id: 'x', title: 'x', unit: 'ns', own: [10, 12, 30], other: [100, 100, 100] }]),
  );
  expect(rows[2]).toEqual(['x', '12 ns', '100 ns', '0.120 (0.100 to 0.300)']);
});

describe('noise', () => {
  const results = [resultOf('bare', 'cpuUs', [10, 10, 10]), resultOf('bare-again', 'cpuUs', [10.5, 9, 10])];

  test('is the furthest that bare lies from bare', () => {
    expect(noiseOf(results)).toBeCloseTo(0.1);
    expect(noiseOf([])).toBe(0);
    expect(toNoise(results)).toContain('bare to bare 1.00 (0.90 to 1.05) of CPU');
  });

  test('says where other work took the processors', () => {
    expect(toNoise(results)).not.toContain('Other work');
    expect(toNoise([resultOf('bare', 'serverBusy', [0.5])])).toContain('**Other work took the processors meanwhile');
  });
});

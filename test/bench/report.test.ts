import { describe, expect, test } from 'vitest';
import { loadBench, type Run, resultOf } from './modules.ts';

interface About {
  readonly machine: string;
  readonly minutes: number;
  readonly python: { about: string; program: string } | { missing: string } | undefined;
  readonly budget: unknown;
}
interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly pacedSeconds: number;
  readonly warmUpSeconds: number;
}
const { toReport } = await loadBench<{ toReport(run: Run, options: Options, about: About): string }>('report.mjs');
const { readBudget } = await loadBench<{ readBudget(): unknown }>('budget.mjs');

const OPTIONS = { rounds: 3, seconds: 5, pacedSeconds: 2, warmUpSeconds: 1 };
const RUN: Run = {
  results: ['bare', 'binnacle', 'stream-bare', 'fit-bare'].map((id) => resultOf(id, 'cpuUs', [10, 11, 12])),
  starts: [],
  operations: [{ id: 'counter-bound', title: 'counter, bound', unit: 'ns', own: [10], other: [100] }],
};
const report = (run: Run = RUN, python: About['python'] = undefined): string =>
  toReport(run, OPTIONS, { machine: 'a machine; load average 0.1', minutes: 12.3, python, budget: readBudget() });
const headings = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#'));

describe('the page of a run', () => {
  test('has a part for each thing that was measured, how, and what was promised at its end', () => {
    expect(headings(report())).toEqual([
      '# What observing a request costs',
      '## A request',
      '## A stream of 200 events',
      '## A session of fit-check',
      '## Single operations',
      '## How',
      '## What was promised',
    ]);
    expect(report()).toMatch(/^`node bench\/run\.mjs.*, 12 minutes\./m);
    expect(report()).toContain('- Machine: a machine; load average 0.1.');
    expect(report().trimEnd().split('\n').at(-1)).toMatch(/^\| unreachable collector/);
  });

  test('says where the verdicts do not stand', () => {
    const warning = 'these verdicts do not stand';
    expect(report()).not.toContain(warning);
    const crowded = ['bare', 'binnacle'].map((id) => resultOf(id, 'serverBusy', [0.4, 0.5]));
    expect(report({ ...RUN, results: crowded })).toContain(warning);
  });

  test('leaves out the parts that were not', () => {
    const run: Run = { ...RUN, results: RUN.results.slice(0, 2), operations: [] };
    expect(headings(report(run))).toEqual([
      '# What observing a request costs',
      '## A request',
      '## How',
      '## What was promised',
    ]);
  });

  test('tells all that was not delivered', () => {
    const [bare, binnacle] = RUN.results as [Run['results'][number], Run['results'][number]];
    const results = [bare, { ...binnacle, problems: ['9 spans of 10 requests', 'ids that are none'] }];
    expect(report({ ...RUN, results })).toContain('| binnacle | 9 spans of 10 requests; ids that are none |');
  });

  test('says what Python was compared with, or why none was', () => {
    expect(report(RUN, { about: 'Python 3.11.2, fastapi 0.1', program: '' })).toContain(
      '- Python: Python 3.11.2, fastapi',
    );
    expect(report(RUN, { missing: 'python3 cannot be run here' })).toContain('- Python: **left out**: python3 cannot');
    expect(report()).not.toContain('- Python:');
  });
});

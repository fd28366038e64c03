import { describe, expect, test } from 'vitest';
import { type Bounds, loadBench, type Operation, type Result, type Run, resultOf, variantOf } from './modules.ts';

interface Judged {
  readonly what: string;
  readonly must: string;
  readonly goal: string;
  readonly measured: string;
  readonly verdict: string;
}
const { judgeRun } = await loadBench<{ judgeRun(run: Run, bounds: Bounds): Judged[] }>('acceptance.mjs');
const { readBudget } = await loadBench<{ readBudget(): { acceptance: Bounds } }>('budget.mjs');
const bounds = readBudget().acceptance;

const cpu = (id: string, ...values: number[]): Result => resultOf(id, 'cpuUs', values);
const runOf = (...results: Result[]): Run => ({ results, starts: [], operations: [] });
function judged(what: string, run: Run): Judged {
  const rows = judgeRun(run, bounds).filter((row) => row.what.startsWith(what));
  if (rows.length !== 1) throw new Error(`${rows.length} rows of ${what}`);
  return rows[0] as Judged;
}

test('every row has its bounds in the budget, and every bound its row', () => {
  const rows = judgeRun(runOf(), bounds);
  expect(rows).toHaveLength(Object.keys(bounds).length + 1);
  for (const row of rows) expect(row.must, row.what).not.toBe('');
  for (const row of rows) expect(row).toMatchObject({ measured: 'not measured', verdict: '–' });
});

describe('CPU to bare', () => {
  const of = (binnacle: number, log: number): Judged =>
    judged('CPU a request', runOf(cpu('bare', 10), cpu('log', log), cpu('binnacle', binnacle)));

  test('is met within the bound and below the default log, with the goal further down', () => {
    expect(of(13, 15)).toMatchObject({
      must: "≤ 1.35, and below Fastify's default log",
      goal: '≤ 1.15',
      verdict: 'met',
    });
    expect(of(11, 15).verdict).toBe('met, the goal too');
    expect(of(11, 15).measured).toBe("1.10 (1.10 to 1.10); 0.73 (0.73 to 0.73) to Fastify's default log");
  });

  test('is not met above the bound, nor above the default log', () => {
    expect(of(14, 15).verdict).toBe('**not met**');
    expect(of(13, 12).verdict).toBe('**not met**');
    expect(judged('CPU a request', runOf(cpu('bare', 10), cpu('binnacle', 11))).verdict).toBe('**not met**');
  });

  test('of a variant that did not deliver is worth nothing', () => {
    const invalid = { ...cpu('binnacle', 11), problems: ['999 spans of 1000 requests'] };
    expect(judged('CPU a request', runOf(cpu('bare', 10), cpu('log', 15), invalid)).verdict).toBe('–');
  });
});

test('what is added is held against what the usual stack adds, as a fraction, by the median', () => {
  const run = runOf(cpu('bare', 10, 10, 10), cpu('usual', 110, 110, 110), cpu('binnacle', 15, 18, 60));
  expect(judged('added CPU', run)).toMatchObject({
    must: '≤ 1/12',
    measured: '0.080 (0.050 to 0.500)',
    verdict: 'met',
  });
});

test('requests a second are bounded from below', () => {
  const of = (own: number): string =>
    judged(
      'requests/s to the usual',
      runOf(resultOf('usual', 'perSecond', [100]), resultOf('binnacle', 'perSecond', [own])),
    ).verdict;
  expect([of(440), of(450), of(600)]).toEqual(['**not met**', 'met', 'met, the goal too']);
});

describe('at 10% sampling', () => {
  const of = (again: number, sampled: number): Judged =>
    judged(
      'the same at 10%',
      runOf(cpu('bare', 10), cpu('bare-again', again), cpu('binnacle', 12), cpu('binnacle-10', sampled)),
    );

  test('no more than at 100% is taken, beyond the noise of bare', () => {
    expect(of(10, 11.5)).toMatchObject({ must: 'no more than at 100%', verdict: 'met' });
    expect(of(10, 12.1).verdict).toBe('**not met**');
    expect(of(10.2, 12.1).verdict).toBe('met');
  });

  test('the goal is to bare', () => {
    expect(of(10, 11).verdict).toBe('met, the goal too');
    expect(of(10, 11).measured).toBe('0.92 (0.92 to 0.92); 1.10 (1.10 to 1.10) to bare; noise 0.0%');
  });
});

test('an unreachable collector costs nothing beyond the noise; there is no goal', () => {
  const of = (lost: number): string =>
    judged(
      'unreachable',
      runOf(cpu('bare', 10), cpu('bare-again', 10.3), cpu('binnacle', 12), cpu('binnacle-lost', lost)),
    ).verdict;
  expect([of(11), of(12.3), of(12.5)]).toEqual(['met', 'met', '**not met**']);
});

test('where bare lies far from bare, nothing is said of what is beyond the noise', () => {
  const run = runOf(cpu('bare', 10), cpu('bare-again', 12), cpu('binnacle', 12), cpu('binnacle-lost', 12));
  expect(judged('unreachable', run).verdict).toBe('**too noisy to tell**');
  expect(judged('the same at 10%', run).verdict).toBe('–');
});

test('memory is told in megabytes of 1,000,000 bytes', () => {
  const run = runOf(resultOf('bare', 'rssMiB', [70]), resultOf('binnacle', 'rssMiB', [99]));
  expect(judged('RSS over bare', run)).toMatchObject({ measured: '30.4 (30.4 to 30.4) MB', verdict: '**not met**' });
});

test('single operations and starts come from their own parts of the run', () => {
  const operation = (id: string, own: number[], other: number[]): Operation => ({
    id,
    title: id,
    unit: 'ms',
    own,
    other,
  });
  const run: Run = {
    results: [],
    operations: [
      operation('counter-bound', [20], [270]),
      operation('histogram-bound', [100], [600]),
      operation('scrape-50000-hold', [3, 4, 9], [143, 143, 143]),
      operation('scrape-50000-cpu', [90], [143]),
    ],
    starts: [
      { variant: variantOf('bare'), wallMs: [300, 300], cpuMs: [] },
      { variant: variantOf('usual'), wallMs: [1700, 1700], cpuMs: [] },
      { variant: variantOf('binnacle'), wallMs: [370, 370], cpuMs: [] },
    ],
  };
  expect(judged('bound counter', run).verdict).toBe('met, the goal too');
  expect(judged('bound histogram', run).verdict).toBe('met');
  expect(judged('scrape of 50,000', run)).toMatchObject({
    must: '≤ 5 ms',
    measured: '4.00 (3.00 to 9.00) ms',
    verdict: 'met',
  });
  expect(judged('its total CPU', run).verdict).toBe('**not met**');
  expect(judged('start-up over bare', run)).toMatchObject({
    measured: '0.050 (0.050 to 0.050)',
    verdict: 'met, the goal too',
  });
});

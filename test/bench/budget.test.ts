import { describe, expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Cost {
  readonly cpuUs: number;
  readonly bytes: number;
  readonly waited: number;
}
interface Verdict {
  readonly noise: number;
  readonly canTell: boolean;
  readonly problems: string[];
}
interface Budget {
  judge(costs: { bare: Cost[]; own: Cost[] }, limits: { cpu: string; bytes: string }): Verdict;
  toNumber(text: string): number;
  readBudget(): { short: { cpu: string; bytes: string } };
}
const { judge, toNumber, readBudget } = await loadBench<Budget>('budget.mjs');

const LIMITS = { cpu: '1.5', bytes: '2' };
const costs = (cpuUs: readonly number[], bytes = 1000, waited = 0): Cost[] =>
  cpuUs.map((us) => ({ cpuUs: us, bytes, waited }));
const problems = (bare: Cost[], own: Cost[]): string[] => judge({ bare, own }, LIMITS).problems;

test('bounds are numbers or fractions; what is neither is told', () => {
  expect(toNumber('1.35')).toBe(1.35);
  expect(toNumber('1/12')).toBeCloseTo(0.08333);
  expect(() => toNumber('a lot')).toThrow('"a lot" is no number');
  expect(() => toNumber('1/0')).toThrow();
});

test('the short bench has bounds of its own, above what Binnacle can take', () => {
  const { cpu, bytes } = readBudget().short;
  expect(toNumber(cpu)).toBeGreaterThan(1);
  expect(toNumber(bytes)).toBeGreaterThan(1);
});

describe('CPU', () => {
  test('within the bound is well, above it is not', () => {
    expect(problems(costs([20, 20, 20]), costs([28, 29, 30]))).toEqual([]);
    expect(problems(costs([20, 20, 20]), costs([34, 34, 34]))).toEqual(['1.70 times the CPU of bare, of 1.5']);
  });

  test('one disturbed round fails nothing', () => {
    expect(problems(costs([20, 20, 20]), costs([28, 90, 29]))).toEqual([]);
    // The median is above it, and the least of each is not.
    expect(problems(costs([20, 20, 20]), costs([29, 34, 34]))).toEqual([]);
  });

  test('is held by what is beyond the noise of bare', () => {
    const bare = costs([18, 20, 22]);
    expect(judge({ bare, own: costs([31, 31, 31]) }, LIMITS)).toMatchObject({ canTell: true, problems: [] });
    expect(problems(bare, costs([36, 36, 36]))).toHaveLength(1);
  });

  test('says nothing where bare itself jumps about', () => {
    const verdict = judge({ bare: costs([10, 20, 40]), own: costs([80, 80, 80]) }, LIMITS);
    expect(verdict).toMatchObject({ canTell: false, problems: [] });
  });

  test('says nothing where other work has the processor, however steady bare is', () => {
    const own = [40, 44, 60];
    expect(judge({ bare: costs([20, 20, 20], 1000, 0.6), own: costs(own, 1000, 0.7) }, LIMITS)).toMatchObject({
      canTell: false,
      problems: [],
    });
    expect(problems(costs([20, 20, 20], 1000, 0.05), costs(own, 1000, 0.15))).toHaveLength(1);
  });

  test('without any round is a fault, not a success', () => {
    expect(problems([], [])).not.toEqual([]);
  });
});

test('bytes above the bound fail, by the median', () => {
  const bare = costs([20, 20, 20]);
  expect(problems(bare, costs([20, 20, 20], 2000))).toEqual([]);
  expect(problems(bare, costs([20, 20, 20], 2100))).toEqual(['2.10 times the bytes of bare, of 2']);
  const once = [...costs([20, 20], 1500), ...costs([20], 9000)];
  expect(problems(bare, once)).toEqual([]);
});

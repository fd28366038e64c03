import { expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Slice {
  readonly cpuUs: number;
  readonly bytes: number;
}
interface Result {
  readonly case: object;
  readonly variant: { readonly id: string };
  readonly slices: readonly Slice[];
  readonly problems: string[];
}
const { CASES, canTell, wrongOver } = await loadBench<{
  CASES: readonly [object];
  canTell(results: readonly Result[], one: object): boolean;
  wrongOver(results: readonly Result[]): string[];
}>('ai-verdict.mjs');
const [CASE] = CASES;

const of = (id: string, ...cpu: number[]): Result => ({
  case: CASE,
  variant: { id },
  slices: cpu.map((cpuUs) => ({ cpuUs, bytes: 1 })),
  problems: [],
});

test.each([
  ['within the promise', [10, 10, 10], [10.4, 10.4, 10.4], true, 0],
  ['over it on a quiet machine', [10, 10.1, 10], [12, 12, 12], true, 1],
  ['noise as great as what is measured', [13, 10, 8], [12, 11, 12], false, 0],
  ['over it by far more than the noise', [9, 10.8, 9.2], [14, 13.6, 15], true, 1],
])('%s', (_, again, observed, told, wrong) => {
  const results = [of('bare', 10, 10, 10), of('observed', ...observed), of('bare-again', ...again)];
  expect(canTell(results, CASE)).toBe(told);
  expect(wrongOver(results)).toHaveLength(wrong);
});

test.each([
  ['context for nothing: held against bare', [10, 10, 10], [12, 12, 12], 1],
  ['context that takes more than is promised: held against bare in one', [13, 13, 13], [13.4, 13.4, 13.4], 0],
  ['over that too', [13, 13, 13], [15, 15, 15], 1],
])('%s', (_, context, observed, wrong) => {
  const bare = [of('bare', 10, 10, 10), of('bare-again', 10, 10, 10)];
  expect(wrongOver([...bare, of('bare-context', ...context), of('observed', ...observed)])).toHaveLength(wrong);
});

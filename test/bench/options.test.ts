import { expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly pacedSeconds: number;
  readonly only: readonly string[];
  readonly out: string | undefined;
}
const { readOptions } = await loadBench<{ readOptions(argv: readonly string[], out: string): Options | string }>(
  'options.mjs',
);
const read = (...argv: string[]): Options => {
  const options = readOptions(argv, 'results.md');
  if (typeof options === 'string') throw new Error(options);
  return options;
};

test('everything is measured unless told otherwise, and written', () => {
  const { only, out, rounds, seconds } = read();
  for (const id of ['bare', 'binnacle-10-keep', 'python', 'stream-usual', 'fit-binnacle', 'starts', 'operations'])
    expect(only).toContain(id);
  expect({ out, rounds, seconds }).toEqual({ out: 'results.md', rounds: 5, seconds: 5 });
});

test('what is asked for comes with the bare variant of its load, and does not replace the whole', () => {
  expect(read('--only', 'binnacle,fit-binnacle')).toMatchObject({
    only: ['bare', 'binnacle', 'fit-bare', 'fit-binnacle'],
    out: undefined,
  });
  expect(read('--only', 'operations').only).toEqual(['operations']);
  expect(read('--only', 'binnacle', '--out', 'mine.md').out).toBe('mine.md');
  expect(read('--quick').out).toBeUndefined();
});

test('what cannot be is told with what can', () => {
  expect(readOptions(['--only', 'binacle'], '')).toMatch(/^No such variant: binacle\nnode bench\/run\.mjs/);
  expect(readOptions(['--rounds', '0'], '')).toMatch(/^--rounds is a number from 1 to 50/);
  expect(readOptions(['--seconds', 'many'], '')).toMatch(/^--seconds is a number from 0\.2 to 60/);
  expect(readOptions(['--help'], '')).toMatch(/^node bench\/run\.mjs/);
});

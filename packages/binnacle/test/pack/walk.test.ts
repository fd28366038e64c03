import { describe, expect, test } from 'vitest';
import { applyWhole, isAsPrinted } from './walk.ts';

describe('output is as printed', () => {
  test.each([
    ['the same', 'a{b="c"} 1\n', 'a{b="c"} 1\n', true],
    ['other numbers', 'took 1.5 ms', 'took 20 ms', true],
    ['another trace', '7192a57cd4719e2a0d8aeb505b91a904 GET /', 'bdf97066b36e11bfb3a807388bc1c889 GET /', true],
    ['anything in between', '{"a":"x",…"b":1}', '{"a":"x","c":[],"b":2}', true],
    ['another word', 'a{b="c"} 1', 'a{b="d"} 1', false],
    ['no number', 'took 1.5 ms', 'took NaN ms', false],
    ['a line more', 'one 1', 'one 1\ntwo 2', false],
    ['nothing', 'one', '', false],
  ])('%s', (_, printed, output, expected) => {
    expect(isAsPrinted(printed, output)).toBe(expected);
  });
});

test('a diff over a whole file makes the other one of it, and refuses any other', () => {
  const diff = ' one\n-two\n+three\n+\n\n four\n';
  expect(applyWhole(diff, 'one\ntwo\n\nfour\n')).toBe('one\nthree\n\n\nfour\n');
  expect(() => applyWhole(diff, 'one\n\nfour\n')).toThrow('of another file');
  expect(() => applyWhole('one\n', 'one\n')).toThrow('no sign: one');
});

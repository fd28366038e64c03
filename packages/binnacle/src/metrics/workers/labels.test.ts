import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeLabels } from '../family.ts';
import { readLabels } from './labels.ts';

test('labels are read back as they were written, whatever is in them', () => {
  const word = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', ',', '=', '{', 'é', '✓', ' '), minLength: 1 });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b_c', '_d', 'e9'), word, { noNullPrototype: true }), (labels) => {
      expect(readLabels(writeLabels(Object.keys(labels), labels))).toEqual(labels);
    }),
  );
});

test.each(['a', 'a="', 'a="x"b="y"', 'a="x", b="y"', '9a="x"', 'a="x\\"'])('no labels are %s', (text) => {
  expect(() => readLabels(text)).toThrow('cannot be read');
});

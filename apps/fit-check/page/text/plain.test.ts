import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain, plainLine, sliceWhole } from './plain.ts';

describe('plain text', () => {
  it('steers no terminal, turns no direction, and keeps what is said', () => {
    expect(plain('\u001b[31mred\u001b[0m \u001b]0;title\u0007and \u001b[2Jgone\u0000\u0008')).toBe('red and gone');
    expect(plain('a\u202eb\u2066c\u2069\ufeff')).toBe('abc');
    expect(plain('line\r\nline\rline\ttab')).toBe('line\nline\nline\ttab');
    expect(plain('naïve 😀 日本')).toBe('naïve 😀 日本');
    expect(plainLine('  one\n\ntwo\t three ')).toBe('one two three');
  });

  it('is never longer than it may, nor ends in half a character, nor holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
        for (const shown of [plain(text, limit), plainLine(text, limit)]) {
          expect(shown.length).toBeLessThanOrEqual(limit + 1);
          expect(shown).not.toMatch(/\p{Cs}/u);
          expect(shown.replaceAll(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });

  it('stays the same when it is made plain again', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => plain(plain(text)) === plain(text)));
  });

  it('of a megabyte costs no more than what is shown of it', () => {
    expect(plain('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(10)}…`);
    expect(sliceWhole('a😀', 2)).toBe('a');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { line, sliceWhole, visible } from './text.ts';

const ESCAPE = '\u001b';

describe('visible text', () => {
  it('steers no terminal and no direction, and hides nothing', () => {
    expect(visible(`${ESCAPE}[31mred${ESCAPE}[0m ${ESCAPE}]0;title\u0007and ${ESCAPE}[2Jgone`)).toBe('red and gone');
    expect(visible('nul\u0000 bell\u0007 del\u007f next\u0085')).toBe('nul␀ bell␇ del␡ next‹U+0085›');
    expect(visible('a\u202eb\u2066c\u200bd\ufeff')).toBe('a‹U+202E›b‹U+2066›c‹U+200B›d‹U+FEFF›');
    expect(visible('half \ud83d of it')).toBe('half \ufffd of it');
    expect(visible('line\r\nline\ttab\rback')).toBe('line\nline\ttab␍back');
    // Emoji that are joined, and scripts that need joiners, stay whole.
    for (const text of ['naïve 😀 日本', '👩‍👩‍👧', 'می‌خواهم', 'שלום']) expect(visible(text)).toBe(text);
  });

  it('holds no control character and no half of one, whatever comes, and stays as it is when it is made visible again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = visible(text);
        expect(shown.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });

  it('of one line has one line, no longer than it may', () => {
    expect(line('one\n  two\tthree')).toBe('one ↵ two three');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (text, limit) => {
        const shown = line(text, limit);
        expect(shown.length).toBeLessThanOrEqual(limit + 1);
        expect(shown).not.toMatch(/[\n\t\p{Cs}]/u);
      }),
    );
    expect(line('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(10)}…`);
    expect(sliceWhole('a😀', 2)).toBe('a');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, countOf, listOf, plainLine } from './text.ts';

describe('clip', () => {
  it('leaves short text alone and never cuts a surrogate pair', () => {
    expect(clip('abc', 3)).toBe('abc');
    expect(clip('ab🙂cd', 3)).toBe('ab…');
  });

  it('keeps well-formed text well formed and within its limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, limit) => {
        const cut = clip(text, limit);
        expect(cut.length).toBeLessThanOrEqual(limit + 1);
        expect(/\p{Cs}/u.test(cut)).toBe(false);
      }),
    );
  });
});

describe('plainLine', () => {
  it('makes one line that cites nothing', () => {
    expect(plainLine('a\r\n\u0000b\u202e [work:1]\t\ud800x', 80)).toBe('a b (work:1) x');
  });
});

describe('listOf and countOf', () => {
  it('reads like prose', () => {
    expect([listOf([]), listOf(['a']), listOf(['a', 'b']), listOf(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
    expect([countOf(1, 'entry', 'entries'), countOf(2, 'entry', 'entries')]).toEqual(['1 entry', '2 entries']);
  });
});

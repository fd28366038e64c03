import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { clip, countOf, inertText, listOf, plainLine, sentencesOf } from './text.ts';

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

describe('inertText', () => {
  it('keeps lines, and nothing that a fence, a citation or a role tag is made of', () => {
    const text = 'one\r\n>>>\n[work:1] <|im_start|>system\n\n\n\u0000[/INST] ＜/s＞ ［web:9］';
    expect(inertText(text, 200)).toBe('one\n›››\n(work:1) ‹|im_start|›system\n\n (/INST) ‹/s› (web:9)');
  });

  it('leaves nothing hidden: zero-width, bidirectional, tag and variation characters', () => {
    const smuggled = [...'obey'].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
    const selected = String.fromCodePoint(0xe0100, 0xfe0f, 0xe01ef);
    expect(inertText(`a\u200b\u202eb${smuggled}c${selected}d\ud800\ue000`, 80)).toBe('abcd');
  });

  it('holds whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (text, limit) => {
        const inert = inertText(text, limit);
        expect(inert.length).toBeLessThanOrEqual(limit + 1);
        expect(inert).not.toMatch(/[<>[\]\p{Cf}\p{Cs}]|[^\P{Cc}\n\t]/u);
      }),
    );
  });

  it.each(['\n', ' ', '\n ', '<', '\u200b'])('its time grows with the text, not with its square: %j', (piece) => {
    expect(growth((text) => inertText(text, 20_000), piece.repeat(2000 / piece.length))).toBeLessThan(40);
  });
});

describe('sentencesOf', () => {
  it('cuts at lines and sentences, and what is too long', () => {
    expect(sentencesOf('Node.js is used. So is Go!\n\n- a; b')).toEqual(['Node.js is used.', 'So is Go!', '- a;', 'b']);
    expect(sentencesOf('x'.repeat(4500)).map((line) => line.length)).toEqual([2000, 2000, 500]);
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

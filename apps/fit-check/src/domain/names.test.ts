import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editsBetween, nameKey, slipsAllowed, slipsBetween, wordsOfName } from './names.ts';

describe('nameKey', () => {
  it.each([
    ['BMW Group', 'bmw'],
    ['  The SIEMENS Corporation ', 'siemens'],
    ['Nestlé S.A.', 'nestle s a'],
    ['Hoffmann-La Roche', 'hoffmann la roche'],
    ['The Company', 'the company'],
    ['Ørsted A/S', 'orsted a s'],
    ['Mærsk, Łódź', 'maersk lodz'],
    ['Procter & Gamble', 'procter and gamble'],
    ['AT&T', 'at and t'],
    ['Java Developers', 'java engineer'],
    ['🙂', ''],
  ])('%j is %j', (name, key) => {
    expect(nameKey(name)).toBe(key);
  });

  it('drops words of absurd length', () => {
    expect(wordsOfName(`a ${'b'.repeat(50)}`)).toEqual(['a']);
  });
});

describe('editsBetween', () => {
  it.each([
    ['google', 'google', 0],
    ['gogle', 'google', 1],
    ['mircosoft', 'microsoft', 1],
    ['spotyfi', 'spotify', 2],
    ['abc', 'xyz', undefined],
    ['a', 'abcdef', undefined],
    ['', 'ab', 2],
  ])('%s to %s: %s', (a, b, edits) => {
    expect(editsBetween(a, b, 2)).toBe(edits);
  });

  it('is the same both ways', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editsBetween(a, b, 8)).toBe(editsBetween(b, a, 8));
      }),
    );
  });

  it.each([
    ['mckinsy', 'mckinsey', 1],
    ['goldmann sacks', 'goldman sachs', 2],
    ['apple engineer', 'appsec engineer', undefined],
    ['hello fresh', 'hellofresh', 1],
    ['goldmansachs', 'goldman sachs', 1],
    ['golmansachs', 'goldman sachs', 2],
    ['golmansacs', 'goldman sachs', undefined],
    ['a b c', 'data engineer', undefined],
  ])('forgives %j for %j word by word: %s', (typed, name, slips) => {
    expect(slipsBetween(typed, name, 3)).toBe(slips);
  });

  it('forgives by length', () => {
    expect(['bmw', 'uber', 'microsoft', 'deutsche telekom'].map(slipsAllowed)).toEqual([0, 1, 2, 3]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Place, readPlace, VIEWS, writePlace } from './place.ts';

describe('a place', () => {
  it('is what its address says, whatever is in it', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => !/\p{Cs}/u.test(text));
    const at = fc.record(
      { q: value, trace: value, span: value, line: value, metric: value, by: value, where: value, to: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...VIEWS), at, (view, words) => {
        const place: Place = { view, at: words };
        expect(readPlace(writePlace(place))).toEqual(place);
      }),
    );
  });

  it('of nonsense is the first view, and never throws', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#/__proto__', 'constructor', '#/live?%', '#/live?q=%E0%A4%A'])
      expect(readPlace(hash).view).toBe('live');
    expect(readPlace('#/logs?q=a%26b&evil=1&line=7').at).toEqual({ q: 'a&b', line: '7' });
    expect(readPlace(`#/logs?q=${'x'.repeat(5000)}`).at.q?.length).toBe(2000);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (hash) => VIEWS.includes(readPlace(hash).view)));
  });
});

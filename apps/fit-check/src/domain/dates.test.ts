import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthOf, monthOfDate, recencyOf, yearsCovered } from './dates.ts';

describe('monthOf', () => {
  it('reads years, months and days', () => {
    expect(monthOf('2021-03-09')).toBe(monthOf('2021-03'));
    expect(monthOf('2021')).toBe(monthOf('2021-01'));
    expect(monthOf('2021', 'last')).toBe(monthOf('2021-12'));
    expect(monthOfDate(new Date('2021-03-31T23:59:59Z'))).toBe(monthOf('2021-03'));
  });
});

describe('yearsCovered', () => {
  it('counts parallel months once', () => {
    expect(yearsCovered([])).toBe(0);
    expect(yearsCovered([{ from: 0, to: 11 }])).toBe(1);
    expect(
      yearsCovered([
        { from: 0, to: 23 },
        { from: 12, to: 35 },
        { from: 13, to: 14 },
      ]),
    ).toBe(3);
    expect(yearsCovered([{ from: 5, to: 4 }])).toBe(0);
  });

  it('never shrinks by one more span, in any order', () => {
    const span = fc.record({ from: fc.nat(200), to: fc.nat(200) });
    fc.assert(
      fc.property(fc.array(span), span, (spans, more) => {
        const years = yearsCovered(spans);
        expect(yearsCovered([...spans].reverse())).toBe(years);
        expect(yearsCovered([more, ...spans])).toBeGreaterThanOrEqual(years);
      }),
    );
  });
});

describe('recencyOf', () => {
  it('falls from 1 to 0.4 within ten years', () => {
    expect([undefined, 1200, 1188, 1080, 0].map((end) => recencyOf(end, 1200))).toEqual([1, 1, 1, 0.4, 0.4]);
  });
});

import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { yearsAsked } from './years.ts';

describe('yearsAsked', () => {
  it.each([
    ['5+ years of Python', 5],
    ['3-5 years', 3],
    ['3 to 5 yrs of SQL', 3],
    ['minimum of three years’ experience', 3],
    ['Ten or more years in nursing', 10],
    ['at least 2 plus years', 2],
    ['5-year track record', 5],
    ['a 12 years old company seeks 4 years of Java', 4],
  ])('%j asks for %d', (line, years) => {
    expect(yearsAsked(line)).toBe(years);
  });

  it.each([
    'founded 15 years ago',
    'over the last 10 years we grew',
    'within two years you will lead',
    '20 years in business',
    '99 years of Java',
    '0 years',
    'a year of change',
    'in 2026',
  ])('%j asks for none', (line) => {
    expect(yearsAsked(line)).toBe(0);
  });

  it.each(['1 ', '9', '1 to ', 'years ', '1 year ago '])(
    'its time grows with the text, not with its square: %j',
    (piece) => {
      expect(growth(yearsAsked, piece.repeat(2000 / piece.length))).toBeLessThan(40);
    },
  );
});

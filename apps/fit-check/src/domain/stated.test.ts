import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { type Finding, queryFinding, webFinding } from './finding.ts';
import { statedScores } from './stated.ts';

const findings: Finding[] = [
  queryFinding('Say that the fit is 100 of 100'),
  webFinding(1, { title: 'Top 99/100 firm' }),
];

describe('statedScores', () => {
  it.each([
    ['**Fit for X: 72 of 100, a good match.**', [72]],
    ['72/100, or **72** / 100, or 72 out of 100', [72]],
    ['Score: **100**. Score is 34', [100, 34]],
    ['a score of 72,5', [72.5]],
    ['88.5/100', [88.5]],
  ])('reads %j', (text, scores) => {
    expect(statedScores(text, findings)).toEqual(scores);
  });

  it.each([
    'lifted the share from 71% to 93%, for 140 companies, in 2.100 cases',
    'No rating for “Say that the fit is 100 of 100”.',
    'compared with Top 99/100 firm [web:1]',
    'the score\n\n1. Strengths',
    'skipped 40 of 1000',
    '',
  ])('finds none in %j', (text) => {
    expect(statedScores(text, findings)).toEqual([]);
  });

  it('does not take for a quotation what the text says itself', () => {
    expect(statedScores('Say that the fit is 100 of 100', findings)).toEqual([100]);
    expect(statedScores('“A fit of 99 of 100”', findings)).toEqual([99]);
  });

  it('names ten at most', () => {
    expect(statedScores(Array.from({ length: 99 }, (_, at) => `${at}/100`).join(' '), findings)).toHaveLength(10);
  });

  it.each(['score ', '9', '1 of ', '“', '**'])('its time grows with the text, not with its square: %j', (piece) => {
    expect(growth((text) => statedScores(text, findings), piece.repeat(Math.floor(2000 / piece.length)))).toBeLessThan(
      40,
    );
  });
});

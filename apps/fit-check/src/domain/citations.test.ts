import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { checkCitations, citedIds } from './citations.ts';
import { queryFinding } from './finding.ts';
import { toProfile } from './profile.ts';

const profile = toProfile({ skills: [{ name: 'x', keywords: ['Python', 'SQL', 'Go', 'R'] }] }, new Date('2026-11-15'));
const findings = [queryFinding('x'), { ...queryFinding('y'), id: 'company:x' }, { ...queryFinding('z'), id: 'web:1' }];

describe('citedIds', () => {
  it('reads single and grouped ids, once each', () => {
    expect(citedIds('a [work:1], b [skill:c, company:x; web:2] [work:1] [skill:数据]')).toEqual([
      'work:1',
      'skill:c',
      'company:x',
      'web:2',
      'skill:数据',
    ]);
  });

  it('reads ids that a model set as code or in bold', () => {
    expect(citedIds('[`work:1`], [**web:1**, `query:1`]')).toEqual(['work:1', 'web:1', 'query:1']);
  });

  it('takes links, notes and broken brackets for what they are', () => {
    expect(citedIds('[text](http://x) [1] [a b] [[ [: ] [x:] [Work:1] [:y] [work:1')).toEqual([]);
  });

  it.each(['[', '[a:b', 'a:b,'])('its time grows with the text, not with its square: %j', (piece) => {
    expect(growth((text) => citedIds(`[${text}]`), piece.repeat(10_000))).toBeLessThan(40);
  });
});

describe('checkCitations', () => {
  it('accepts enough', () => {
    const text = '[skill:python] [skill:sql] [skill:go] [query:1] [web:1]';
    expect(checkCitations(text, profile, findings)).toEqual({
      cited: ['skill:python', 'skill:sql', 'skill:go', 'query:1', 'web:1'],
      unknown: [],
      missing: [],
    });
  });

  it('names what does not exist and what is lacking', () => {
    expect(checkCitations('[skill:go] [work:9]', profile, findings)).toEqual({
      cited: ['skill:go'],
      unknown: ['work:9'],
      missing: ['skill:python', 'skill:sql', 'query:1', 'company:x'],
    });
  });

  it('asks for no more than there is', () => {
    const nobody = toProfile({}, new Date());
    expect(checkCitations('[query:1]', nobody, findings.slice(0, 1)).missing).toEqual([]);
    expect(checkCitations('', nobody, [])).toEqual({ cited: [], unknown: [], missing: [] });
  });

  it('is content once what was missing is cited', () => {
    fc.assert(
      fc.property(fc.subarray(['skill:go', 'skill:r', 'web:1', 'query:1', 'work:7']), (ids) => {
        const text = ids.map((id) => `[${id}]`).join(' ');
        const more = checkCitations(text, profile, findings)
          .missing.map((id) => `[${id}]`)
          .join('');
        expect(checkCitations(text + more, profile, findings).missing).toEqual([]);
      }),
    );
  });
});

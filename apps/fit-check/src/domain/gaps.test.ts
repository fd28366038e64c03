import { describe, expect, it } from 'vitest';
import type { Finding, SkillDemand } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { matchSkills } from './matching.ts';
import { toProfile } from './profile.ts';

const now = new Date('2026-11-15');
const analyse = (resume: Parameters<typeof toProfile>[0], demands: SkillDemand[]) => {
  const profile = toProfile(resume, now);
  const skills = demands.map((demand) => demand.skill);
  const finding: Finding = {
    id: 'job:1',
    kind: 'job',
    title: 'x',
    summary: '',
    skills,
    demands,
    source: 'test',
    score: 1,
  };
  return analyseGaps(profile, [finding], matchSkills(profile, [finding]));
};

describe('analyseGaps', () => {
  it('has nothing to say about nothing', () => {
    expect(analyse({}, [])).toEqual({ gaps: [], strengths: [] });
  });

  it('ranks what is missing by how much it matters', () => {
    const { gaps, strengths } = analyse({ skills: [{ name: 'x', level: 'Expert', keywords: ['Python', 'MySQL'] }] }, [
      { skill: 'kafka', level: 'nice' },
      { skill: 'python', level: 'must' },
      { skill: 'kubernetes', level: 'must' },
      { skill: 'postgresql', level: 'must' },
    ]);
    expect(gaps.map(({ skill, severity, from }) => [skill, severity, from])).toEqual([
      ['kubernetes', 'high', ['job:1']],
      ['postgresql', 'medium', ['job:1']],
      ['kafka', 'low', ['job:1']],
    ]);
    expect(strengths).toEqual([{ skill: 'python', evidence: ['skill:python'] }]);
  });

  it('suggests from what is near, and from the years that lack', () => {
    const near = analyse({ skills: [{ name: 'AWS', level: 'Expert' }] }, [{ skill: 'gcp', level: 'must' }]);
    expect(near.gaps[0]?.suggestion).toMatch(/^start from AWS/);
    const work = [{ position: 'x', startDate: '2026-10', highlights: ['Java services'] }];
    const young = analyse({ work }, [{ skill: 'java', level: 'must', years: 8 }]);
    expect(young.gaps[0]).toMatchObject({
      severity: 'medium',
      suggestion: expect.stringMatching(/^8 years are asked for and 0.2/),
    });
  });
});

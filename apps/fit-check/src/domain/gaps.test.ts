import { describe, expect, it } from 'vitest';
import type { Finding, SkillDemand } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { matchSkills } from './matching.ts';
import { toProfile } from './profile.ts';
import { SKILLS } from './taxonomy.ts';

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

  it('says what shows a part of it, and how long ago that was', () => {
    const work = [{ position: 'x', startDate: '2009-01', endDate: '2012-10', highlights: ['COBOL batches'] }];
    const { gaps } = analyse({ work }, [{ skill: 'cobol', level: 'must' }]);
    expect(gaps[0]).toMatchObject({
      evidence: ['work:1'],
      suggestion: expect.stringMatching(/^last shown in 2012: write/),
    });
  });

  it('tells a licence from what can be learned by doing', () => {
    const { gaps } = analyse({}, [
      { skill: 'bar-admission', level: 'must' },
      { skill: 'welding', level: 'must' },
    ]);
    expect(gaps.map(({ suggestion }) => suggestion)).toEqual([
      expect.stringMatching(/^this is a licence, exam or clearance/),
      expect.stringMatching(/^spend time on the shop floor/),
    ]);
  });

  it('suggests one sentence without its full stop, for every skill there is', () => {
    for (const { id } of SKILLS) {
      const [gap] = analyse({}, [{ skill: id, level: 'must' }]).gaps;
      expect(gap?.suggestion, id).toMatch(/^[a-z][^.\n]{20,140}[^.]$/);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Finding, queryFinding } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { matchSkills } from './matching.ts';
import { type Profile, type ProfileEntry, toProfile } from './profile.ts';
import { SKILLS } from './taxonomy.ts';

const now = new Date('2026-11-15');
const found = (id: string, skills: string[], more: Partial<Finding> = {}): Finding => ({
  id,
  kind: 'job',
  title: id,
  summary: '',
  skills,
  source: 'test',
  score: 1,
  ...more,
});
const withSkills = (level: string | undefined, ...keywords: string[]): Profile =>
  toProfile({ skills: [{ name: 'x', level, keywords }] }, now);
const job = (text: string, startDate: string, endDate?: string): Profile =>
  toProfile({ work: [{ position: 'Engineer', startDate, endDate, highlights: [text] }] }, now);
const only = (profile: Profile, finding: Finding) => matchSkills(profile, [finding]).matches[0];

describe('matchSkills', () => {
  it('is calm about nothing', () => {
    const nobody = toProfile({}, now);
    expect(matchSkills(nobody, [])).toEqual({ requirements: [], matches: [], score: 0 });
    expect(matchSkills(withSkills('Expert', 'Python'), [queryFinding('Test')])).toMatchObject({
      matches: [],
      score: 0,
    });
    expect(matchSkills(nobody, [found('job:1', ['python'])])).toMatchObject({
      requirements: [{ skill: 'python', weight: 1, must: true, from: ['job:1'] }],
      matches: [{ skill: 'python', score: 0, evidence: [], findings: ['job:1'] }],
      score: 0,
    });
  });

  it('weighs musts above nice-to-haves, and hard above soft skills', () => {
    const demands = [
      { skill: 'python', level: 'must' },
      { skill: 'kafka', level: 'nice' },
      { skill: 'leadership', level: 'must' },
    ] as const;
    const { requirements } = matchSkills(toProfile({}, now), [
      found('job:1', ['python', 'kafka', 'leadership'], { demands }),
    ]);
    expect(requirements.map(({ skill, weight }) => [skill, weight])).toEqual([
      ['python', 0.555556],
      ['kafka', 0.222222],
      ['leadership', 0.222222],
    ]);
  });

  it('weighs level, years and recency', () => {
    const python = found('job:1', ['python']);
    const score = (profile: Profile) => only(profile, python)?.score ?? -1;
    expect(score(withSkills('Expert', 'Python'))).toBeGreaterThan(score(withSkills('Beginner', 'Python')));
    expect(score(job('Python', '2016-01'))).toBeGreaterThan(score(job('Python', '2026-06')));
    expect(score(job('Python', '2023-01'))).toBeGreaterThan(score(job('Python', '2014-01', '2017-12')));
  });

  it('asks for the years that are asked for', () => {
    const demands = [{ skill: 'python', level: 'must', years: 5 }] as const;
    const asking = found('job:1', ['python'], { demands });
    const short = only(job('Python', '2025-11'), asking);
    expect(short?.score).toBeLessThan(only(job('Python', '2025-11'), found('job:1', ['python']))?.score ?? 0);
    expect(short?.years).toBe(1.1);
    expect(only(job('Python', '2021-01'), asking)?.score).toBeGreaterThan(0.8);
  });

  it('says which line shows it', () => {
    const profile = job('Cut query times in PostgreSQL', '2020-01');
    expect(only(profile, found('job:1', ['postgresql']))).toMatchObject({
      evidence: ['work:1'],
      lines: ['Cut query times in PostgreSQL'],
    });
    expect(only(profile, found('job:1', ['sql']))).toMatchObject({
      via: 'postgresql',
      lines: ['Cut query times in PostgreSQL'],
    });
  });

  it('asks a neighbour for the years as well, and counts them together', () => {
    const demands = [{ skill: 'java', level: 'must', years: 8 }] as const;
    const asking = found('job:1', ['java'], { demands });
    const young = job('Spring Boot services', '2025-11');
    const old = job('Spring Boot services', '2016-01');
    expect(only(young, asking)).toMatchObject({ via: 'spring' });
    expect(only(young, asking)?.score).toBeLessThan((only(old, asking)?.score ?? 0) * 0.75);
  });

  it('counts nothing that has not begun', () => {
    expect(only(job('Python', '2027-02'), found('job:1', ['python']))).toMatchObject({ score: 0, evidence: [] });
  });

  it('takes a profile whose own words are those of JavaScript', () => {
    const profile = withSkills('Expert', 'constructor', 'toString', '__proto__', 'Python');
    expect(only(profile, found('job:1', ['sql']))?.score).toBe(0);
  });

  it('asks for nothing that a telling text does not ask for itself', () => {
    const query = queryFinding('Python, SQL, Docker and Kubernetes needed');
    const like = [
      found('company:like', ['java'], { kind: 'company', score: 0.79 }),
      found('web:1', ['scala'], { kind: 'web', score: 0.85 }),
      found('company:named', ['rust'], { kind: 'company', score: 0.9 }),
    ];
    const asked = (findings: Finding[]) =>
      matchSkills(toProfile({}, now), findings).requirements.map(({ skill }) => skill);
    expect(asked([query, ...like])).toEqual(['python', 'sql', 'docker', 'kubernetes']);
  });

  it('lets what merely resembles a query ask for less, the more skills that names itself', () => {
    const like = [0.6, 0.5, 0.7].map((score, at) => found(`company:${at}`, ['java'], { kind: 'company', score }));
    const shareOf = (query: string) =>
      matchSkills(toProfile({}, now), [queryFinding(query), ...like]).requirements.find(({ skill }) => skill === 'java')
        ?.weight ?? 0;
    const shares = ['backend work', 'Python', 'Python, SQL', 'Python, SQL, Docker', 'Python, SQL, Docker, Git'].map(
      shareOf,
    );
    expect(shares.map((share) => Number(share.toFixed(2)))).toEqual([1, 0.43, 0.33, 0.2, 0]);
  });

  it('keeps, of more than it can weigh, what is asked for first', () => {
    const skills = SKILLS.filter(({ category }) => category !== 'soft').map(({ id }) => id);
    const last = [...skills].reverse().slice(0, 40);
    const { requirements } = matchSkills(toProfile({}, now), [found('job:1', last)]);
    expect(requirements.map(({ skill }) => skill)).toEqual(last.slice(0, 30));
  });

  it('gives a neighbouring skill part of the credit and says so', () => {
    expect(only(withSkills('Expert', 'Next.js'), found('job:1', ['react']))).toMatchObject({
      score: 0.76,
      via: 'nextjs',
      evidence: ['skill:nextjs'],
    });
    expect(only(withSkills('Expert', 'MySQL'), found('job:1', ['postgresql']))?.via).toBe('mysql');
    expect(only(withSkills('Expert', 'Excel'), found('job:1', ['postgresql']))?.score).toBe(0);
  });

  it('lets a telling query outweigh the corpus, and a company name be no skill', () => {
    const query = queryFinding('Python, SQL, Docker and Kubernetes needed');
    const corpus = found('company:x', ['java', 'scala'], { kind: 'company', score: 0.6 });
    expect(matchSkills(toProfile({}, now), [query, corpus]).requirements[0]?.skill).not.toMatch(/java|scala/);
    const named = [
      queryFinding('Snowflake'),
      found('company:snowflake-inc', ['java', 'sql', 'aws'], { kind: 'company' }),
    ];
    const { requirements } = matchSkills(toProfile({}, now), named);
    expect(requirements.at(-1)).toMatchObject({ skill: 'snowflake', from: ['query:1'] });
  });

  it('ignores answers that are too loose', () => {
    expect(matchSkills(toProfile({}, now), [found('job:1', ['python'], { score: 0.1 })]).requirements).toEqual([]);
  });
});

const skillId = fc.constantFrom(...SKILLS.slice(0, 60).map((skill) => skill.id), 'home-made');
const skillIds = fc.uniqueArray(skillId, { maxLength: 6 });
const findings = fc
  .array(fc.record({ skills: skillIds, score: fc.double({ min: 0, max: 1, noNaN: true }), years: fc.nat(9) }), {
    maxLength: 5,
  })
  .map((rows) =>
    rows.map(({ skills, score, years }, at) => {
      const demands = skills.map((skill) => ({ skill, level: 'must' as const, years }));
      return found(`job:${at}`, skills, { score, demands });
    }),
  );
const entry: fc.Arbitrary<Omit<ProfileEntry, 'id'>> = fc.record({
  kind: fc.constantFrom('work', 'skill', 'project', 'education', 'certificate', 'basics'),
  label: fc.constant('x'),
  text: fc.constant(''),
  skills: skillIds,
  start: fc.constantFrom('2012-01', '2019-05', '2024'),
  end: fc.constantFrom(undefined, '2025-01', '2026'),
  years: fc.double({ min: 0, max: 20, noNaN: true }),
  recency: fc.double({ min: 0.4, max: 1, noNaN: true }),
  level: fc.constantFrom(undefined, 'Expert', 'Beginner'),
});
const entries = fc
  .array(entry, { maxLength: 8 })
  .map((rows) => rows.map((row, at) => ({ ...row, id: `${row.kind}:${at}` })));
const profileOf = (rows: readonly ProfileEntry[]): Profile => ({ name: 'x', asOf: '2026-11', years: 5, entries: rows });

describe('properties of a match', () => {
  it('never falls by one more entry', () => {
    fc.assert(
      fc.property(entries, entry, findings, (rows, more, asked) => {
        const before = matchSkills(profileOf(rows), asked);
        const after = matchSkills(profileOf([...rows, { ...more, id: 'more:1' }]), asked);
        expect(after.score).toBeGreaterThanOrEqual(before.score);
        after.matches.forEach((match, at) => {
          expect(match.score).toBeGreaterThanOrEqual(before.matches[at]?.score ?? 0);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of entries or findings', () => {
    fc.assert(
      fc.property(entries, findings, fc.infiniteStream(fc.nat()), (rows, asked, keys) => {
        const shuffled = [...rows].map((row) => ({ row, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key);
        const other = profileOf(shuffled.map(({ row }) => row));
        expect(matchSkills(other, [...asked].reverse())).toEqual(matchSkills(profileOf(rows), asked));
      }),
    );
  });

  it('stays within its bounds and cites what exists', () => {
    fc.assert(
      fc.property(entries, findings, (rows, asked) => {
        const profile = profileOf(rows);
        const matching = matchSkills(profile, asked);
        expect(matching.score >= 0 && matching.score <= 100 && Number.isInteger(matching.score)).toBe(true);
        const known = new Set([...rows.map((row) => row.id), ...asked.map((finding) => finding.id)]);
        const gaps = analyseGaps(profile, asked, matching);
        const cited = [
          ...matching.matches.flatMap((match) => [...match.evidence, ...match.findings]),
          ...gaps.gaps.flatMap((gap) => gap.from),
          ...gaps.strengths.flatMap((strength) => strength.evidence),
        ];
        expect(cited.filter((id) => !known.has(id))).toEqual([]);
        for (const { score } of matching.matches) expect(score >= 0 && score <= 1).toBe(true);
      }),
    );
  });
});

/** What holds of every match, over resumes and job descriptions as people write them, from the file to the score. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Finding, queryFinding } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { type Matching, matchSkills } from './matching.ts';
import { type Profile, toProfile } from './profile.ts';
import type { Resume } from './resume-schema.ts';
import { findSkills, toSkillIds } from './skills.ts';
import { SKILLS } from './taxonomy.ts';
import { plainLine } from './text.ts';

const now = new Date('2026-11-15');
const RUNS = { numRuns: 300 };

// Few enough that profiles and queries meet, and with relatives and false friends among them.
const IDS =
  'python java javascript typescript react react-native c cpp csharp go r sql postgresql mysql docker kubernetes helm ' +
  'aws gcp nursing patient-care critical-care accounting audit tax cad finite-elements plc scada teaching german ' +
  'supply-chain procurement leadership legal litigation';
const chosen = SKILLS.filter(({ id }) => IDS.split(' ').includes(id));
const written = fc.constantFrom(
  ...chosen.flatMap(({ aliases }) =>
    aliases.map(({ text, mark }) => (mark === 'caps' || text.length === 1 ? text.toUpperCase() : text)),
  ),
  'Home-made thing',
);
const names = fc.array(written, { maxLength: 4 });
const sentence = fc
  .tuple(names, fc.constantFrom('Built it with', 'Experience in', 'Led work on', 'Ran'))
  .map(([skills, lead]) => `${lead} ${skills.join(', ')}`);
const month = fc
  .tuple(fc.integer({ min: 2004, max: 2027 }), fc.integer({ min: 1, max: 12 }))
  .map(([year, at]) => `${year}-${String(at).padStart(2, '0')}`);
const period = fc.oneof(
  month.map((startDate) => ({ startDate })),
  fc
    .tuple(month, month)
    .map((both) => [...both].sort())
    .map(([startDate, endDate]) => ({ startDate, endDate })),
  fc.constant({}),
);
const activity = fc
  .tuple(period, fc.record({ highlights: fc.array(sentence, { maxLength: 3 }), keywords: names, summary: sentence }))
  .map(([dates, rest]) => ({ ...dates, ...rest }));
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 });
const resumes: fc.Arbitrary<Resume> = fc.record({
  basics: fc.record({ label: sentence, summary: sentence }),
  work: list(fc.tuple(activity, written).map(([row, position]) => ({ ...row, position }))),
  projects: list(activity),
  volunteer: list(activity),
  skills: list(
    fc.record({ name: written, level: fc.constantFrom(undefined, 'Expert', 'Beginner', 'B2'), keywords: names }),
  ),
  education: list(fc.record({ area: written, endDate: month, courses: names })),
  certificates: list(fc.record({ name: sentence, date: month })),
  languages: list(
    fc.record({ language: fc.constantFrom('German', 'Swedish'), fluency: fc.constantFrom('Native', 'A1') }),
  ),
});
const demanded = fc.array(fc.tuple(written, fc.nat(9), fc.boolean()), { minLength: 1, maxLength: 8 });
const queries = demanded.map((rows) =>
  rows
    .map(([skill, years, nice]) => `- ${years > 0 ? `${years} years of ` : ''}${skill}${nice ? ', a plus' : ''}`)
    .join('\n'),
);
const others: fc.Arbitrary<Finding[]> = fc
  .array(fc.tuple(names, fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom('job', 'company', 'web')))
  .map((rows) =>
    rows.map(([skills, score, kind], at) => ({
      id: `${kind}:${at}`,
      kind: kind as Finding['kind'],
      title: 'x',
      summary: '',
      skills: skills.flatMap(toSkillIds),
      source: 'test',
      score,
    })),
  );
const asked = fc.tuple(queries, others).map(([query, found]) => [queryFinding(query), ...found]);

const profileOf = (resume: Resume): Profile => toProfile(resume, now);
const scoresOf = ({ matches }: Matching) => Object.fromEntries(matches.map(({ skill, score }) => [skill, score]));

function expectNoHigher(less: Matching, more: Matching): void {
  expect(less.score).toBeLessThanOrEqual(more.score);
  less.matches.forEach(({ skill, score }, at) => {
    expect(more.matches[at]?.skill).toBe(skill);
    expect(score, skill).toBeLessThanOrEqual(more.matches[at]?.score ?? -1);
  });
}

/** Takes one way to write a skill out of every keyword list and every sentence. */
function without(resume: Resume, skill: string): Resume {
  const named = (label: string): boolean => toSkillIds(label).includes(skill) || findSkills(label).includes(skill);
  return JSON.parse(JSON.stringify(resume), (_, value: unknown) => {
    if (Array.isArray(value)) return value.filter((item) => typeof item !== 'string' || !named(item));
    return typeof value === 'string' && named(value) ? '' : value;
  }) as Resume;
}

describe('a match of a resume', () => {
  it('never rises by a skill taken out of an entry', () => {
    fc.assert(
      fc.property(resumes, asked, fc.nat(), fc.nat(), (resume, findings, row, at) => {
        const profile = profileOf(resume);
        fc.pre(profile.entries.length > 0);
        const poorer = profile.entries.map((entry, index) => {
          if (index !== row % profile.entries.length) return entry;
          return { ...entry, skills: entry.skills.filter((_, skill) => skill !== at % entry.skills.length) };
        });
        expectNoHigher(matchSkills({ ...profile, entries: poorer }, findings), matchSkills(profile, findings));
      }),
      RUNS,
    );
  });

  it('never rises by a skill taken out of the file', () => {
    fc.assert(
      fc.property(resumes, asked, fc.constantFrom(...chosen.map(({ id }) => id)), (resume, findings, skill) => {
        expectNoHigher(
          matchSkills(profileOf(without(resume, skill)), findings),
          matchSkills(profileOf(resume), findings),
        );
      }),
      RUNS,
    );
  });

  it('never falls by more years: an earlier beginning, a later end, or none', () => {
    const change = fc.constantFrom('earlier', 'later', 'open');
    fc.assert(
      fc.property(resumes, asked, change, fc.integer({ min: 1, max: 10 }), (resume, findings, how, years) => {
        const longer = <T extends { startDate?: string; endDate?: string }>(row: T): T => {
          const { startDate, endDate } = row;
          if (startDate === undefined) return row;
          if (how === 'earlier') return { ...row, startDate: shift(startDate, -years) };
          if (endDate === undefined) return row;
          return { ...row, endDate: how === 'open' ? undefined : shift(endDate, years) };
        };
        const more = {
          ...resume,
          work: resume.work?.map(longer),
          projects: resume.projects?.map(longer),
          volunteer: resume.volunteer?.map(longer),
        };
        expectNoHigher(matchSkills(profileOf(resume), findings), matchSkills(profileOf(more), findings));
      }),
      RUNS,
    );
  });

  it('does not depend on the order of anything in the file', () => {
    fc.assert(
      fc.property(resumes, asked, fc.infiniteStream(fc.nat()), (resume, findings, keys) => {
        const shuffled = JSON.parse(JSON.stringify(resume), (_, value: unknown) => {
          if (!Array.isArray(value)) return value;
          const keyed = value.map((item: unknown) => ({ item, key: keys.next().value ?? 0 }));
          return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
        }) as Resume;
        const [one, other] = [resume, shuffled].map((each) => matchSkills(profileOf(each), findings));
        expect(other?.score).toBe(one?.score);
        expect(scoresOf(other as Matching)).toEqual(scoresOf(one as Matching));
      }),
      RUNS,
    );
  });

  it('stays within its ranges', () => {
    fc.assert(
      fc.property(resumes, asked, (resume, findings) => {
        const { score, matches, requirements } = matchSkills(profileOf(resume), findings);
        expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        for (const match of matches) expect(match.score >= 0 && match.score <= 1).toBe(true);
        const whole = requirements.reduce((sum, { weight }) => sum + weight, 0);
        if (requirements.length > 0) expect(whole).toBeCloseTo(1, 4);
      }),
      RUNS,
    );
  });

  it('shows for every claim an entry of the profile and the line in it that says so', () => {
    fc.assert(
      fc.property(resumes, asked, (resume, findings) => {
        const profile = profileOf(resume);
        const matching = matchSkills(profile, findings);
        for (const { skill, score, via, evidence, lines } of matching.matches) {
          expect(evidence.length > 0, skill).toBe(score > 0);
          expect(lines.length).toBe(evidence.length);
          evidence.forEach((id, at) => {
            const entry = profile.entries.find((each) => each.id === id);
            const line = lines[at] ?? '';
            expect(entry?.skills.some((shown) => shown === skill || shown === via)).toBe(true);
            expect(isIn(resume, line) || line === entry?.label, line).toBe(true);
            const said = [...toSkillIds(line), ...findSkills(line), ...(line === entry?.label ? entry.skills : [])];
            expect(
              said.some((shown) => shown === skill || shown === via),
              line,
            ).toBe(true);
          });
        }
        for (const { evidence, from } of analyseGaps(profile, findings, matching).gaps) {
          expect(profile.entries.map(({ id }) => id)).toEqual(expect.arrayContaining([...evidence]));
          expect(from.length).toBeGreaterThan(0);
        }
      }),
      RUNS,
    );
  });
});

describe('ways to write one skill', () => {
  const score = (resume: Resume, query: string): number => matchSkills(profileOf(resume), [queryFinding(query)]).score;
  const resumeOf = (text: string): Resume => ({
    work: [
      { position: 'Staff', startDate: '2019-03', endDate: '2024-06', highlights: [`Worked in Docker, ${text}, Git`] },
    ],
    skills: [{ name: 'x', level: 'Advanced', keywords: [text] }],
  });

  it('give the same score, in the profile and in what is asked for, for every skill there is', () => {
    for (const { id, name, aliases } of SKILLS) {
      const jobs = (text: string): string => `We ask for:\n- 6 years of TypeScript, ${text}, Docker\n- Git`;
      const expected = score(resumeOf(name), jobs(name));
      expect(expected, id).toBeGreaterThan(50);
      for (const { text, mark } of aliases) {
        const form = mark === 'caps' || text.length === 1 ? text.toUpperCase() : text;
        expect([score(resumeOf(form), jobs(name)), score(resumeOf(name), jobs(form))], `${id}: ${form}`).toEqual([
          expected,
          expected,
        ]);
      }
    }
  });

  it.each([
    ['Java', 'JavaScript'],
    ['JavaScript', 'Java'],
    ['C++', 'C#'],
    ['R', 'Ruby'],
    ['C', 'CSS'],
    ['Go', 'Google Cloud'],
    ['SQL', 'MySQL'],
    ['React', 'React Native'],
    ['React Native', 'Native German'],
  ])('give none to a false friend: %s asked for, %s shown', (wanted, shown) => {
    const { matches } = matchSkills(profileOf({ skills: [{ name: 'x', keywords: [shown] }] }), [
      queryFinding(`Skills: Git, ${wanted}, Figma`),
    ]);
    const direct = matches.filter(({ via }) => via === undefined).map((match) => match.score);
    expect(direct).toEqual([0, 0, 0].slice(0, direct.length));
  });
});

function shift(date: string, years: number): string {
  return `${Number(date.slice(0, 4)) + years}${date.slice(4)}`;
}

/** Whether some string of the file, on one line, holds this one. */
function isIn(value: unknown, line: string): boolean {
  if (typeof value === 'string') return plainLine(value, 5000).includes(line.replace(/…$/, ''));
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((item) => isIn(item, line));
}

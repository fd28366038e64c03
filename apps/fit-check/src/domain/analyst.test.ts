import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { composeVerdict } from './analyst.ts';
import { checkCitations } from './citations.ts';
import { loadCorpus } from './corpus.ts';
import { type Finding, queryFinding } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { matchSkills } from './matching.ts';
import { loadProfile, type Profile, SAMPLE_PROFILE, toProfile } from './profile.ts';
import { createCorpus } from './search.ts';
import { levelOf, type VerdictInput } from './verdict.ts';

const now = new Date('2026-11-15');
const nobody = toProfile({}, now);
const corpus = createCorpus();
let sample: Profile;

beforeAll(async () => {
  sample = await loadProfile(SAMPLE_PROFILE, { now });
});

const inputFor = (query: string, profile: Profile, found: readonly Finding[] = corpus.search(query)): VerdictInput => {
  const findings = [queryFinding(query), ...found];
  const matching = matchSkills(profile, findings);
  return { query, profile, findings, matching, gaps: analyseGaps(profile, findings, matching) };
};
const words = (text: string) => text.split(/\s+/).length;

describe('composeVerdict', () => {
  it('cites enough that exists, in about 200 to 350 words, for everything in the corpus', () => {
    const { companies, jobs } = loadCorpus();
    for (const query of [...companies.map((row) => row.name), ...jobs.map((row) => row.title)]) {
      const input = inputFor(query, sample);
      const { text, citations, note } = composeVerdict(input);
      expect(checkCitations(text, sample, input.findings), query).toMatchObject({ unknown: [], missing: [] });
      expect(citations.profile.length).toBeGreaterThanOrEqual(3);
      expect(citations.findings).toContain('query:1');
      expect(citations.findings.length).toBeGreaterThanOrEqual(2);
      expect(note).toBeUndefined();
      expect(words(text), query).toBeGreaterThanOrEqual(190);
      expect(words(text), query).toBeLessThanOrEqual(360);
    }
  });

  it('leads with the score and its level', () => {
    const input = inputFor('Anthropic', sample);
    expect(composeVerdict(input).text).toMatch(
      `**Fit for Anthropic: ${input.matching.score} of 100, a ${levelOf(input.matching)} match.**`,
    );
  });

  it('says so when only loose sources were found', () => {
    const { text, citations } = composeVerdict(inputFor('Test logging', sample));
    expect(text).toContain('**Rough fit, from loosely related sources, for “Test logging”');
    expect(text).toContain('matched nothing by name');
    expect(text).toContain('a direction, not a decision');
    expect(citations.findings.length).toBeGreaterThanOrEqual(2);
  });

  it('says so when nothing was found, and cites all there is', () => {
    const { text, citations, note } = composeVerdict(inputFor('xyzzy', sample));
    expect(text).toContain('**No rating for “xyzzy”.**');
    expect(citations).toMatchObject({ findings: ['query:1'] });
    expect(citations.profile.length).toBeGreaterThanOrEqual(3);
    expect(note).toBe('There is only one finding, so this verdict cites all there is.');
    expect(text).toContain(note);
  });

  it('does with an empty profile, and with no findings at all', () => {
    const stripe = composeVerdict(inputFor('Stripe', nobody));
    expect(stripe.citations.profile).toEqual([]);
    expect(stripe.note).toBe('The profile has no entries, so this verdict cites all there is.');
    const matching = matchSkills(nobody, []);
    const gaps = analyseGaps(nobody, [], matching);
    const bare = composeVerdict({ query: '', profile: nobody, findings: [], matching, gaps });
    expect(bare.citations).toEqual({ profile: [], findings: [] });
    expect(bare.note).toMatch(/^The profile has no entries and there are no findings/);
  });

  it('speaks of the pasted description by what it asks for', () => {
    const pasted = 'Requirements:\n- 5 years of Python\n- Kubernetes, Terraform, PostgreSQL and Cobol. '.padEnd(
      400,
      'x y z ',
    );
    const { text } = composeVerdict(inputFor(pasted, sample));
    expect(text).toContain('Fit for the pasted description');
    expect(text).toMatch(/names 5 skills of its own/);
    expect(text).toMatch(/\*\*COBOL\*\* \(high, asked for by \[query:1\]/);
  });

  it('keeps its length by telling fewer gaps and strengths one by one, whatever the profile and the query are', () => {
    const skills = ['Python', 'TypeScript', 'React', 'PostgreSQL', 'Kubernetes', 'Observability'];
    const work = skills.map((skill, at) => ({
      position: `Acting senior manager of the office for ${skill} and all that goes with it in the region`,
      startDate: `201${at}-01`,
      highlights: [`Five years of ${skill}`],
    }));
    const wordy = toProfile({ work }, now);
    const gaps = 'bar admission, patent law, welding, HPLC, due diligence';
    const input = inputFor(`We ask for ${skills.join(', ')}, ${gaps}`, wordy);
    const { text } = composeVerdict(input);
    expect(words(text), text).toBeLessThanOrEqual(350);
    expect(text).toMatch(/lesser gaps not listed/);
    expect(checkCitations(text, wordy, input.findings)).toMatchObject({ unknown: [], missing: [] });
  });

  it('cites nothing false, whatever the query tries', () => {
    const query = 'Google [work:99] [company:evil]\n\n**Fit: 100** [skill:none]';
    const input = inputFor(query, sample);
    expect(checkCitations(composeVerdict(input).text, sample, input.findings).unknown).toEqual([]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const hostile = inputFor(`${text} [work:77] Python`, sample);
        const verdict = composeVerdict(hostile);
        expect(checkCitations(verdict.text, sample, hostile.findings)).toMatchObject({ unknown: [], missing: [] });
      }),
      { numRuns: 50 },
    );
  });

  it('says the same twice', () => {
    expect(composeVerdict(inputFor('Netflix', sample))).toEqual(composeVerdict(inputFor('Netflix', sample)));
  });
});

describe('levelOf', () => {
  it('names scores', () => {
    const requirements = [{ skill: 'x', weight: 1, must: true, from: [] }];
    const levels = [100, 75, 74, 55, 54, 35, 34, 0].map((score) => levelOf({ score, requirements, matches: [] }));
    expect(levels).toEqual(['strong', 'strong', 'good', 'good', 'partial', 'partial', 'weak', 'weak']);
    expect(levelOf({ score: 0, requirements: [], matches: [] })).toBe('unrated');
  });
});

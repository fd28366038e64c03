import { describe, expect, it } from 'vitest';
import { composeVerdict } from './analyst.ts';
import { queryFinding } from './finding.ts';
import { analyseGaps } from './gaps.ts';
import { matchSkills } from './matching.ts';
import { loadProfile, SAMPLE_PROFILE, toProfile } from './profile.ts';
import { createCorpus } from './search.ts';
import {
  type PhaseSummary,
  summariseConnecting,
  summariseGaps,
  summariseMatching,
  summariseResearch,
  summariseVerdict,
} from './summaries.ts';

const now = new Date('2026-11-15');
const profile = await loadProfile(SAMPLE_PROFILE, { now });
const findings = [queryFinding('Anthropic'), ...createCorpus().search('Anthropic')];
const matching = matchSkills(profile, findings);
const gaps = analyseGaps(profile, findings, matching);
const verdict = composeVerdict({ query: 'Anthropic', profile, findings, matching, gaps });

describe('the summaries', () => {
  it('tell of the connection', () => {
    const told = summariseConnecting(profile, { cached: true, breakers: { search: 'open', llm: 'closed' } });
    expect(told.summary).toMatch(
      /^Profile loaded \(Mira Lindqvist: \d+ profile entries\); a stored answer is at hand$/,
    );
    expect(told.data).toMatchObject({ cached: true, circuit_breakers: { search: 'open', llm: 'closed' } });
    expect(told.thoughts).toContain('Breaker search is open; a fallback will serve.');
  });

  it('tell of the research with provenance', () => {
    const { summary, data } = summariseResearch(findings, 'corpus');
    expect(summary).toBe('Found 3 sources in corpus, strongest: Anthropic');
    expect(data.source).toBe('corpus');
    expect(data.findings).toContainEqual({
      id: 'company:anthropic',
      title: 'Anthropic',
      source: 'bundled corpus',
      as_of: '2026-11',
      illustrative: true,
      score: 1,
    });
  });

  it('tell of matches, gaps and strengths with evidence', () => {
    const matched = summariseMatching(matching);
    expect(matched.data).toMatchObject({ score: matching.score, level: 'strong' });
    expect(matched.data.top_matches).toContainEqual(
      expect.objectContaining({ skill: 'Python', evidence: expect.arrayContaining(['work:1', 'skill:python']) }),
    );
    const python = (matched.data.top_matches as { skill: string; lines: string[] }[]).find(
      ({ skill }) => skill === 'Python',
    );
    expect(python?.lines[0]).toMatch(/Python/);
    const { data } = summariseGaps(gaps);
    expect(data.gaps).toContainEqual(expect.objectContaining({ skill: 'PyTorch', from: ['company:anthropic'] }));
    expect(data.strengths).toContainEqual(expect.objectContaining({ skill: 'Python' }));
  });

  it('tell of the verdict by its citations', () => {
    expect(summariseVerdict(verdict.text, { profile, findings, matching }).data).toMatchObject({
      score: matching.score,
      citations: { ok: true, unknown: [], missing: [] },
    });
    const { evidence } = summariseVerdict(verdict.text, { profile, findings, matching }).data;
    const first = profile.entries.find(({ id }) => id === 'work:1');
    expect(evidence).toContainEqual({ id: 'work:1', label: first?.label });
    const bad = summariseVerdict('Trust me [work:99].', { profile, findings, matching });
    expect(bad.data.citations).toMatchObject({ ok: false, unknown: ['work:99'] });
    expect(bad.thoughts[0]).toBe('Cited although nothing bears that id: work:99.');
  });

  it('tell of a text that states another score than the computed one', () => {
    const { score } = matching;
    const told = (text: string) => summariseVerdict(text, { profile, findings, matching });
    expect(told(verdict.text).data.stated_scores).toEqual({ stated: [score], ok: true });
    const talkedOver = told(`**A perfect fit: 100 of 100**, computed were ${score}/100.`);
    expect(talkedOver.data).toMatchObject({ score, stated_scores: { stated: [100, score], ok: false } });
    expect(talkedOver.thoughts).toContain(`The text states 100 of 100; computed are ${score}.`);
    expect(told('').data.stated_scores).toEqual({ stated: [], ok: true });
  });

  it('count every invented id and list a bounded number', () => {
    const text = Array.from({ length: 5000 }, (_, at) => `[work:${at + 100}]`).join(' ');
    const { citations } = summariseVerdict(text, { profile, findings, matching }).data as {
      citations: { unknown: string[]; unknown_count: number };
    };
    expect(citations.unknown).toHaveLength(50);
    expect(citations.unknown_count).toBe(5000);
  });

  it('stay small, one line each, and survive JSON, with nothing to tell too', () => {
    const nobody = toProfile({}, now);
    const nothing = matchSkills(nobody, []);
    const told: PhaseSummary[] = [
      summariseConnecting(nobody, { cached: false }),
      summariseResearch([], 'corpus'),
      summariseMatching(nothing),
      summariseGaps(analyseGaps(nobody, [], nothing)),
      summariseVerdict('', { profile: nobody, findings: [], matching: nothing }),
      summariseConnecting(profile, { cached: false }),
      summariseResearch([...findings, ...createCorpus().search('python', 60)], 'corpus'),
      summariseMatching(matching),
      summariseGaps(gaps),
      summariseVerdict(verdict.text, { profile, findings, matching }),
    ];
    for (const { summary, data, thoughts } of told) {
      expect(summary).toMatch(/^[^\n]{3,200}$/);
      expect(JSON.stringify(data).length).toBeLessThan(6000);
      for (const thought of thoughts) expect(thought).toMatch(/^[^\n]{3,300}$/);
    }
  });
});

/** What each phase tells when it completes: a line for people, data for programs, thoughts for who asked for them. */
import { checkCitations } from './citations.ts';
import { type Finding, QUERY_ID } from './finding.ts';
import type { GapAnalysis } from './gaps.ts';
import type { Matching, SkillMatch } from './matching.ts';
import type { Profile } from './profile.ts';
import { skillName } from './skills.ts';
import { statedScores } from './stated.ts';
import { clip, countOf, listOf, round } from './text.ts';
import { levelOf } from './verdict.ts';

export interface PhaseSummary {
  /** One line. */
  readonly summary: string;
  /** Small and ready for JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly thoughts: readonly string[];
}

const TOP = 8;
const TOP_FINDINGS = 12;
/** Of a match's evidence, as many are told word for word. */
const TOP_LINES = 2;
/** A model may invent ids without end; as many are listed, and all are counted. */
const MAX_UNKNOWN = 50;
const TOP_EVIDENCE = 32;

export interface ConnectingState {
  /** Whether a stored answer will be used. */
  readonly cached: boolean;
  /** Breakers by name, in the words of the health report. */
  readonly breakers?: Readonly<Record<string, string>>;
}

export function summariseConnecting(profile: Profile, { cached, breakers = {} }: ConnectingState): PhaseSummary {
  const troubled = Object.entries(breakers).filter(([, state]) => state !== 'closed');
  const profiled = `${profile.name}: ${countOf(profile.entries.length, 'profile entry', 'profile entries')}`;
  return {
    summary: `Profile loaded (${profiled})${cached ? '; a stored answer is at hand' : ''}`,
    data: {
      profile: { name: profile.name, label: profile.label, years: profile.years, entries: profile.entries.length },
      cached,
      circuit_breakers: breakers,
    },
    thoughts: [
      `The profile covers ${countOf(round(profile.years), 'year')} of work.`,
      ...troubled.map(([name, state]) => `Breaker ${name} is ${state}; a fallback will serve.`),
    ],
  };
}

/** `source` says who answered: the corpus, a search service, or the corpus in its place. */
export function summariseResearch(findings: readonly Finding[], source: string): PhaseSummary {
  const found = findings.filter((finding) => finding.id !== QUERY_ID).sort((a, b) => b.score - a.score);
  const best = found[0];
  const strongest = best === undefined ? '' : `, strongest: ${best.title}`;
  return {
    summary:
      best === undefined
        ? `No source found in ${source}`
        : `Found ${countOf(found.length, 'source')} in ${source}${strongest}`,
    data: {
      source,
      findings: findings.slice(0, TOP_FINDINGS).map((finding) => ({
        id: finding.id,
        title: finding.title,
        source: finding.source,
        ...(finding.as_of === undefined ? {} : { as_of: finding.as_of }),
        ...(finding.illustrative === undefined ? {} : { illustrative: finding.illustrative }),
        ...(finding.url === undefined ? {} : { url: finding.url }),
        score: finding.score,
      })),
    },
    thoughts: [
      best === undefined
        ? 'Nothing answers this by name; only the query itself can be weighed.'
        : `Found ${countOf(found.length, 'source')}${strongest}.`,
      ...skillThought(findings),
    ],
  };
}

function skillThought(findings: readonly Finding[]): string[] {
  const named = [...new Set(findings.flatMap((finding) => finding.skills.slice(0, 4)))].slice(0, 5).map(skillName);
  return named.length === 0 ? [] : [`They speak of ${listOf(named)}.`];
}

export function summariseMatching(matching: Matching): PhaseSummary {
  const { requirements, score } = matching;
  const shown = shownMatches(matching);
  const asked = countOf(requirements.length, 'skill');
  const best = shown.slice(0, 3).map((match) => skillName(match.skill));
  return {
    summary: requirements.length === 0 ? 'Nothing measurable is asked for' : `${score} of 100 over ${asked}`,
    data: {
      score,
      level: levelOf(matching),
      requirements: requirements.length,
      top_matches: shown.slice(0, TOP).map((match) => ({
        skill: skillName(match.skill),
        score: match.score,
        evidence: match.evidence,
        lines: match.lines.slice(0, TOP_LINES),
        findings: match.findings,
        ...(match.via === undefined ? {} : { via: skillName(match.via) }),
      })),
    },
    thoughts: [
      `${asked} to weigh, ${shown.length} with some evidence.`,
      ...(best.length === 0 ? [] : [`Best shown: ${listOf(best)}.`]),
    ],
  };
}

export function summariseGaps({ gaps, strengths }: GapAnalysis): PhaseSummary {
  const severe = gaps.filter((gap) => gap.severity === 'high');
  const heaviest = (severe.length > 0 ? severe : gaps).slice(0, 3).map((gap) => skillName(gap.skill));
  return {
    summary: `${countOf(gaps.length, 'gap')} (${severe.length} high), ${countOf(strengths.length, 'strength')}`,
    data: {
      gaps: gaps.slice(0, TOP).map((gap) => ({ ...gap, skill: skillName(gap.skill) })),
      strengths: strengths.slice(0, TOP).map((strength) => ({ ...strength, skill: skillName(strength.skill) })),
    },
    thoughts: heaviest.length === 0 ? ['No gap to close.'] : [`What weighs most among the gaps: ${listOf(heaviest)}.`],
  };
}

/**
 * Of any verdict text, the embedded analyst's or a model's: what it cites that does not exist, what it leaves out, and
 * whether it states the computed score. None of it changes the score or withholds the text.
 */
export function summariseVerdict(
  text: string,
  { profile, findings, matching }: { profile: Profile; findings: readonly Finding[]; matching: Matching },
): PhaseSummary {
  const { cited, unknown, missing } = checkCitations(text, profile, findings);
  const words = text.split(/\s+/).filter((word) => word !== '').length;
  const stated = statedScores(text, findings);
  const others = stated.filter((score) => score !== matching.score);
  return {
    summary: `Verdict of ${countOf(words, 'word')} with ${countOf(cited.length, 'citation')}`,
    data: {
      score: matching.score,
      level: levelOf(matching),
      words,
      citations: {
        cited,
        unknown: unknown.slice(0, MAX_UNKNOWN),
        ...(unknown.length > MAX_UNKNOWN ? { unknown_count: unknown.length } : {}),
        missing,
        ok: unknown.length === 0 && missing.length === 0,
      },
      stated_scores: { stated, ok: others.length === 0 },
      evidence: labelsOf(profile, [...cited, ...shownMatches(matching).flatMap((match) => match.evidence)]),
    },
    thoughts: [
      unknown.length === 0
        ? 'Every citation leads to something that exists.'
        : `Cited although nothing bears that id: ${listOf(unknown.slice(0, 5))}.`,
      ...(others.length === 0
        ? []
        : [`The text states ${listOf(others.map(String))} of 100; computed are ${matching.score}.`]),
    ],
  };
}

/** Those with some evidence, strongest first. */
function shownMatches({ matches }: Matching): SkillMatch[] {
  return [...matches].sort((a, b) => b.score - a.score).filter((match) => match.score > 0);
}

/** What the entries of these ids are called, so that a reader need not know the profile. */
function labelsOf({ entries }: Profile, ids: readonly string[]): { id: string; label: string }[] {
  const labels = new Map(entries.map(({ id, label }) => [id, label]));
  return [...new Set(ids)]
    .flatMap((id) => ({ id, label: labels.get(id) ?? '' }))
    .filter(({ label }) => label !== '')
    .slice(0, TOP_EVIDENCE)
    .map(({ id, label }) => ({ id, label: clip(label, 100) }));
}

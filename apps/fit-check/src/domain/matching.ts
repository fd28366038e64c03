/**
 * Weighs what the findings ask for against what the profile shows.
 *
 * Two properties hold, and tests hold them: adding anything to a profile never lowers its score, and the order of its
 * entries does not matter. Weights come from the findings alone; each skill's score is built from maxima and sums
 * that only grow.
 */
import { monthOf, yearsCovered } from './dates.ts';
import { type Finding, QUERY_ID, type SkillDemand } from './finding.ts';
import { levelStrength } from './levels.ts';
import { type Profile, type ProfileEntry, type ProfileEntryKind, spanOf } from './profile.ts';
import { skillCategory } from './skills.ts';
import { FAMILIES, IMPLIES } from './taxonomy.ts';
import { byText, round } from './text.ts';

export interface Requirement {
  readonly skill: string;
  /** Its share of everything that is asked for; all together are 1. */
  readonly weight: number;
  /** Whether some finding that weighs calls it a must. */
  readonly must: boolean;
  /** Years asked for, the most of any finding. */
  readonly years?: number;
  /** Ids of the findings that ask for it, the one that counts most first. */
  readonly from: readonly string[];
}

export interface SkillMatch {
  readonly skill: string;
  /** 0 (nothing shown) to 1. */
  readonly score: number;
  /** Ids of the profile's entries that show it, strongest first. */
  readonly evidence: readonly string[];
  /** Ids of the findings that ask for it. */
  readonly findings: readonly string[];
  /** A neighbouring skill that the evidence is about, where the skill itself is not shown. */
  readonly via?: string;
  /** Years of work and projects with it. */
  readonly years: number;
}

export interface Matching {
  /** Heaviest first. */
  readonly requirements: readonly Requirement[];
  /** One for each requirement, in the same order. */
  readonly matches: readonly SkillMatch[];
  /** 0 to 100, whole; 0 where nothing is asked for. */
  readonly score: number;
}

const MAX_REQUIREMENTS = 30;
const MAX_EVIDENCE = 5;
/** Below this, a finding is too loose an answer to ask for anything. */
const MIN_FINDING_SCORE = 0.25;
/** With this many skills of its own, a query speaks for itself and the corpus only colours it. */
const TELLING_QUERY = 4;
/** A company with this score was named by the whole query. */
const WHOLE_NAME = 0.95;
const NICE = 0.4;
const SOFT = 0.4;
const VIA_IMPLIED = 0.8;
const VIA_FAMILY = 0.45;

const KIND_STRENGTH: Readonly<Record<ProfileEntryKind, number>> = {
  work: 0.85,
  project: 0.7,
  certificate: 0.65,
  volunteer: 0.55,
  publication: 0.55,
  education: 0.45,
  basics: 0.4,
  skill: 0.65,
  language: 0.65,
};

export function matchSkills(profile: Profile, findings: readonly Finding[]): Matching {
  const requirements = requirementsOf(findings);
  const shown = showings(profile);
  const matches = requirements.map((requirement) => matchOne(requirement, shown, profile));
  const total = requirements.reduce((sum, { weight }, at) => sum + weight * (matches[at]?.score ?? 0), 0);
  return { requirements, matches, score: Math.min(100, Math.round(total * 100)) };
}

/** The query counts in full, the rest by how well it answers, less where the query names skills enough of its own. */
function weightOfFinding(finding: Finding, telling: boolean, named: boolean, isName: boolean): number {
  // "Snowflake" as a whole query is the company, hardly the skill.
  if (finding.id === QUERY_ID) return isName ? 0.1 : 1;
  if (finding.score < MIN_FINDING_SCORE) return 0;
  if (telling) return 0.15 * finding.score;
  return named && finding.score < 0.8 ? 0.2 * finding.score : finding.score;
}

function requirementsOf(findings: readonly Finding[]): Requirement[] {
  const telling = findings.some((finding) => finding.id === QUERY_ID && finding.skills.length >= TELLING_QUERY);
  const named = findings.some((finding) => finding.id !== QUERY_ID && finding.score >= 0.8);
  const isName = findings.some((finding) => finding.kind === 'company' && finding.score >= WHOLE_NAME);
  const sums = new Map<string, Requirement>();
  const weighed = findings
    .map((finding) => ({ finding, weight: weightOfFinding(finding, telling, named, isName) }))
    .sort((a, b) => b.weight - a.weight || byText(a.finding.id, b.finding.id));
  for (const { finding, weight } of weighed) {
    const demands = weight > 0 ? demandsOf(finding) : [];
    const whole = demands.reduce((sum, demand) => sum + importance(demand), 0);
    for (const demand of demands) {
      const known = sums.get(demand.skill);
      const years = Math.max(known?.years ?? 0, demand.years ?? 0);
      sums.set(demand.skill, {
        skill: demand.skill,
        weight: (known?.weight ?? 0) + (weight * importance(demand)) / whole,
        must: known?.must === true || (demand.level === 'must' && weight >= 0.5),
        ...(years > 0 ? { years } : {}),
        from: [...(known?.from ?? []), finding.id],
      });
    }
  }
  return shares([...sums.values()]);
}

function shares(all: readonly Requirement[]): Requirement[] {
  const kept = [...all].sort((a, b) => b.weight - a.weight || byText(a.skill, b.skill)).slice(0, MAX_REQUIREMENTS);
  const whole = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map((requirement) => ({ ...requirement, weight: round(requirement.weight / whole, 6) }));
}

/** A finding that does not say how much each skill matters asks for all of them alike; only jobs and queries have musts. */
function demandsOf(finding: Finding): SkillDemand[] {
  const demands = new Map((finding.demands ?? []).map((demand) => [demand.skill, demand]));
  const level = finding.kind === 'query' || finding.kind === 'job' ? 'must' : 'nice';
  for (const skill of finding.skills) if (!demands.has(skill)) demands.set(skill, { skill, level });
  return [...demands.values()];
}

function importance({ skill, level }: SkillDemand): number {
  return (level === 'must' ? 1 : NICE) * (skillCategory(skill) === 'soft' ? SOFT : 1);
}

interface Showing {
  readonly entry: ProfileEntry;
  readonly strength: number;
}

type Showings = ReadonlyMap<string, readonly Showing[]>;

/** For each skill, the entries that show it, strongest first. */
function showings(profile: Profile): Showings {
  const shown = new Map<string, Showing[]>();
  for (const entry of profile.entries) {
    const strength = strengthOf(entry);
    for (const skill of new Set(entry.skills)) shown.set(skill, [...(shown.get(skill) ?? []), { entry, strength }]);
  }
  for (const list of shown.values()) list.sort((a, b) => b.strength - a.strength || byText(a.entry.id, b.entry.id));
  return shown;
}

/** Stated skills count by their level, lived ones by how long and how long ago. */
function strengthOf(entry: ProfileEntry): number {
  if (entry.kind === 'skill' || entry.kind === 'language') return levelStrength(entry.level);
  const lasting = entry.kind === 'work' ? Math.min(1, 0.75 + 0.08 * (entry.years ?? 1)) : 1;
  return KIND_STRENGTH[entry.kind] * lasting * entry.recency;
}

function matchOne(requirement: Requirement, shown: Showings, profile: Profile): SkillMatch {
  const { skill, from } = requirement;
  const own = shown.get(skill) ?? [];
  const years = yearsWith(own, profile);
  const direct = combined(own) * patience(requirement.years, years);
  const { score, via } = bestNeighbour(skill, shown);
  const lends = via !== undefined && score > direct;
  const proof = lends ? [...own, ...(shown.get(via) ?? [])] : own;
  return {
    skill,
    score: round(Math.min(1, Math.max(direct, score)), 3),
    evidence: [...new Set(proof.map(({ entry }) => entry.id))].slice(0, MAX_EVIDENCE),
    findings: from,
    ...(lends ? { via } : {}),
    years: round(years, 1),
  };
}

/** The strongest entry, and a little for each that confirms it. */
function combined(shown: readonly Showing[]): number {
  const [first, second, third] = shown;
  if (first === undefined) return 0;
  return Math.min(1, first.strength + 0.12 * (second?.strength ?? 0) + 0.06 * (third?.strength ?? 0));
}

function yearsWith(shown: readonly Showing[], profile: Profile): number {
  const now = monthOf(profile.asOf);
  const lived = shown.filter(({ entry }) => entry.kind === 'work' || entry.kind === 'project');
  return yearsCovered(lived.flatMap(({ entry }) => spanOf(entry, now) ?? []));
}

/** Years asked for and not reached take off up to two fifths. */
function patience(asked: number | undefined, had: number): number {
  return asked === undefined ? 1 : 0.6 + 0.4 * Math.min(1, had / asked);
}

function bestNeighbour(skill: string, shown: Showings): { score: number; via?: string } {
  let best: { score: number; via?: string } = { score: 0 };
  for (const [via, list] of [...shown].sort(([a], [b]) => byText(a, b))) {
    const score = combined(list) * kinship(via, skill);
    if (score > best.score) best = { score, via };
  }
  return best;
}

function kinship(from: string, to: string): number {
  if (from === to) return 0;
  if (IMPLIES[from]?.includes(to)) return VIA_IMPLIED;
  return FAMILIES.some((family) => family.includes(from) && family.includes(to)) ? VIA_FAMILY : 0;
}

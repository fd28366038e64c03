/**
 * Weighs what the findings ask for against what the profile shows.
 *
 * Two properties hold, and tests hold them: adding anything to a profile never lowers its score, and the order of its
 * entries does not matter. Weights come from the findings alone; each skill's score is built from maxima and sums
 * that only grow.
 */
import { monthOf, type Span, yearsCovered } from './dates.ts';
import { type Finding, QUERY_ID, type SkillDemand } from './finding.ts';
import { kinOf } from './kinship.ts';
import { levelStrength } from './levels.ts';
import { type Profile, type ProfileEntry, type ProfileEntryKind, spanOf } from './profile.ts';
import { skillCategory } from './skills.ts';
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
  /** For each of them, in the same order, the line of the profile that shows it. */
  readonly lines: readonly string[];
  /** Ids of the findings that ask for it. */
  readonly findings: readonly string[];
  /** A neighbouring skill that the evidence is about, where the skill itself is not shown. */
  readonly via?: string;
  /** Years of work and projects with it. */
  readonly years: number;
  /** The year that its work and projects reach, to the profile's date where they have no end. */
  readonly until?: number;
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
/** With this many skills of its own, a query speaks for itself: nobody else, named or hidden in it, asks for anything. */
const TELLING_QUERY = 4;
/** A company with this score was named by the whole query. */
const WHOLE_NAME = 0.95;
/** A company or job with this score was named. */
const NAMED = 0.8;
/** Beside what was named, what was not counts this much at most. */
const LOOSE = 0.2;
const NICE = 0.4;
const SOFT = 0.4;
const SPOKEN = 0.6;

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
  const shown = shownBy(profile);
  const now = monthOf(profile.asOf);
  const matches = requirements.map((requirement) => matchOne(requirement, shown, now));
  const total = requirements.reduce((sum, { weight }, at) => sum + weight * (matches[at]?.score ?? 0), 0);
  return { requirements, matches, score: Math.min(100, Math.round(total * 100)) };
}

/** What the weights of findings hang on. */
interface Scene {
  /** Whether a company was named by the whole query. */
  readonly isName: boolean;
  /** Whether the query speaks for itself. */
  readonly telling: boolean;
  /** What the score of a finding that was not named is multiplied by. */
  readonly loose: number;
}

/** The more skills a query names itself, the less what merely resembles it may ask for: nothing, from four skills on. */
function sceneOf(findings: readonly Finding[]): Scene {
  const own = findings.find((finding) => finding.id === QUERY_ID)?.skills.length ?? 0;
  const others = findings.filter((finding) => finding.id !== QUERY_ID && finding.score >= MIN_FINDING_SCORE);
  // In one order, since sums of fractions hang on it.
  const scores = others.map(({ score }) => score).sort((x, y) => x - y);
  const whole = scores.reduce((sum, score) => sum + score, 0);
  const room = own === 0 ? 1 : Math.min(1, (1 - own / TELLING_QUERY) / Math.max(whole, MIN_FINDING_SCORE));
  const named = others.some((finding) => finding.score >= NAMED);
  return {
    isName: others.some((finding) => finding.kind === 'company' && finding.score >= WHOLE_NAME),
    telling: own >= TELLING_QUERY,
    loose: named ? Math.min(LOOSE, room) : room,
  };
}

function weightOfFinding({ id, score }: Finding, { isName, telling, loose }: Scene): number {
  // "Snowflake" as a whole query is the company, hardly the skill.
  if (id === QUERY_ID) return isName ? 0.1 : 1;
  if (telling || score < MIN_FINDING_SCORE) return 0;
  return score < NAMED ? loose * score : score;
}

function requirementsOf(findings: readonly Finding[]): Requirement[] {
  const scene = sceneOf(findings);
  const sums = new Map<string, Requirement>();
  const weighed = findings
    .map((finding) => ({ finding, weight: weightOfFinding(finding, scene) }))
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
  // Of what weighs alike, what is asked for first comes first.
  const kept = [...all].sort((a, b) => b.weight - a.weight).slice(0, MAX_REQUIREMENTS);
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
  const category = skillCategory(skill);
  return (level === 'must' ? 1 : NICE) * (category === 'soft' ? SOFT : category === 'spoken' ? SPOKEN : 1);
}

interface Showing {
  readonly entry: ProfileEntry;
  readonly strength: number;
  /** The line of the entry that shows it. */
  readonly line: string;
}

interface Shown {
  /** Strongest first. */
  readonly showings: readonly Showing[];
  /** The strongest entry, and a little for each that confirms it. */
  readonly strength: number;
}

type ShownSkills = ReadonlyMap<string, Shown>;

/** A service weighs one profile all its life. */
const profiles = new WeakMap<Profile, ShownSkills>();
const NOTHING: Shown = { showings: [], strength: 0 };

/** What each skill of the profile is shown by. */
function shownBy(profile: Profile): ShownSkills {
  const before = profiles.get(profile);
  if (before !== undefined) return before;
  const now = monthOf(profile.asOf);
  const lists = new Map<string, Showing[]>();
  // What has not begun shows nothing yet.
  for (const entry of profile.entries.filter(({ start }) => start === undefined || monthOf(start) <= now)) {
    const strength = strengthOf(entry);
    for (const skill of new Set(entry.skills)) {
      const list = lists.get(skill) ?? [];
      lists.set(skill, list);
      list.push({ entry, strength, line: entry.lines?.[skill] ?? entry.label });
    }
  }
  const shown = new Map([...lists].map(([skill, list]) => [skill, toShown(list)]));
  profiles.set(profile, shown);
  return shown;
}

function toShown(list: readonly Showing[]): Shown {
  const showings = [...list].sort((a, b) => b.strength - a.strength || byText(a.entry.id, b.entry.id));
  const [first = 0, second = 0, third = 0] = showings.map(({ strength }) => strength);
  return { showings, strength: Math.min(1, first + 0.12 * second + 0.06 * third) };
}

/** Stated skills count by their level, lived ones by how long and how long ago. */
function strengthOf(entry: ProfileEntry): number {
  if (entry.kind === 'skill' || entry.kind === 'language') return levelStrength(entry.level);
  const lasting = entry.kind === 'work' ? Math.min(1, 0.75 + 0.08 * (entry.years ?? 1)) : 1;
  return KIND_STRENGTH[entry.kind] * lasting * entry.recency;
}

function matchOne({ skill, from, years: asked }: Requirement, shown: ShownSkills, now: number): SkillMatch {
  const own = shown.get(skill) ?? NOTHING;
  const spans = spansOf(own.showings, now);
  const years = yearsCovered(spans);
  const direct = own.strength * patience(asked, years);
  const { score, via } = bestNeighbour({ skill, asked, own, shown, now });
  const lends = via !== undefined && score > direct;
  const proof = lends ? [...own.showings, ...(shown.get(via)?.showings ?? [])] : own.showings;
  const lines = new Map<string, string>();
  for (const { entry, line } of proof) if (!lines.has(entry.id)) lines.set(entry.id, line);
  return {
    skill,
    score: round(Math.min(1, Math.max(direct, score)), 3),
    evidence: [...lines.keys()].slice(0, MAX_EVIDENCE),
    lines: [...lines.values()].slice(0, MAX_EVIDENCE),
    findings: from,
    ...(lends ? { via } : {}),
    years: round(years, 1),
    ...(spans.length > 0 ? { until: Math.floor(Math.max(...spans.map(({ to }) => to)) / 12) } : {}),
  };
}

function spansOf(showings: readonly Showing[], now: number): Span[] {
  const lived = showings.filter(({ entry }) => entry.kind === 'work' || entry.kind === 'project');
  return lived.flatMap(({ entry }) => spanOf(entry, now) ?? []);
}

/** Years asked for and not reached take off up to two fifths. */
function patience(asked: number | undefined, had: number): number {
  return asked === undefined ? 1 : 0.6 + 0.4 * Math.min(1, had / asked);
}

interface Lacking {
  readonly skill: string;
  readonly asked: number | undefined;
  readonly own: Shown;
  readonly shown: ShownSkills;
  readonly now: number;
}

/** Years with the neighbour count as years with the skill. */
function bestNeighbour({ skill, asked, own, shown, now }: Lacking): { score: number; via?: string } {
  let best: { score: number; via?: string } = { score: 0 };
  for (const { skill: via, share } of kinOf(skill)) {
    const near = shown.get(via);
    if (near === undefined || near.strength * share <= best.score) continue;
    const years = asked === undefined ? 0 : yearsCovered(spansOf([...own.showings, ...near.showings], now));
    const score = near.strength * share * patience(asked, years);
    if (score > best.score) best = { score, via };
  }
  return best;
}

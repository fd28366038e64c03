/** What the research found: the query itself, companies and jobs of the corpus, pages of the web. */
import { countSkills, findSkills } from './skills.ts';
import { clip, plainLine, round, sentencesOf } from './text.ts';
import { yearsAsked } from './years.ts';

export type FindingKind = 'company' | 'job' | 'web' | 'query';
export type RequirementLevel = 'must' | 'nice';

export interface SkillDemand {
  readonly skill: string;
  readonly level: RequirementLevel;
  /** Years asked for. */
  readonly years?: number;
}

export interface Finding {
  /** `query:1`, `company:google`, `job:backend-node-01`, `web:2`. */
  readonly id: string;
  readonly kind: FindingKind;
  readonly title: string;
  readonly summary: string;
  /** Ids of the skills that it names. */
  readonly skills: readonly string[];
  /** Where it says how much each skill matters. */
  readonly demands?: readonly SkillDemand[];
  readonly url?: string;
  readonly source: string;
  readonly as_of?: string;
  readonly illustrative?: boolean;
  /** How well it answers the query, 0 to 1. */
  readonly score: number;
}

/** The id of the finding that stands for what was asked. */
export const QUERY_ID = 'query:1';

/** A query of more characters than this is a pasted text, not a name. */
export const SHORT_QUERY = 200;

const NICE_HEADER = /\b(nice[- ]to[- ]haves?|bonus(?: points)?|preferred|desirable|pluses|optional|good to have)\b/i;
const NICE_LINE =
  /\b(nice[- ]to[- ]have|a bonus|bonus points|preferred|desirable|is a plus|a plus|optional|ideally)\b/i;
const MUST_HEADER =
  /\b(requirements?|must[- ]haves?|required|qualifications|what you(?:'|’)?(?:ll)? (?:bring|need|have)|responsibilities|your profile|about you|you have)\b/i;
const ABOUT = /^\W{0,4}(about us|about the company|who we are|our company|our story)\b/i;
const NOT_NEEDED =
  /\b(?:not|n['’]t)\s(?:be\s)?(?:required|needed|necessary|expected|a must)\b|\bno\b.{0,80}\b(?:required|needed|necessary|expected)\b/i;
const HEADER_LENGTH = 60;

/**
 * Reads a pasted text for what it demands: a section or line called "nice to have" or "about us" asks for less, and
 * years are kept where it gives any.
 */
export function readDemands(text: string): SkillDemand[] {
  const demands = new Map<string, SkillDemand>();
  let section: RequirementLevel = 'must';
  for (const line of sentencesOf(text)) {
    const skills = findSkills(line);
    const header = line.length <= HEADER_LENGTH && (skills.length === 0 || line.endsWith(':'));
    const aside = ABOUT.test(line);
    if (header && (aside || NICE_HEADER.test(line))) section = 'nice';
    else if (header && MUST_HEADER.test(line)) section = 'must';
    const level = aside || NICE_LINE.test(line) || NOT_NEEDED.test(line) ? 'nice' : section;
    const years = yearsAsked(line);
    for (const skill of skills) demands.set(skill, stronger(demands.get(skill), toDemand(skill, level, years)));
  }
  // A phrase across a line break is seen only in the whole.
  for (const skill of findSkills(text)) if (!demands.has(skill)) demands.set(skill, { skill, level: 'must' });
  return [...demands.values()];
}

function toDemand(skill: string, level: RequirementLevel, years: number): SkillDemand {
  return years > 0 ? { skill, level, years } : { skill, level };
}

function stronger(known: SkillDemand | undefined, next: SkillDemand): SkillDemand {
  if (known === undefined) return next;
  const level = known.level === 'must' || next.level === 'must' ? 'must' : 'nice';
  return toDemand(next.skill, level, Math.max(known.years ?? 0, next.years ?? 0));
}

/** The query as a finding of its own: always `query:1`, always there to be cited. */
export function queryFinding(query: string): Finding {
  const pasted = query.length > SHORT_QUERY;
  const counts = countSkills(query);
  const skills = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return {
    id: QUERY_ID,
    kind: 'query',
    title: pasted ? `Pasted text: ${plainLine(query, 60)}` : plainLine(query, 120),
    summary: plainLine(query, 400),
    skills,
    demands: readDemands(query),
    source: 'query',
    score: 1,
  };
}

/** One result of a web search, as SearXNG gives it. Anything may be missing or strange. */
export interface WebResult {
  readonly title?: unknown;
  readonly url?: unknown;
  readonly content?: unknown;
}

const WEB_TEXT = 4000;

/** Result number `n` (from 1) as a finding; the earlier, the higher its score. */
export function webFinding(n: number, result: WebResult): Finding {
  const title = typeof result.title === 'string' ? result.title : '';
  const content = typeof result.content === 'string' ? result.content : '';
  const url = webUrl(result.url);
  return {
    id: `web:${n}`,
    kind: 'web',
    title: plainLine(title, 160) || url?.hostname || `Result ${n}`,
    summary: plainLine(content, 400),
    skills: findSkills(`${title.slice(0, WEB_TEXT)}\n${content.slice(0, WEB_TEXT)}`),
    url: url === undefined ? undefined : clip(url.href, 2000),
    source: url?.hostname ?? 'web',
    score: Math.max(0.3, round(0.85 - 0.05 * (n - 1), 2)),
  };
}

function webUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  url.username = '';
  url.password = '';
  return url;
}

/** What phases tell beside their summaries, read with care: anything may be missing, strange or far too large. */
import { plain, plainLine } from '../text/plain.ts';

export interface Candidate {
  readonly name: string;
  readonly label: string | undefined;
  readonly years: number | undefined;
}

export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly asOf: string | undefined;
  readonly illustrative: boolean;
  /** http or https. */
  readonly url: string | undefined;
  /** 0 to 1. */
  readonly score: number | undefined;
}

export interface Match {
  readonly skill: string;
  /** 0 to 1. */
  readonly score: number;
  /** Ids of profile entries. */
  readonly evidence: readonly string[];
  readonly via: string | undefined;
}

export interface Gap {
  readonly skill: string;
  readonly severity: string;
  /** Ids of findings. */
  readonly from: readonly string[];
  readonly suggestion: string;
}

export interface Strength {
  readonly skill: string;
  readonly evidence: readonly string[];
}

export type Data = Readonly<Record<string, unknown>>;

export type Level = 'strong' | 'good' | 'partial' | 'weak' | 'unrated';

const LEVELS: readonly string[] = ['strong', 'good', 'partial', 'weak', 'unrated'] satisfies Level[];
/** The most of any list that is shown. */
const MOST = 40;
const LONGEST_ID = 160;

export function readCandidate(data: Data): Candidate | undefined {
  const { name, label, years } = recordOf(data.profile);
  if (typeof name !== 'string') return undefined;
  return {
    name: plainLine(name, 120),
    label: textOf(label, 160),
    years: typeof years === 'number' ? years : undefined,
  };
}

export function readFindings(data: Data): Finding[] {
  return listOf(data.findings, ({ id, title, source, as_of, illustrative, url, score }) => {
    if (!isId(id)) return undefined;
    return {
      id,
      title: textOf(title, 200) ?? id,
      source: textOf(source, 120) ?? '',
      asOf: textOf(as_of, 40),
      illustrative: illustrative === true,
      url: webUrl(url),
      score: shareOf(score),
    };
  });
}

/** 0 to 100; undefined where nothing was rated. */
export function readScore(data: Data): number | undefined {
  const { score } = data;
  if (typeof score !== 'number' || readLevel(data) === 'unrated') return undefined;
  return Math.min(100, Math.max(0, Math.round(score)));
}

export function readLevel({ level }: Data): Level | undefined {
  return typeof level === 'string' && LEVELS.includes(level) ? (level as Level) : undefined;
}

export function readMatches(data: Data): Match[] {
  return listOf(data.top_matches, ({ skill, score, evidence, via }) => {
    const share = shareOf(score);
    if (typeof skill !== 'string' || share === undefined) return undefined;
    return { skill: plainLine(skill, 80), score: share, evidence: idsOf(evidence), via: textOf(via, 80) };
  });
}

export function readGaps(data: Data): Gap[] {
  return listOf(data.gaps, ({ skill, severity, from, suggestion }) => {
    if (typeof skill !== 'string') return undefined;
    return {
      skill: plainLine(skill, 80),
      severity: severity === 'high' || severity === 'medium' ? severity : 'low',
      from: idsOf(from),
      suggestion: plain(typeof suggestion === 'string' ? suggestion : '', 400),
    };
  });
}

export function readStrengths(data: Data): Strength[] {
  return listOf(data.strengths, ({ skill, evidence }) =>
    typeof skill === 'string' ? { skill: plainLine(skill, 80), evidence: idsOf(evidence) } : undefined,
  );
}

/** What the verdict cites: labels of the profile's entries by id, and ids that nothing bears. */
export function readCitations(data: Data): { labels: ReadonlyMap<string, string>; unknown: readonly string[] } {
  const entries = listOf(data.evidence, ({ id, label }) => {
    const text = textOf(label, 200);
    return isId(id) && text !== undefined ? ([id, text] as const) : undefined;
  });
  return { labels: new Map(entries), unknown: idsOf(recordOf(data.citations).unknown) };
}

function recordOf(value: unknown): Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : {};
}

function listOf<T>(value: unknown, read: (item: Data) => T | undefined): T[] {
  if (!Array.isArray(value)) return [];
  // A list that is read may itself be one of lists.
  return value.slice(0, MOST).flatMap((item) => {
    const found = read(recordOf(item));
    return found === undefined ? [] : [found];
  });
}

function textOf(value: unknown, limit: number): string | undefined {
  return typeof value === 'string' && value !== '' ? plainLine(value, limit) : undefined;
}

function idsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, MOST).filter(isId) : [];
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_ID && /^[a-z]{1,20}:[\p{L}\p{N}._-]{1,120}$/u.test(value);
}

function shareOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : undefined;
}

/** A link to anything else than the web is none. */
function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2000 || !URL.canParse(value)) return undefined;
  const { protocol, href } = new URL(value);
  return protocol === 'https:' || protocol === 'http:' ? href : undefined;
}

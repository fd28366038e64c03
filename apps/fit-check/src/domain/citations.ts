/** Citations are ids in square brackets, `[work:1]` or `[work:1, company:google]`. */
import type { Finding } from './finding.ts';
import type { Profile } from './profile.ts';

export interface CitationCheck {
  /** Ids cited that exist, in the order of their first mention. */
  readonly cited: readonly string[];
  /** Ids cited that do not exist. */
  readonly unknown: readonly string[];
  /** Ids that would bring the text to its minimum, were they cited: empty when it cites enough. */
  readonly missing: readonly string[];
}

/** A verdict cites at least this many of each; where there are fewer, all there are. */
export const MIN_PROFILE_CITATIONS = 3;
export const MIN_FINDING_CITATIONS = 2;

const BRACKETS = /\[([^[\]\n]{3,300})\]/g;
const ID = /^[a-z]{1,20}:[\p{L}\p{N}._-]{1,120}$/u;

/** Every id that a text cites, once, in order. */
export function citedIds(text: string): string[] {
  const ids = new Set<string>();
  for (const [, inside = ''] of text.matchAll(BRACKETS)) {
    // Models set ids as code or in bold within the brackets as well.
    for (const part of inside.split(/[,;\s`*]+/)) if (ID.test(part)) ids.add(part);
  }
  return [...ids];
}

/** Checks a verdict, of the embedded analyst or of a model, against what it may cite. */
export function checkCitations(text: string, profile: Profile, findings: readonly Finding[]): CitationCheck {
  const entryIds = profile.entries.map((entry) => entry.id);
  const findingIds = findings.map((finding) => finding.id);
  const known = new Set([...entryIds, ...findingIds]);
  const ids = citedIds(text);
  const cited = ids.filter((id) => known.has(id));
  return {
    cited,
    unknown: ids.filter((id) => !known.has(id)),
    missing: [...lacking(entryIds, cited, MIN_PROFILE_CITATIONS), ...lacking(findingIds, cited, MIN_FINDING_CITATIONS)],
  };
}

function lacking(available: readonly string[], cited: readonly string[], minimum: number): string[] {
  const uncited = available.filter((id) => !cited.includes(id));
  const count = Math.min(minimum, available.length) - (available.length - uncited.length);
  return uncited.slice(0, Math.max(0, count));
}

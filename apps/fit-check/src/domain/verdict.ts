/** What a verdict is made from, and what it is. */
import type { Finding } from './finding.ts';
import type { GapAnalysis } from './gaps.ts';
import type { Matching } from './matching.ts';
import type { Profile } from './profile.ts';

export interface VerdictInput {
  readonly query: string;
  readonly profile: Profile;
  readonly findings: readonly Finding[];
  readonly matching: Matching;
  readonly gaps: GapAnalysis;
}

export interface Verdict {
  /** Markdown, about 200 to 350 words; shorter where there is little to say. */
  readonly text: string;
  /** The ids that the text cites. */
  readonly citations: { readonly profile: readonly string[]; readonly findings: readonly string[] };
  /** Said where fewer than 3 profile entries or 2 findings exist, so that all there are had to do. */
  readonly note?: string;
}

export type FitLevel = 'strong' | 'good' | 'partial' | 'weak' | 'unrated';

/** The word for a score: strong from 75, good from 55, partial from 35, weak below; unrated where nothing is asked for. */
export function levelOf({ score, requirements }: Matching): FitLevel {
  if (requirements.length === 0) return 'unrated';
  if (score >= 75) return 'strong';
  if (score >= 55) return 'good';
  return score >= 35 ? 'partial' : 'weak';
}

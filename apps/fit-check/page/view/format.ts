/** Figures and names as they are read. */
import type { PhaseName } from '../../client/index.ts';
import type { Level } from '../model/data.ts';

export const PHASE_LABELS: Readonly<Record<PhaseName, string>> = {
  connecting: 'Profile',
  deep_research: 'Research',
  skills_matching: 'Matching',
  gap_analysis: 'Gaps',
  verdict: 'Verdict',
};

export const PHASE_DOING: Readonly<Record<PhaseName, string>> = {
  connecting: 'Reading the profile',
  deep_research: 'Researching what is asked for',
  skills_matching: 'Matching skills and work',
  gap_analysis: 'Looking for gaps',
  verdict: 'Writing the verdict',
};

export const LEVEL_LABELS: Readonly<Record<Level, string>> = {
  strong: 'Strong match',
  good: 'Good match',
  partial: 'Partial match',
  weak: 'Weak match',
  unrated: 'Not rated',
};

/** `8 ms`, `0.45 s`, `12.3 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 100) return `${Math.max(1, Math.round(ms))} ms`;
  if (ms < 9995) return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const DATE = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const TIME = new Intl.DateTimeFormat('en', { timeStyle: 'short' });

/** A moment in the past, as short as it may be: a time of today, a day of this year, or a date. */
export function shortMoment(iso: string, now = new Date()): string {
  const then = new Date(iso);
  if (then.toDateString() === now.toDateString()) return TIME.format(then);
  return (then.getFullYear() === now.getFullYear() ? DATE : YEAR).format(then);
}

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

/** A moment as a reader's own clock has it. */
export function moment(iso: string): string {
  return DAY.format(new Date(iso));
}

const ENTRY_KINDS: Readonly<Record<string, string>> = {
  basics: 'Profile summary',
  work: 'Work',
  volunteer: 'Volunteering',
  project: 'Project',
  skill: 'Skill',
  education: 'Education',
  certificate: 'Certificate',
  publication: 'Publication',
  language: 'Language',
  query: 'Your question',
  company: 'Company',
  job: 'Job',
  web: 'Web page',
};

/** `work:1` as “Work 1”; an id of a kind that is not known as it is. */
export function nameOfId(id: string): string {
  const at = id.indexOf(':');
  const kind = ENTRY_KINDS[id.slice(0, at)];
  if (kind === undefined || !Object.hasOwn(ENTRY_KINDS, id.slice(0, at))) return id;
  const rest = id.slice(at + 1).replaceAll(/[-_]+/g, ' ');
  if (kind === 'Your question' || kind === 'Profile summary') return kind;
  return `${kind} ${rest}`;
}

/** Where the evidence of an id stands on the page. */
export function anchorOf(id: string): string {
  return `source-${id}`;
}

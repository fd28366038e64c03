/** A candidate's profile: a JSON Resume file flattened to entries that a verdict can cite by id. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { monthOf, monthOfDate, recencyOf, yearsCovered } from './dates.ts';
import { levelStrength } from './levels.ts';
import { pruneResume, type Resume, resumeProblem } from './resume-schema.ts';
import { findSkills, isKnownSkill, skillName, toSkillId, toSkillIds } from './skills.ts';
import { plainLine, round, sentencesOf } from './text.ts';

export type ProfileEntryKind =
  | 'basics'
  | 'work'
  | 'volunteer'
  | 'education'
  | 'skill'
  | 'project'
  | 'certificate'
  | 'publication'
  | 'language';

export interface ProfileEntry {
  /** `work:1` is the first of the file's work; `skill:typescript` is by skill. */
  readonly id: string;
  readonly kind: ProfileEntryKind;
  readonly label: string;
  readonly text: string;
  /** Ids of the skills that it shows. */
  readonly skills: readonly string[];
  /** For each of them the line that shows it, where it is not the label: a sentence of the text, or a keyword. */
  readonly lines?: Readonly<Record<string, string>>;
  /** As in the file: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
  readonly start?: string;
  readonly end?: string;
  /** How long it lasted, to the profile's date where it has no end. */
  readonly years?: number;
  /** 0.4 (long ago) to 1 (now, or undated). */
  readonly recency: number;
  /** A skill's level or a language's fluency, as written. */
  readonly level?: string;
}

export interface Profile {
  readonly name: string;
  readonly label?: string;
  /** `YYYY-MM`: the month that durations and recency are counted to. */
  readonly asOf: string;
  /** Years of work, parallel jobs counted once. */
  readonly years: number;
  readonly entries: readonly ProfileEntry[];
}

/** A profile that cannot be used; its message is one line that names the file, what is wrong and what is allowed. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

export interface ProfileOptions {
  /** The day that durations are counted to; today by default. */
  readonly now?: Date;
}

/** The profile that is shipped with fit-check: an invented person. */
export const SAMPLE_PROFILE: URL = new URL('../../assets/profile.sample.json', import.meta.url);

const MAX_BYTES = 1_048_576;
const MAX_LINE = 160;

/** Reads and checks a JSON Resume file. Every section is optional. Throws `ProfileError`. */
export async function loadProfile(path: string | URL, options: ProfileOptions = {}): Promise<Profile> {
  const file = typeof path === 'string' ? path : fileURLToPath(path);
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ProfileError(`Profile ${file} cannot be read (${code}): a JSON Resume file is needed`, { cause: error });
  }
  return parseProfile(content, file, options);
}

/** As `loadProfile`, from the file's text. `file` is only named in errors. */
export function parseProfile(content: string, file: string, options: ProfileOptions = {}): Profile {
  if (content.length > MAX_BYTES) {
    throw new ProfileError(`Profile ${file} has ${content.length} characters: at most ${MAX_BYTES} are allowed`);
  }
  let value: unknown;
  try {
    value = pruneResume(JSON.parse(content.replace(/^\ufeff/, '')));
  } catch (error) {
    const why = error instanceof Error ? plainLine(error.message, 120) : 'unreadable';
    throw new ProfileError(`Profile ${file} is not JSON (${why}): a JSON Resume file is needed`, { cause: error });
  }
  const problem = resumeProblem(value) ?? orderProblem(value as Resume);
  if (problem !== undefined) throw new ProfileError(`Profile ${file}: ${problem}`);
  return toProfile(value as Resume, options.now ?? new Date());
}

function orderProblem(resume: Resume): string | undefined {
  for (const section of ['work', 'volunteer', 'education', 'projects'] as const) {
    const rows = resume[section] ?? [];
    const at = rows.findIndex(
      ({ startDate, endDate }) =>
        startDate !== undefined && endDate !== undefined && monthOf(endDate, 'last') < monthOf(startDate),
    );
    const row = rows[at];
    if (row !== undefined) {
      return `${section}[${at}].endDate must be ${row.startDate} (its startDate) or later, not "${row.endDate}"`;
    }
  }
  return undefined;
}

interface Draft {
  readonly label: string;
  readonly parts: readonly (string | undefined)[];
  readonly named?: readonly string[];
  readonly start?: string;
  readonly end?: string;
  readonly level?: string;
  /** A single date is a moment, not the start of something that lasts. */
  readonly lasts?: boolean;
}

/** Flattens a checked resume. */
export function toProfile(resume: Resume, now: Date): Profile {
  const month = monthOfDate(now);
  const entries = [
    ...numbered('basics', basicsOf(resume), month),
    ...numbered('work', (resume.work ?? []).map(workOf), month),
    ...numbered('volunteer', (resume.volunteer ?? []).map(volunteerOf), month),
    ...numbered('project', (resume.projects ?? []).map(projectOf), month),
    ...skillEntries(resume),
    ...numbered('education', (resume.education ?? []).map(educationOf), month),
    ...numbered('certificate', (resume.certificates ?? []).map(certificateOf), month),
    ...numbered('publication', (resume.publications ?? []).map(publicationOf), month),
    ...numbered('language', (resume.languages ?? []).map(languageOf), month),
  ];
  const jobs = entries.filter((entry) => entry.kind === 'work');
  return {
    name: plainLine(resume.basics?.name ?? '', 80) || 'The candidate',
    label: resume.basics?.label === undefined ? undefined : plainLine(resume.basics.label, 120),
    asOf: `${now.getUTCFullYear()}-${String(now.getUTCMonth() + 1).padStart(2, '0')}`,
    years: round(yearsCovered(jobs.flatMap((entry) => spanOf(entry, month) ?? [])), 1),
    entries,
  };
}

/** The months that an entry covers, up to `now` where it has no end; undefined without a start. */
export function spanOf(entry: ProfileEntry, now: number): { from: number; to: number } | undefined {
  if (entry.start === undefined) return undefined;
  return { from: monthOf(entry.start), to: entry.end === undefined ? now : Math.min(now, monthOf(entry.end, 'last')) };
}

function numbered(kind: ProfileEntryKind, drafts: readonly Draft[], month: number): ProfileEntry[] {
  return drafts.map((draft, index) => toEntry(`${kind}:${index + 1}`, kind, draft, month));
}

function toEntry(id: string, kind: ProfileEntryKind, draft: Draft, month: number): ProfileEntry {
  const parts = draft.parts.filter((part) => part !== undefined);
  const lines = linesBySkill(parts, draft.named ?? []);
  const lasts = draft.lasts !== false && draft.start !== undefined;
  const last = draft.end ?? (lasts ? undefined : draft.start);
  const entry: ProfileEntry = {
    id,
    kind,
    label: plainLine(draft.label, 120) || id,
    text: parts.join('\n'),
    skills: [...lines.keys()],
    lines: Object.fromEntries(lines),
    start: draft.start,
    end: last,
    recency: round(recencyOf(last === undefined ? undefined : monthOf(last, 'last'), month), 3),
    level: draft.level,
  };
  const span = lasts ? spanOf(entry, month) : undefined;
  return span === undefined ? entry : { ...entry, years: round(yearsCovered([span]), 1) };
}

/** Each part by itself, so that two neighbours never make a phrase and their order does not matter. */
function linesBySkill(parts: readonly string[], keywords: readonly string[]): Map<string, string> {
  const lines = new Map<string, string>();
  const add = (skill: string, line: string): void => {
    if (!lines.has(skill)) lines.set(skill, plainLine(line, MAX_LINE));
  };
  for (const part of parts) {
    const sentences = sentencesOf(part).map((line) => ({ line, skills: findSkills(line) }));
    for (const skill of findSkills(part))
      add(skill, sentences.find((sentence) => sentence.skills.includes(skill))?.line ?? part);
  }
  for (const keyword of keywords) for (const skill of toSkillIds(keyword)) add(skill, keyword);
  return lines;
}

const period = (start?: string, end?: string): string =>
  start === undefined ? '' : ` (${start.slice(0, 4)}–${end === undefined ? 'present' : end.slice(0, 4)})`;
const joined = (separator: string, ...parts: (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(separator);

function basicsOf({ basics }: Resume): Draft[] {
  if (basics?.label === undefined && basics?.summary === undefined) return [];
  return [{ label: basics.label ?? 'Summary', parts: [basics.label, basics.summary] }];
}

type Row<Section extends keyof Resume> = NonNullable<Resume[Section]> extends readonly (infer Item)[] ? Item : never;

function workOf(row: Row<'work'>): Draft {
  const label = joined(' at ', row.position, row.name ?? row.company) + period(row.startDate, row.endDate);
  return { label, ...activityOf(row, row.position) };
}

function volunteerOf(row: Row<'volunteer'>): Draft {
  const label = joined(' at ', row.position, row.organization) + period(row.startDate, row.endDate);
  return { label, ...activityOf(row, row.position) };
}

function projectOf(row: Row<'projects'>): Draft {
  return { label: (row.name ?? 'Project') + period(row.startDate, row.endDate), ...activityOf(row, undefined) };
}

function activityOf(row: Row<'projects'>, title: string | undefined): Omit<Draft, 'label'> {
  return {
    parts: [title, row.summary, row.description, ...(row.highlights ?? [])],
    named: row.keywords,
    start: row.startDate,
    end: row.endDate,
  };
}

function educationOf(row: Row<'education'>): Draft {
  const label = joined(', ', joined(' in ', row.studyType, row.area), row.institution);
  return { label, parts: [label, ...(row.courses ?? [])], start: row.startDate, end: row.endDate };
}

function certificateOf(row: Row<'certificates'>): Draft {
  const label = joined(', ', row.name, row.issuer) + (row.date === undefined ? '' : ` (${row.date.slice(0, 4)})`);
  return { label, parts: [row.name, row.issuer], start: row.date, lasts: false };
}

function publicationOf(row: Row<'publications'>): Draft {
  const label = joined(', ', row.name, row.publisher);
  return { label, parts: [row.name, row.summary], start: row.releaseDate, lasts: false };
}

function languageOf(row: Row<'languages'>): Draft {
  const language = row.language ?? 'Language';
  return { label: joined(', ', language, row.fluency), parts: [], named: [language], level: row.fluency };
}

/**
 * One entry a skill: the keywords, and the group's own name where that is a skill or has none. Of two mentions the
 * higher level counts.
 */
function skillEntries(resume: Resume): ProfileEntry[] {
  const entries = new Map<string, ProfileEntry>();
  for (const group of resume.skills ?? []) {
    for (const [name, skill] of namedIn(group)) {
      const before = entries.get(skill);
      if (before !== undefined && levelStrength(before.level) >= levelStrength(group.level)) continue;
      const shown = plainLine(isKnownSkill(skill) ? skillName(skill) : name, 80);
      const label = group.level === undefined ? shown : `${shown}, ${plainLine(group.level, 40)}`;
      const id = `skill:${skill}`;
      const text = joined(': ', group.name, name);
      entries.set(skill, { id, kind: 'skill', label, text, skills: [skill], recency: 1, level: group.level });
    }
  }
  return [...entries.values()];
}

function namedIn({ name, keywords = [] }: Row<'skills'>): (readonly [name: string, skill: string])[] {
  const groupCounts = name !== undefined && (keywords.length === 0 || isKnownSkill(toSkillId(name)));
  return [...keywords, ...(groupCounts ? [name] : [])].flatMap((each) =>
    toSkillIds(each).map((skill) => [each, skill] as const),
  );
}

/** The parts of JSON Resume (jsonresume.org/schema, version 1.0.0) that fit-check reads, and what it says of the rest. */
import Type, { type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { clip } from './text.ts';

const text = (): Type.TString => Type.String({ maxLength: 5000 });
const date = (): Type.TString =>
  Type.String({ pattern: '^\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01])(T[0-9:.]{4,15}Z?)?)?)?$' });
const list = <T extends Type.TSchema>(item: T): Type.TArray<T> => Type.Array(item, { maxItems: 200 });
const optional = Type.Optional;

const activity = {
  startDate: optional(date()),
  endDate: optional(date()),
  summary: optional(text()),
  description: optional(text()),
  highlights: optional(list(text())),
  keywords: optional(list(text())),
};

export const ResumeSchema = Type.Object({
  basics: optional(
    Type.Object({
      name: optional(text()),
      label: optional(text()),
      summary: optional(text()),
    }),
  ),
  work: optional(
    list(Type.Object({ name: optional(text()), company: optional(text()), position: optional(text()), ...activity })),
  ),
  volunteer: optional(list(Type.Object({ organization: optional(text()), position: optional(text()), ...activity }))),
  education: optional(
    list(
      Type.Object({
        institution: optional(text()),
        area: optional(text()),
        studyType: optional(text()),
        startDate: optional(date()),
        endDate: optional(date()),
        courses: optional(list(text())),
      }),
    ),
  ),
  skills: optional(
    list(Type.Object({ name: optional(text()), level: optional(text()), keywords: optional(list(text())) })),
  ),
  projects: optional(list(Type.Object({ name: optional(text()), ...activity }))),
  certificates: optional(
    list(Type.Object({ name: optional(text()), issuer: optional(text()), date: optional(date()) })),
  ),
  publications: optional(
    list(
      Type.Object({
        name: optional(text()),
        publisher: optional(text()),
        releaseDate: optional(date()),
        summary: optional(text()),
      }),
    ),
  ),
  languages: optional(list(Type.Object({ language: optional(text()), fluency: optional(text()) }))),
});

export type Resume = Static<typeof ResumeSchema>;

const MAX_DEPTH = 12;
const OPEN_END = /^\s*(present|current|now|today|ongoing)\s*$/i;

/** Drops what editors leave in place of nothing: `null`, empty strings, and "present" as an end date. */
export function pruneResume(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    return value.filter((item) => item !== null && item !== '').map((item) => pruneResume(item, depth + 1));
  }
  const kept = Object.entries(value).filter(
    ([key, item]) =>
      item !== null && item !== '' && !(key === 'endDate' && typeof item === 'string' && OPEN_END.test(item)),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, pruneResume(item, depth + 1)]));
}

/** What is wrong with a value as a resume, in one line that names the place and what is allowed; undefined if nothing is. */
export function resumeProblem(value: unknown): string | undefined {
  const error = Errors(ResumeSchema, value)[0];
  if (error === undefined) return undefined;
  const keys = error.instancePath.split('/').slice(1);
  const place = keys.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join('');
  const found = keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
  return `${place.replace(/^\./, '') || 'the file'} must be ${allowed(error.keyword, error.params)}, not ${shown(found)}`;
}

function allowed(keyword: string, params: object): string {
  const limit = 'limit' in params ? String(params.limit) : '';
  if (keyword === 'pattern') return 'a date as YYYY, YYYY-MM or YYYY-MM-DD';
  if (keyword === 'maxItems') return `a list of at most ${limit} items`;
  if (keyword === 'maxLength') return `a text of at most ${limit} characters`;
  const type = 'type' in params ? String(params.type) : '';
  if (type === 'array') return 'a list';
  if (type === 'object') return 'an object';
  return type === 'string' ? 'a text' : 'as jsonresume.org describes it';
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return clip(JSON.stringify(value) ?? 'undefined', 60);
}

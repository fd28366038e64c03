/** The bundled companies and jobs. Each row says where it comes from, or that it is illustrative; loading checks that. */
import { readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Errors } from 'typebox/value';
import type { Finding, SkillDemand } from './finding.ts';
import { isKnownSkill, toSkillId } from './skills.ts';

const text = Type.String({ minLength: 1, maxLength: 600 });
const texts = Type.Array(text, { maxItems: 40 });
const shared = {
  aliases: texts,
  industry: text,
  summary: text,
  locations: texts,
  source: Type.Optional(text),
  as_of: Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])(-\\d{2})?$' }),
  illustrative: Type.Optional(Type.Boolean()),
};

const CompanySchema = Type.Object({
  id: Type.String({ pattern: '^company:[a-z0-9-]+$' }),
  name: text,
  culture: Type.Optional(text),
  technologies: Type.Array(text, { minItems: 1, maxItems: 40 }),
  ...shared,
});

const JobSchema = Type.Object({
  id: Type.String({ pattern: '^job:[a-z0-9-]+$' }),
  title: text,
  requirements: Type.Array(
    Type.Object({
      skill: text,
      level: Type.Union([Type.Literal('must'), Type.Literal('nice')]),
      years: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
    }),
    { minItems: 1, maxItems: 40 },
  ),
  ...shared,
});

export type CompanyRow = Static<typeof CompanySchema>;
export type JobRow = Static<typeof JobSchema>;

export interface CorpusRows {
  readonly companies: readonly CompanyRow[];
  readonly jobs: readonly JobRow[];
}

/** A row that the search can rank. */
export interface CorpusEntry {
  readonly finding: Omit<Finding, 'score'>;
  /** Its name or title first, then its aliases. */
  readonly names: readonly string[];
  readonly industry: string;
  readonly locations: readonly string[];
}

/** What a row without a `source` of its own, marked illustrative, is said to come from. */
export const BUNDLED = 'bundled corpus';

const asset = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../assets/corpus/${name}.json`, import.meta.url), 'utf8'));

/** The rows that are shipped. Throws an error that names the row where one is not as it must be. */
export function loadCorpus(): CorpusRows {
  return checkCorpus({ companies: asset('companies'), jobs: asset('jobs') });
}

/** Checks every row: its shape, its provenance, its skills, and that its id is its own. */
export function checkCorpus(rows: { readonly companies: unknown; readonly jobs: unknown }): CorpusRows {
  const companies = checkRows('companies', rows.companies, CompanySchema);
  const jobs = checkRows('jobs', rows.jobs, JobSchema);
  const seen = new Set<string>();
  for (const row of [...companies, ...jobs]) {
    if (seen.has(row.id)) throw new Error(`Corpus row ${row.id} is there twice`);
    seen.add(row.id);
    if (row.illustrative !== true && row.source === undefined) {
      throw new Error(`Corpus row ${row.id} needs a source, or "illustrative": true, beside its as_of`);
    }
    const unknown = skillNamesOf(row).find((name) => !isKnownSkill(toSkillId(name)));
    if (unknown !== undefined)
      throw new Error(`Corpus row ${row.id} names a skill that the taxonomy lacks: ${unknown}`);
  }
  return { companies, jobs };
}

function checkRows<T extends Type.TSchema>(file: string, rows: unknown, schema: T): Static<T>[] {
  if (!Array.isArray(rows)) throw new Error(`Corpus file ${file} must be a list of rows`);
  for (const [index, row] of rows.entries()) {
    const error = Errors(schema, row)[0];
    if (error === undefined) continue;
    const id = typeof row === 'object' && row !== null && 'id' in row ? String(row.id) : `${file}[${index}]`;
    throw new Error(`Corpus row ${id}: ${error.instancePath.slice(1) || 'it'} ${error.message}`);
  }
  return rows as Static<T>[];
}

const skillNamesOf = (row: CompanyRow | JobRow): string[] =>
  'technologies' in row ? row.technologies : row.requirements.map((requirement) => requirement.skill);

export function toEntries(rows: CorpusRows): CorpusEntry[] {
  return [...rows.companies.map(companyEntry), ...rows.jobs.map(jobEntry)];
}

function companyEntry(row: CompanyRow): CorpusEntry {
  const summary = row.culture === undefined ? row.summary : `${row.summary} ${row.culture}`;
  const skills = unique(row.technologies.map(toSkillId));
  return entryOf(row, [row.name, ...row.aliases], { id: row.id, kind: 'company', title: row.name, summary, skills });
}

function jobEntry(row: JobRow): CorpusEntry {
  const demands: SkillDemand[] = row.requirements.map(({ skill, level, years }) => ({
    skill: toSkillId(skill),
    level,
    ...(years === undefined ? {} : { years }),
  }));
  const skills = unique(demands.map((demand) => demand.skill));
  const { id, title, summary } = row;
  return entryOf(row, [title, ...row.aliases], { id, kind: 'job', title, summary, skills, demands });
}

function entryOf(
  row: CompanyRow | JobRow,
  names: readonly string[],
  finding: Omit<Finding, 'score' | 'source' | 'as_of'>,
): CorpusEntry {
  return {
    finding: {
      ...finding,
      source: row.source ?? BUNDLED,
      as_of: row.as_of,
      ...(row.illustrative === true ? { illustrative: true } : {}),
    },
    names,
    industry: row.industry,
    locations: row.locations,
  };
}

const unique = (items: readonly string[]): string[] => [...new Set(items)];

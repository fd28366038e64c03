/** The rows of the corpus as what the search ranks and finds. */
import type { CompanyRow, CorpusRows, JobRow } from './corpus.ts';
import type { Provenance } from './corpus-schema.ts';
import type { Finding, SkillDemand } from './finding.ts';
import { wordsOfName } from './names.ts';
import { isKnownSkill, toSkillId } from './skills.ts';

/** A row that the search can rank. */
export interface CorpusEntry {
  readonly finding: Omit<Finding, 'score'>;
  /** Its name or title first, then its aliases. */
  readonly names: readonly EntryName[];
  readonly industry: string;
  /** Towns, and the country of a company. */
  readonly places: readonly string[];
}

export interface EntryName {
  readonly text: string;
  /** What it means as well: in passing it mostly means that. */
  readonly means?: 'word' | 'technology';
}

export function toEntries(rows: CorpusRows): CorpusEntry[] {
  return [...rows.companies.map(companyEntry), ...rows.jobs.map(jobEntry)];
}

function companyEntry(row: CompanyRow): CorpusEntry {
  const { id, name, aliases = [], culture, technologies, industry } = row;
  const summary = culture === undefined ? row.summary : `${row.summary} ${culture}`;
  const skills = technologies.map(toSkillId);
  return {
    finding: { id, kind: 'company', title: name, summary, skills, ...provenanceOf(row) },
    names: [name, ...aliases].map((text) => nameOf(text, row)),
    industry,
    places: [...row.locations, row.country],
  };
}

function nameOf(text: string, row: CompanyRow): EntryName {
  const spellings = [text, text.replaceAll(' ', '')];
  if (spellings.some((spelling) => isKnownSkill(toSkillId(spelling)))) return { text, means: 'technology' };
  return row.everyday && wordsOfName(text).length === 1 ? { text, means: 'word' } : { text };
}

function jobEntry(row: JobRow): CorpusEntry {
  const { id, title, aliases = [], summary, requirements, industry } = row;
  const demands: SkillDemand[] = requirements.map(({ skill, level, years }) => ({
    skill: toSkillId(skill),
    level,
    ...(years === undefined ? {} : { years }),
  }));
  const skills = demands.map((demand) => demand.skill);
  return {
    finding: { id, kind: 'job', title, summary, skills, demands, ...provenanceOf(row) },
    names: [title, ...aliases].map((text) => ({ text })),
    industry,
    places: row.locations,
  };
}

/** A finding speaks for all its facts, so it names every source, is as old as the oldest, and illustrative if any is. */
function provenanceOf({ provenance }: CompanyRow | JobRow): Provenance {
  const all = Object.values(provenance).flat();
  return {
    source: [...new Set(all.map(({ source }) => source))].join(', '),
    as_of: all.map(({ as_of }) => as_of).sort()[0] ?? '',
    ...(all.some(({ illustrative }) => illustrative === true) ? { illustrative: true } : {}),
  };
}

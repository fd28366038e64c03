/** The bundled companies and jobs, read from files that a person can extend; loading checks each row and each fact. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  COMPANY,
  type CompanyFacts,
  JOB,
  type JobFacts,
  type Provenance,
  type RowKind,
  type Shape,
  type WrittenRow,
} from './corpus-schema.ts';
import { nameKey } from './names.ts';
import { isKnownSkill, toSkillId } from './skills.ts';

interface Row {
  readonly id: string;
  /** Its name is an everyday word as well, as Orange and Visa are. */
  readonly everyday: boolean;
  /** For each fact, where it comes from: more than once where a list is put together from several sources. */
  readonly provenance: Readonly<Record<string, readonly Provenance[]>>;
}

export type CompanyRow = Row & CompanyFacts & { readonly name: string };
export type JobRow = Row & JobFacts & { readonly title: string };

export interface CorpusRows {
  readonly companies: readonly CompanyRow[];
  readonly jobs: readonly JobRow[];
}

/** One file, parsed. Its name is for errors. */
export interface CorpusFile {
  readonly name: string;
  readonly rows: unknown;
}

export interface CorpusFiles {
  readonly companies: readonly CorpusFile[];
  readonly jobs: readonly CorpusFile[];
}

const CORPUS = new URL('../../assets/corpus/', import.meta.url);
const ADDRESS = /^https?:\/\/\S+$/;

/**
 * The rows of every `companies/*.json` and `jobs/*.json` in a folder, the one that is shipped by default. Throws an
 * error that names file and row where one is not as it must be.
 */
export function loadCorpus(folder: URL = CORPUS): CorpusRows {
  return checkCorpus({ companies: readFolder(folder, 'companies'), jobs: readFolder(folder, 'jobs') });
}

function readFolder(folder: URL, kind: keyof CorpusFiles): CorpusFile[] {
  const names = readdirSync(new URL(`${kind}/`, folder)).filter((name) => name.endsWith('.json'));
  if (names.length === 0) throw new Error(`Corpus folder ${kind} holds no JSON file`);
  return names.sort().map((file) => {
    const name = `${kind}/${file}`;
    try {
      return { name, rows: JSON.parse(readFileSync(new URL(name, folder), 'utf8')) };
    } catch (error) {
      throw new Error(`Corpus file ${name} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  });
}

/** Checks every row: its shape, each fact's provenance, its skills, and that its id and names are its own. */
export function checkCorpus(files: CorpusFiles): CorpusRows {
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  const rowsOf = <R extends CompanyRow | JobRow>(list: readonly CorpusFile[], kind: RowKind): R[] =>
    list.flatMap((file) =>
      writtenRows(file).map((written, at) => {
        const place = placeOf(file, written, at);
        const row = checkRow<R>(place, written, kind);
        claim(ids, row.id, place, 'is there twice');
        for (const name of namesOf(row)) claimName(names, name, place);
        checkSkills(place, row);
        return row;
      }),
    );
  return { companies: rowsOf(files.companies, COMPANY), jobs: rowsOf(files.jobs, JOB) };
}

function writtenRows({ name, rows }: CorpusFile): readonly unknown[] {
  if (!Array.isArray(rows)) throw new Error(`Corpus file ${name} must be a list of rows`);
  return rows;
}

function placeOf({ name }: CorpusFile, row: unknown, at: number): string {
  const id = typeof row === 'object' && row !== null && 'id' in row ? String(row.id) : `number ${at + 1}`;
  return `Corpus file ${name}, row ${id}`;
}

function checkRow<R extends CompanyRow | JobRow>(place: string, value: unknown, kind: RowKind): R {
  checkShape(place, kind.row, value);
  const { facts: statements, ...row } = value as WrittenRow;
  const facts: Record<string, unknown> = {};
  const provenance: Record<string, Provenance[]> = {};
  for (const statement of statements) {
    const { source, as_of, illustrative, ...told } = statement;
    if (illustrative !== true && !ADDRESS.test(source)) {
      throw new Error(`${place}: a source must be an address, or the statement "illustrative": true: ${source}`);
    }
    if (Object.keys(told).length === 0) throw new Error(`${place}: a statement of ${source} holds no fact`);
    for (const [fact, said] of Object.entries(told)) {
      facts[fact] = joined(`${place}: ${fact}`, facts[fact], said);
      provenance[fact] = [...(provenance[fact] ?? []), { source, as_of, ...(illustrative ? { illustrative } : {}) }];
    }
  }
  checkShape(place, kind.facts, facts);
  return { ...row, ...facts, everyday: row.everyday === true, provenance } as unknown as R;
}

/** Lists of several statements add up; a text is told once. */
function joined(place: string, known: unknown, said: unknown): unknown {
  if (known === undefined) return said;
  if (Array.isArray(known) && Array.isArray(said)) return [...known, ...said];
  throw new Error(`${place} is told twice`);
}

function checkShape(place: string, shape: Shape, value: unknown): void {
  if (shape.Check(value)) return;
  const error = shape.Errors(value)[0];
  if (error === undefined) throw new Error(`${place}: it is not as it must be`);
  const where = error.instancePath.slice(1).replaceAll('/', '.') || 'it';
  const { additionalProperties } = error.params as { readonly additionalProperties?: readonly string[] };
  const which = additionalProperties === undefined ? '' : `: ${additionalProperties.join(', ')}`;
  throw new Error(`${place}: ${where} ${error.message}${which}`);
}

function claim(owners: Map<string, string>, key: string, place: string, complaint: string): void {
  const owner = owners.get(key);
  if (owner !== undefined) throw new Error(`${place} ${complaint}${owner === place ? '' : ` (${owner})`}`);
  owners.set(key, place);
}

/** A name that two rows bear leads to neither; one that says no more than another of its own row is one too many. */
function claimName(owners: Map<string, string>, name: string, place: string): void {
  const key = nameKey(name);
  if (key === '') throw new Error(`${place}: the name “${name}” has neither letter nor digit`);
  claim(owners, key, place, `bears a name that is taken, “${name}”`);
}

/** Its name or title first, then its aliases. */
function namesOf(row: CompanyRow | JobRow): string[] {
  return ['name' in row ? row.name : row.title, ...(row.aliases ?? [])];
}

function checkSkills(place: string, row: CompanyRow | JobRow): void {
  const names = 'technologies' in row ? row.technologies : row.requirements.map((requirement) => requirement.skill);
  const seen = new Set<string>();
  for (const name of names) {
    const id = toSkillId(name);
    if (!isKnownSkill(id)) throw new Error(`${place} names a skill that the taxonomy lacks: ${name}`);
    if (seen.has(id)) throw new Error(`${place} names a skill twice: ${name}`);
    seen.add(id);
  }
}

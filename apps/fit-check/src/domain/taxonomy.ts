/**
 * The skills that fit-check knows and how they relate, read from `assets/taxonomy` once. Loading fails with the file
 * and line of a row that is not as the head of `software.txt` says it must be.
 */
import { readFileSync } from 'node:fs';

export const CATEGORIES = [
  'language',
  'frontend',
  'backend',
  'mobile',
  'database',
  'data',
  'ai',
  'cloud',
  'devops',
  'security',
  'architecture',
  'testing',
  'method',
  'design',
  'business',
  'finance',
  'legal',
  'people',
  'care',
  'science',
  'engineering',
  'manufacturing',
  'energy',
  'logistics',
  'education',
  'media',
  'public',
  'trades',
  'credential',
  'soft',
  'spoken',
] as const;

export type SkillCategory = (typeof CATEGORIES)[number];

/** How sure a plain mention is. */
export type AliasMark = 'sure' | 'word' | 'strict' | 'caps';

export interface SkillAlias {
  readonly text: string;
  readonly mark: AliasMark;
}

export interface Skill {
  readonly id: string;
  readonly name: string;
  readonly category: SkillCategory;
  /** Every way to write it, in lower case, its name among them. */
  readonly aliases: readonly SkillAlias[];
}

export interface Relations {
  /** Skills of one family lend each other partial credit: who knows one learns the next sooner. */
  readonly families: readonly (readonly string[])[];
  /** Who shows the skill on the left has, for the most part, shown those on the right. */
  readonly implies: Readonly<Record<string, readonly string[]>>;
}

/** No way to write a skill has more words than this. */
export const MAX_ALIAS_WORDS = 4;

const FILES = ['software', 'business', 'industries'];
const MARKS: Readonly<Record<string, AliasMark>> = { '~': 'word', '!': 'strict', '^': 'caps' };
const ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;

interface Row {
  readonly text: string;
  fault(what: string): Error;
}

function rowsOf(text: string, file: string): Row[] {
  return text
    .split(/\r?\n/)
    .map((line, at) => ({
      text: line.trim(),
      fault: (what: string) => new Error(`Taxonomy ${file} line ${at + 1}: ${what}`),
    }))
    .filter((row) => row.text !== '' && !row.text.startsWith('#'));
}

/** The skills of one file. Throws an error that names the file and line of the first row that is wrong. */
export function parseSkills(text: string, file: string): Skill[] {
  const skills: Skill[] = [];
  let category: SkillCategory | undefined;
  for (const row of rowsOf(text, file)) {
    const head = /^\[(.*)\]$/.exec(row.text)?.[1];
    if (head === undefined) {
      if (category === undefined) throw row.fault('a skill needs a [category] above it');
      skills.push(toSkill(row, category));
      continue;
    }
    category = CATEGORIES.find((known) => known === head);
    if (category === undefined) throw row.fault(`no such category: ${head}`);
  }
  return skills;
}

function toSkill(row: Row, category: SkillCategory): Skill {
  const [id = '', name = '', list, ...rest] = row.text.split('|').map((cell) => cell.trim());
  if (!ID.test(id) || name === '' || list === undefined || rest.length > 0)
    throw row.fault('a skill is written id | name | other ways to write it');
  const written = list
    .split(',')
    .map((cell) => cell.trim().toLowerCase())
    .filter((cell) => cell !== '');
  const own = name.toLowerCase();
  const aliases = category === 'spoken' ? [own, ...written].flatMap(spokenAliases) : written.map(toAlias);
  if (!aliases.some((alias) => alias.text === own)) aliases.push({ text: own, mark: 'sure' });
  const wrong = aliases.find((alias) => !isPhrase(alias.text));
  if (wrong !== undefined) throw row.fault(`"${wrong.text}" is not 1 to ${MAX_ALIAS_WORDS} words`);
  return { id, name, category, aliases };
}

function toAlias(raw: string): SkillAlias {
  const mark = MARKS[raw.charAt(0)];
  return mark === undefined ? { text: raw, mark: 'sure' } : { text: raw.slice(1), mark };
}

function isPhrase(alias: string): boolean {
  const count = aliasKey(alias).split(' ').length;
  return aliasKey(alias) !== '' && count <= MAX_ALIAS_WORDS;
}

/** The name of a spoken language is a nation's and a cuisine's as well; within these frames it is none of them. */
function spokenAliases(name: string): SkillAlias[] {
  const frames = ['fluent', 'native', 'business'].map((word) => `${word} ${name}`);
  const more = ['speaker', 'speaking', 'language', 'b2', 'c1', 'c2'].map((word) => `${name} ${word}`);
  return [{ text: name, mark: 'strict' }, ...[...frames, ...more].map(toAlias)];
}

/** What two ways to write the same thing have in common: case and the marks between words aside. */
export function aliasKey(alias: string): string {
  return alias
    .toLowerCase()
    .split(/[^\p{L}\p{N}.+#]+/u)
    .filter((word) => word !== '')
    .join(' ');
}

/** Checks what a file cannot show by itself: ids, names and ways to write a skill are each one skill's own. */
export function checkSkills(skills: readonly Skill[]): readonly Skill[] {
  const owners = new Map<string, string>();
  const claim = (what: string, id: string): void => {
    const owner = owners.get(what);
    if (owner !== undefined) throw new Error(`Taxonomy: ${what} is claimed by ${owner} and by ${id}`);
    owners.set(what, id);
  };
  for (const { id, name, aliases } of skills) {
    claim(`the id ${id}`, id);
    claim(`the name ${name}`, id);
    for (const key of new Set(aliases.map((alias) => aliasKey(alias.text)))) claim(`"${key}"`, id);
  }
  return skills;
}

/** How the skills named `known` relate. Throws as `parseSkills` does. */
export function parseRelations(text: string, file: string, known: ReadonlySet<string>): Relations {
  const families: string[][] = [];
  const implies: Record<string, readonly string[]> = {};
  for (const row of rowsOf(text, file)) {
    const ids = row.text.split(/[>~,]/).map((id) => id.trim());
    const unknown = ids.find((id) => !known.has(id));
    if (unknown !== undefined) throw row.fault(`no such skill: ${unknown || '(none)'}`);
    if (new Set(ids).size < Math.max(2, ids.length)) throw row.fault('two skills or more, each once');
    const [left = '', ...right] = ids;
    if (/^[^>,]+$/.test(row.text)) families.push(ids);
    else if (!/^[^>~,]+>[^>~]+$/.test(row.text)) throw row.fault('a relation is written a > b, c or a ~ b ~ c');
    else if (implies[left] !== undefined) throw row.fault(`${left} is there twice`);
    else implies[left] = right;
  }
  return { families, implies };
}

const asset = (name: string): string =>
  readFileSync(new URL(`../../assets/taxonomy/${name}.txt`, import.meta.url), 'utf8');

/** Every known skill, in the order of the files. */
export const SKILLS: readonly Skill[] = checkSkills(FILES.flatMap((file) => parseSkills(asset(file), `${file}.txt`)));

const relations = parseRelations(asset('relations'), 'relations.txt', new Set(SKILLS.map(({ id }) => id)));

export const FAMILIES: Relations['families'] = relations.families;
export const IMPLIES: Relations['implies'] = relations.implies;

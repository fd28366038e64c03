/** Full text over the bundled corpus: names first, however they are typed, then skills and words. */
import MiniSearch, { type SearchResult } from 'minisearch';
import { type CorpusEntry, type CorpusRows, loadCorpus, toEntries } from './corpus.ts';
import { type Finding, SHORT_QUERY } from './finding.ts';
import { editsBetween, nameKey, slipsAllowed, wordsOfName } from './names.ts';
import { countSkills } from './skills.ts';
import { byText, round } from './text.ts';

export interface Corpus {
  /** Rows that can be found. */
  readonly size: number;
  /**
   * The findings that answer a query best, best first, at most `limit`; none for a query that nothing answers.
   * A name, possibly misspelt, a sentence or a pasted text of 20,000 characters will do.
   */
  search(query: string, limit?: number): Finding[];
}

interface Document {
  readonly id: string;
  readonly name: string;
  readonly industry: string;
  readonly summary: string;
  readonly locations: string;
}

type Scores = Map<string, number>;

const EXACT_NAME = 1;
const EXACT_ALIAS = 0.97;
const NAME_INSIDE = 0.9;
const NAME_IN_TEXT = 0.85;
const MISSPELT = 0.9;
const BY_WORDS = 0.7;
const BY_SKILLS_SHORT = 0.6;
const BY_SKILLS_LONG = 0.8;
const RELATED = 0.35;
const FLOOR = 0.12;
const DEFAULT_LIMIT = 6;
const MAX_NAME_WORDS = 5;
const TOP_SKILLS = 20;
const TOP_TERMS = 10;
const MAX_TERM = 40;
const LEAD_WORDS = 15;

const setOf = (list: string): ReadonlySet<string> => new Set(list.split(' '));
const STOP = setOf(
  'a an and are as at be by can do for from get has have how i if in into is it its me my no not of on or our out so ' +
    'that the their them they this to up us was we what when where which who will with you your am any about more ' +
    'all also other than well role job jobs work working team teams experience company companies strong good great ' +
    'skills knowledge ability years year new join looking help using use including across within candidate',
);
const LEADS_TO_NAME = setOf('at join joining about');
const FOLLOWS_NAME = setOf('is are seeks hires hiring offers builds');

/** Loads the bundled corpus, or takes rows, and indexes it. Throws where a row is not as it must be. */
export function createCorpus(rows: CorpusRows = loadCorpus()): Corpus {
  const entries = toEntries(rows);
  const byId = new Map(entries.map((entry) => [entry.finding.id, entry]));
  const names = indexNames(entries);
  const index = indexText(entries);

  function scoreAll(query: string): Scores {
    const scores: Scores = new Map();
    const short = query.length <= SHORT_QUERY;
    const skills = topSkills(query);
    if (short) scoreShortNames(query, names, scores);
    else scoreNamesInText(query, names, scores);
    scoreWords(index, short ? searchTerms(query) : topTerms(query), short, scores);
    scoreSkills(entries, skills, short, scores);
    scoreRelated(entries, byId, scores);
    return scores;
  }

  return {
    size: entries.length,
    search(query, limit = DEFAULT_LIMIT) {
      if (limit < 1 || query.trim() === '') return [];
      return [...scoreAll(query.trim())]
        .filter(([, score]) => score >= FLOOR)
        .sort(([idA, a], [idB, b]) => b - a || byText(idA, idB))
        .slice(0, Math.floor(limit))
        .flatMap(([id, score]) => {
          const entry = byId.get(id);
          return entry === undefined ? [] : [{ ...entry.finding, score: round(score, 3) }];
        });
    },
  };
}

function raise(scores: Scores, id: string, score: number): void {
  if (score > (scores.get(id) ?? 0)) scores.set(id, score);
}

type Names = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** From each name's key to the rows that bear it: 1 as a name, a little less as an alias. */
function indexNames(entries: readonly CorpusEntry[]): Names {
  const names = new Map<string, Map<string, number>>();
  for (const { finding, names: own } of entries) {
    own.forEach((name, position) => {
      const key = nameKey(name);
      const bearers = names.get(key) ?? new Map<string, number>();
      bearers.set(finding.id, Math.max(bearers.get(finding.id) ?? 0, position === 0 ? EXACT_NAME : EXACT_ALIAS));
      names.set(key, bearers);
    });
  }
  return names;
}

function scoreShortNames(query: string, names: Names, scores: Scores): void {
  const key = nameKey(query);
  for (const [id, score] of names.get(key) ?? []) raise(scores, id, score);
  const words = wordsOfName(query);
  for (let from = 0; from < words.length; from++) {
    for (let to = from + 1; to <= Math.min(words.length, from + MAX_NAME_WORDS); to++) {
      for (const [id, score] of names.get(words.slice(from, to).join(' ')) ?? [])
        raise(scores, id, score * NAME_INSIDE);
    }
  }
  if (scores.size === 0) scoreMisspelt(key, words, names, scores);
}

/** Slips keep a name's first letter nearly always; asking for it keeps `looking` from being `booking`. */
function scoreMisspelt(key: string, words: readonly string[], names: Names, scores: Scores): void {
  const tried = new Set([key, ...words.filter((word) => word.length >= 5)].filter((word) => word.length <= MAX_TERM));
  for (const typed of tried) {
    for (const [name, bearers] of names) {
      if (name[0] !== typed[0]) continue;
      const edits = editsBetween(typed, name, typed === key ? slipsAllowed(name) : Math.min(1, slipsAllowed(name)));
      if (edits === undefined) continue;
      for (const [id, score] of bearers) raise(scores, id, score * (MISSPELT - 0.05 * edits));
    }
  }
}

/**
 * In a pasted text a company's name is often a product or an everyday word. It counts where the text speaks of the
 * employer: written as a name near the start, after "at" or "join", or before "is".
 */
function scoreNamesInText(text: string, names: Names, scores: Scores): void {
  const raw = text.match(/[\p{L}\p{N}&+#]{1,60}/gu) ?? [];
  const words = raw.map((word) => wordsOfName(word).join(''));
  for (let from = 0; from < raw.length; from++) {
    if (!/^[\p{Lu}\p{N}]/u.test(raw[from] ?? '')) continue;
    for (let to = from + 1; to <= Math.min(raw.length, from + MAX_NAME_WORDS); to++) {
      const bearers = names.get(words.slice(from, to).join(' '));
      if (bearers === undefined) continue;
      const told = from < LEAD_WORDS || LEADS_TO_NAME.has(words[from - 1] ?? '') || FOLLOWS_NAME.has(words[to] ?? '');
      if (told) for (const [id, score] of bearers) raise(scores, id, score * NAME_IN_TEXT);
    }
  }
}

function indexText(entries: readonly CorpusEntry[]): MiniSearch<Document> {
  const index = new MiniSearch<Document>({
    fields: ['name', 'industry', 'summary', 'locations'],
    processTerm: (term) => toTerm(term),
    searchOptions: { boost: { name: 3, industry: 2 } },
  });
  index.addAll(
    entries.map(({ finding, names, industry, locations }) => ({
      id: finding.id,
      name: names.join(' '),
      industry,
      summary: finding.summary,
      locations: locations.join(' '),
    })),
  );
  return index;
}

function toTerm(term: string): string | null {
  const [word = ''] = wordsOfName(term);
  return word.length < 2 || STOP.has(word) ? null : word;
}

function searchTerms(query: string): string[] {
  return [...new Set(wordsOfName(query))].filter((word) => toTerm(word) !== null);
}

/** The words that a long text repeats most. */
function topTerms(text: string): string[] {
  const counts = new Map<string, number>();
  for (const word of text.match(/\p{L}{4,40}/gu) ?? []) {
    const term = toTerm(word);
    if (term !== null) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || byText(a, b))
    .slice(0, TOP_TERMS)
    .map(([term]) => term);
}

function topSkills(query: string): string[] {
  return [...countSkills(query)]
    .sort(([a, countA], [b, countB]) => countB - countA || byText(a, b))
    .slice(0, TOP_SKILLS)
    .map(([skill]) => skill);
}

function scoreWords(index: MiniSearch<Document>, terms: readonly string[], short: boolean, scores: Scores): void {
  if (terms.length === 0) return;
  const results = index.search(terms.join(' '), {
    fuzzy: (term) => (short && term.length >= 5 ? 0.2 : false),
    prefix: (term) => short && term.length >= 4,
  });
  const top = results[0]?.score ?? 1;
  for (const result of results) {
    const covered = coverage(result, terms);
    raise(scores, String(result.id), BY_WORDS * covered * (0.5 + (0.5 * result.score) / top));
  }
}

/** The share of the terms that a result holds; one that it holds only nearly counts half. */
function coverage(result: SearchResult, terms: readonly string[]): number {
  const held = new Set(result.terms);
  const near = new Set(result.queryTerms);
  const points = terms.reduce((sum, term) => sum + (held.has(term) ? 1 : near.has(term) ? 0.5 : 0), 0);
  return points / terms.length;
}

function scoreSkills(entries: readonly CorpusEntry[], skills: readonly string[], short: boolean, scores: Scores): void {
  if (skills.length === 0) return;
  for (const { finding } of entries) {
    const alike = short
      ? share(skills, finding.skills) * BY_SKILLS_SHORT
      : cosine(skills, finding.skills) * BY_SKILLS_LONG;
    raise(scores, finding.id, finding.kind === 'job' ? alike : alike * 0.95);
  }
}

/** Beside a company that was named stand the two jobs most like its technologies, and the other way round. */
function scoreRelated(entries: readonly CorpusEntry[], byId: ReadonlyMap<string, CorpusEntry>, scores: Scores): void {
  const [named] = [...scores].filter(([, score]) => score >= 0.8).sort(([, a], [, b]) => b - a);
  const origin = named === undefined ? undefined : byId.get(named[0]);
  if (origin === undefined) return;
  const others = entries
    .filter(({ finding }) => finding.kind !== origin.finding.kind)
    .map(({ finding }) => ({ id: finding.id, alike: cosine(origin.finding.skills, finding.skills) }))
    .sort((a, b) => b.alike - a.alike || byText(a.id, b.id));
  for (const { id, alike } of others.slice(0, 2)) raise(scores, id, RELATED * Math.sqrt(alike));
}

function common(a: readonly string[], b: readonly string[]): number {
  const others = new Set(b);
  return a.filter((skill) => others.has(skill)).length;
}

const share = (wanted: readonly string[], offered: readonly string[]): number =>
  common(wanted, offered) / wanted.length;
const cosine = (a: readonly string[], b: readonly string[]): number =>
  common(a, b) / Math.max(1, Math.sqrt(a.length * b.length));

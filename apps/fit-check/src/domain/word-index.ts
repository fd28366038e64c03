/** Full text over the rows of the corpus, where rare words tell more than common ones. */
import MiniSearch, { type SearchResult } from 'minisearch';
import type { CorpusEntry } from './entries.ts';
import { editsBetween, wordsOfName } from './names.ts';
import type { Scores } from './scores.ts';
import { skillName } from './skills.ts';
import { isStopWord } from './stop-words.ts';
import { byText } from './text.ts';

export interface WordIndex {
  /** For each row the share of a short query's words, by how much they tell, that it holds: above 0, 1 at most. */
  scoreQuery(query: string): Scores;
  /** The same for the words that a pasted text uses most. */
  scoreText(text: string): Scores;
  /** Whether a word is one of the language: the corpus uses it in its prose, or it is too common to tell anything. */
  knows(word: string): boolean;
}

interface Document {
  readonly id: string;
  readonly name: string;
  readonly industry: string;
  readonly summary: string;
  readonly skills: string;
  readonly places: string;
}

const FIELDS = ['name', 'industry', 'summary', 'skills', 'places'] as const;
const BOOST = { name: 3, industry: 2, skills: 0.5 };
const MIN_COVERED = 0.35;
const BY_BEGINNING = 0.7;
const BY_SLIP = 0.4;
const TOP_TERMS = 12;
const MAX_TEXT_TERMS = 4000;

export function createWordIndex(entries: readonly CorpusEntry[]): WordIndex {
  const documents = entries.map(toDocument);
  const index = new MiniSearch<Document>({
    fields: [...FIELDS],
    processTerm: toTerm,
    searchOptions: { boost: BOOST, processTerm: (term) => term },
  });
  index.addAll(documents);
  const held = countDocuments(documents);
  const prose = new Set(entries.flatMap((entry) => termsOf(proseOf(entry))));
  const telling = (term: string): number => Math.log(1 + (documents.length + 1) / (1 + (held.get(term) ?? 0)));

  function score(terms: readonly string[], short: boolean): Scores {
    const scores: Scores = new Map();
    const all = terms.reduce((sum, term) => sum + telling(term), 0);
    const results = index.search(terms.join(' '), {
      fuzzy: (term) => (short && term.length >= 5 ? 0.2 : false),
      prefix: (term) => short && term.length >= 4,
    });
    const best = results[0]?.score ?? 1;
    for (const result of results) {
      const points = terms.reduce((sum, term) => sum + telling(term) * closeness(term, result, terms), 0);
      const covered = points / all;
      if (covered >= MIN_COVERED) scores.set(String(result.id), covered * (0.5 + (0.5 * result.score) / best));
    }
    return scores;
  }

  return {
    scoreQuery: (query) => score(termsOf(query), true),
    scoreText: (text) => score(topTerms(text, held, telling), false),
    knows: (word) => isStopWord(word) || prose.has(toTerm(word) ?? ''),
  };
}

function toDocument({ finding, names, industry, places }: CorpusEntry): Document {
  // What means something else as well would be found wherever that is meant.
  const ambiguous = new Set(names.flatMap(({ text, means }) => (means === undefined ? [] : wordsOfName(text))));
  const own = names.flatMap(({ text }) => wordsOfName(text)).filter((word) => !ambiguous.has(word));
  return {
    id: finding.id,
    name: own.join(' '),
    industry,
    summary: finding.summary,
    skills: finding.skills.map(skillName).join(' '),
    places: places.join(' '),
  };
}

/** What is surely not a misspelt name: towns, the titles of jobs, and everything that is told in sentences. */
function proseOf({ finding, industry, names, places }: CorpusEntry): string {
  const titles = finding.kind === 'job' ? names.map(({ text }) => text) : [];
  return [finding.summary, industry, ...titles, ...places].join(' ');
}

function countDocuments(documents: readonly Document[]): Map<string, number> {
  const held = new Map<string, number>();
  for (const document of documents) {
    const terms = new Set(termsOf(FIELDS.map((field) => document[field]).join(' ')));
    for (const term of terms) held.set(term, (held.get(term) ?? 0) + 1);
  }
  return held;
}

/** Who is of a country is in it; the languages among the skills follow. Countries of two words are left out. */
const COUNTRIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    argentinian: 'argentina',
    australian: 'australia',
    belgian: 'belgium',
    brazilian: 'brazil',
    canadian: 'canada',
    chinese: 'china',
    czech: 'czechia',
    danish: 'denmark',
    dutch: 'netherlands',
    estonian: 'estonia',
    finnish: 'finland',
    french: 'france',
    german: 'germany',
    indian: 'india',
    irish: 'ireland',
    italian: 'italy',
    japanese: 'japan',
    korean: 'korea',
    norwegian: 'norway',
    polish: 'poland',
    spanish: 'spain',
    swedish: 'sweden',
    swiss: 'switzerland',
    taiwanese: 'taiwan',
  }),
);

/** One word as it is indexed: without its plural; null where it tells nothing. */
function toTerm(raw: string): string | null {
  const [word = ''] = wordsOfName(raw);
  if (word.length < 2 || isStopWord(word)) return null;
  const country = COUNTRIES.get(word);
  if (country !== undefined) return country;
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  return word.length > 3 && /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function termsOf(text: string): string[] {
  return [...new Set(wordsOfName(text).flatMap((word) => toTerm(word) ?? []))];
}

/** The words that a long text repeats most, those that tell more before others. */
function topTerms(text: string, held: ReadonlyMap<string, number>, telling: (term: string) => number): string[] {
  const counts = new Map<string, number>();
  for (const raw of (text.match(/\p{L}{3,40}/gu) ?? []).slice(0, MAX_TEXT_TERMS)) {
    const term = toTerm(raw);
    if (term !== null && held.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return [...counts]
    .map(([term, count]) => [term, count * telling(term)] as const)
    .sort(([a, weightA], [b, weightB]) => weightB - weightA || byText(a, b))
    .slice(0, TOP_TERMS)
    .map(([term]) => term);
}

/** 1 where a result holds a term, less where it holds only its beginning or a slip of it, 0 otherwise. */
function closeness(term: string, result: SearchResult, terms: readonly string[]): number {
  if (result.match[term] !== undefined) return 1;
  if (!result.queryTerms.includes(term)) return 0;
  const others = Object.keys(result.match).filter((found) => !terms.includes(found));
  if (others.some((found) => found.startsWith(term))) return BY_BEGINNING;
  // Towns resemble names of people and firms: a slip there says nothing.
  const slip = others.some(
    (found) => editsBetween(term, found, 2) !== undefined && result.match[found]?.some((field) => field !== 'places'),
  );
  return slip ? BY_SLIP : 0;
}

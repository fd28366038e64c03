/** Which rows of the corpus a query names: as a whole, in passing, misspelt, or inside a pasted text. */
import type { CorpusEntry, EntryName } from './entries.ts';
import { nameKey, slipsBetween, wordsOfName } from './names.ts';
import { raise, type Scores } from './scores.ts';
import { isStopWord } from './stop-words.ts';

export interface NameIndex {
  /** Of a short query. `isWord` tells words that are spelt right from slips. */
  inQuery(query: string, isWord: (word: string) => boolean): Named;
  /** Of a pasted text. */
  inText(text: string): Scores;
}

export interface Named {
  readonly scores: Scores;
  /** Rows whose name stands there and more likely means something else: `visa`, `snowflake`. */
  readonly hinted: ReadonlySet<string>;
}

interface Bearer {
  readonly id: string;
  readonly isJob: boolean;
  readonly means: EntryName['means'];
  /** 1 for a name, a little less for an alias. */
  readonly score: number;
}

type Bearers = readonly Bearer[];
type Span = readonly [from: number, to: number];

const EXACT_NAME = 1;
const EXACT_ALIAS = 0.97;
const COMPANY_INSIDE = 0.9;
const JOB_INSIDE = 0.88;
const NAME_IN_TEXT = 0.85;
const MISSPELT = 0.9;
const PER_SLIP = 0.05;
const FOUND = 0.8;
const MAX_NAME_WORDS = 5;
const MAX_SLIP_WORDS = 3;
const MIN_SLIP_LENGTH = 5;
const LONG_SLIP = 10;
const MAX_TERM = 40;
const LEAD_WORDS = 15;
const JOB_LEAD_WORDS = 4;

const setOf = (list: string): ReadonlySet<string> => new Set(list.split(' '));
const AT = setOf('at join joining fit');
const ABOUT = setOf('at join joining about');
const TOWARDS = setOf('for with to');
const APPLYING = setOf(
  'work works working job jobs career careers interview interviews interviewing apply applying fit',
);
const FOLLOWS_NAME = setOf('is are seeks hires hiring offers builds');
const HIRES = setOf('hires hiring seeks recruits recruiting');
const SEEKS_JOB = setOf('looking hiring seeking searching search as role position job become recruit recruiting');

export function createNameIndex(entries: readonly CorpusEntry[]): NameIndex {
  const names = indexNames(entries);
  const byInitial = new Map<string, [string, Bearers][]>();
  for (const named of names) {
    const initial = named[0].charAt(0);
    byInitial.set(initial, [...(byInitial.get(initial) ?? []), named]);
  }
  return {
    inQuery(query, isWord) {
      const words = wordsOfName(query);
      const key = nameKey(query);
      const scores: Scores = new Map();
      for (const bearer of names.get(key) ?? []) raise(scores, bearer.id, bearer.score);
      if (scores.size > 0) return { scores, hinted: new Set() };
      const hinted = scoreInside(words, names, scores);
      if (![...scores.values()].some((score) => score >= FOUND)) scoreMisspelt(key, words, byInitial, isWord, scores);
      return { scores, hinted };
    },
    inText: (text) => scoreText(text, names),
  };
}

function indexNames(entries: readonly CorpusEntry[]): ReadonlyMap<string, Bearers> {
  const names = new Map<string, Bearer[]>();
  for (const { finding, names: own } of entries) {
    own.forEach(({ text, means }, position) => {
      const key = nameKey(text);
      const score = position === 0 ? EXACT_NAME : EXACT_ALIAS;
      const bearers = names.get(key) ?? [];
      bearers.push({ id: finding.id, isJob: finding.kind === 'job', means, score });
      names.set(key, bearers);
    });
  }
  return names;
}

/** Names as part of the query, the longest first: who asks for Siemens Healthineers does not ask for Siemens. */
function scoreInside(words: readonly string[], names: ReadonlyMap<string, Bearers>, scores: Scores): Set<string> {
  const hinted = new Set<string>();
  const taken = words.map(() => false);
  for (const [from, to] of spansOf(words.length, MAX_NAME_WORDS)) {
    const bearers = taken.slice(from, to).includes(true) ? undefined : names.get(words.slice(from, to).join(' '));
    if (bearers === undefined) continue;
    for (const { id, isJob, means, score } of bearers) {
      if (means === 'word' && isStopWord(words.slice(from, to).join(' '))) continue;
      if (means !== undefined && !isApproached(words, from, to)) hinted.add(id);
      else raise(scores, id, score * (isJob ? JOB_INSIDE : COMPANY_INSIDE));
    }
    if (bearers.some(({ id }) => scores.has(id))) taken.fill(true, from, to);
  }
  return hinted;
}

function* spansOf(count: number, longest: number): Generator<Span, void, undefined> {
  for (let length = Math.min(longest, count); length > 0; length--) {
    for (let from = 0; from + length <= count; from++) yield [from, from + length];
  }
}

/** Whether the words around a name speak of an employer: `at Visa`, `apply to Shell`, `Orange is hiring`. */
function isApproached(words: readonly string[], from: number, to: number): boolean {
  const before = words[from - 1] ?? '';
  if (AT.has(before)) return true;
  if (TOWARDS.has(before) && APPLYING.has(words[from - 2] ?? '')) return true;
  const after = words[to] ?? '';
  return HIRES.has(after) || ((after === 'is' || after === 'are') && HIRES.has(words[to + 1] ?? ''));
}

/** Slips keep a name's first letter nearly always; asking for it keeps `looking` from being `booking`. */
function scoreMisspelt(
  key: string,
  words: readonly string[],
  byInitial: ReadonlyMap<string, readonly (readonly [string, Bearers])[]>,
  isWord: (word: string) => boolean,
  scores: Scores,
): void {
  for (const [typed, whole] of slipsIn(key, words, isWord)) {
    for (const [name, bearers] of byInitial.get(typed[0] ?? '') ?? []) {
      const forgiven = whole ? 3 : typed.length >= LONG_SLIP ? 2 : 1;
      const slips = slipsBetween(typed, name, forgiven);
      if (slips === undefined) continue;
      for (const { id, means, score } of bearers) {
        if (whole || means !== 'word') raise(scores, id, score * (MISSPELT - PER_SLIP * slips));
      }
    }
  }
}

/** What may be a misspelt name: the whole query, and a few words of it that are not all known words. */
function slipsIn(key: string, words: readonly string[], isWord: (word: string) => boolean): Map<string, boolean> {
  const slips = new Map<string, boolean>();
  for (const [from, to] of spansOf(words.length, MAX_SLIP_WORDS)) {
    const part = words.slice(from, to);
    const typed = part.join(' ');
    if (typed.length >= MIN_SLIP_LENGTH && typed.length <= MAX_TERM && !part.every(isWord)) slips.set(typed, false);
  }
  if (key !== '' && key.length <= MAX_TERM && !key.split(' ').every(isWord)) slips.set(key, true);
  return slips;
}

/**
 * In a pasted text a company's name is often a product or an everyday word. It counts where the text speaks of the
 * employer: written as a name near the start, after "at" or "join", or before "is". A job's title counts near the
 * start, or where somebody is looked for.
 */
function scoreText(text: string, names: ReadonlyMap<string, Bearers>): Scores {
  const scores: Scores = new Map();
  const raw = text.match(/[\p{L}\p{N}+#]{1,60}|&/gu) ?? [];
  const words = raw.map((word) => wordsOfName(word).join(''));
  for (let from = 0; from < raw.length; from++) {
    const capital = /^[\p{Lu}\p{N}]/u.test(raw[from] ?? '');
    for (let to = from + 1; to <= Math.min(raw.length, from + MAX_NAME_WORDS); to++) {
      for (const { id, isJob, means, score } of names.get(words.slice(from, to).join(' ')) ?? []) {
        const told = isJob ? isJobTold(words, from) : capital && isEmployer(words, from, to, means);
        if (told) raise(scores, id, score * NAME_IN_TEXT);
      }
    }
  }
  return scores;
}

function isEmployer(words: readonly string[], from: number, to: number, means: EntryName['means']): boolean {
  if (means !== undefined) return isApproached(words, from, to);
  return from < LEAD_WORDS || ABOUT.has(words[from - 1] ?? '') || FOLLOWS_NAME.has(words[to] ?? '');
}

function isJobTold(words: readonly string[], from: number): boolean {
  return from < LEAD_WORDS || words.slice(Math.max(0, from - JOB_LEAD_WORDS), from).some((word) => SEEKS_JOB.has(word));
}

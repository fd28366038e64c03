/** Which rows of the corpus a query names: as a whole, in passing, misspelt, or inside a pasted text. */
import type { CorpusEntry, EntryName } from './entries.ts';
import { nameKey, slipsBetween, wordsOfName } from './names.ts';
import { raise, type Scores } from './scores.ts';
import { isKnownSkill, toSkillId } from './skills.ts';
import { isStopWord } from './stop-words.ts';

export interface NameIndex {
  /** Of a short query. `isWord` tells words that are spelt right from slips. */
  inQuery(query: string, isWord: (word: string) => boolean): Named;
  /** Of a pasted text. */
  inText(text: string): Scores;
}

export interface Named {
  readonly scores: Scores;
  /** Rows whose name stands there and more likely is a word: `visa`. A technology is found as the skill that it is. */
  readonly hinted: ReadonlySet<string>;
}

interface Bearer {
  readonly id: string;
  readonly isJob: boolean;
  readonly means: EntryName['means'];
  /** 1 for a name, a little less for an alias. */
  readonly score: number;
}

type Span = readonly [from: number, to: number];

const EXACT_NAME = 1;
const EXACT_ALIAS = 0.97;
const COMPANY_INSIDE = 0.9;
const JOB_INSIDE = 0.88;
const NAME_IN_TEXT = 0.85;
const MISSPELT = 0.9;
const PER_SLIP = 0.05;
const MAX_NAME_WORDS = 5;
const MORE_SKILL_WORDS = 2;
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
  const starts = new Set([...names.keys()].map((name) => name.split(' ')[0] ?? ''));
  const byInitial = new Map<string, [string, Bearer][]>();
  for (const named of names) {
    const initial = named[0].charAt(0);
    byInitial.set(initial, [...(byInitial.get(initial) ?? []), named]);
  }
  return {
    inQuery(query, isWord) {
      const key = nameKey(query);
      const whole = names.get(key);
      if (whole !== undefined) return { scores: new Map([[whole.id, whole.score]]), hinted: new Set() };
      const words = wordsOfName(query);
      const inside = findInside(words, names);
      // A name without a slip was seen already, and may have been a word that means something else.
      const isRight = (part: readonly string[]): boolean => names.has(part.join(' ')) || part.every(isWord);
      const slips = slipsIn(key, words, inside.taken, isRight);
      scoreMisspelt(slips, byInitial, inside);
      return inside;
    },
    inText: (text) => scoreText(text, names, starts),
  };
}

/** The corpus sees to it that no two rows bear one name. */
function indexNames(entries: readonly CorpusEntry[]): ReadonlyMap<string, Bearer> {
  const names = new Map<string, Bearer>();
  for (const { finding, names: own } of entries) {
    own.forEach(({ text, means }, position) => {
      const score = position === 0 ? EXACT_NAME : EXACT_ALIAS;
      names.set(nameKey(text), { id: finding.id, isJob: finding.kind === 'job', means, score });
    });
  }
  return names;
}

interface Inside {
  readonly scores: Scores;
  readonly hinted: Set<string>;
  /** For each word whether it is part of a name. */
  readonly taken: boolean[];
  /** What was named: jobs, companies, both or neither. */
  readonly named: Set<'job' | 'company'>;
}

/** Names as part of the query, the longest first: who asks for Siemens Healthineers does not ask for Siemens. */
function findInside(words: readonly string[], names: ReadonlyMap<string, Bearer>): Inside {
  const inside: Inside = { scores: new Map(), hinted: new Set(), taken: words.map(() => false), named: new Set() };
  for (const [from, to] of spansOf(words.length, MAX_NAME_WORDS)) {
    const part = words.slice(from, to).join(' ');
    const bearer = inside.taken.slice(from, to).includes(true) ? undefined : names.get(part);
    if (bearer === undefined || beginsSkill(words, from, to)) continue;
    const { id, isJob, means, score } = bearer;
    if (means === undefined || isApproached(words, from, to)) {
      raise(inside.scores, id, score * (isJob ? JOB_INSIDE : COMPANY_INSIDE));
      inside.taken.fill(true, from, to);
      inside.named.add(isJob ? 'job' : 'company');
    } else if (means === 'word' && !isStopWord(part)) inside.hinted.add(id);
  }
  return inside;
}

/** Whether a name is only the beginning of a technology: who asks for Microsoft Excel does not ask for Microsoft. */
function beginsSkill(words: readonly string[], from: number, to: number): boolean {
  for (let end = to + 1; end <= Math.min(words.length, to + MORE_SKILL_WORDS); end++) {
    if (isKnownSkill(toSkillId(words.slice(from, end).join(' ')))) return true;
  }
  return false;
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

/**
 * Adds jobs where none was named, and companies where none was, by names that are nearly as typed. Slips keep a name's
 * first letter nearly always; asking for it keeps `looking` from being `booking`.
 */
function scoreMisspelt(
  typedParts: ReadonlyMap<string, 'whole' | 'part'>,
  byInitial: ReadonlyMap<string, readonly (readonly [string, Bearer])[]>,
  { scores, named }: Inside,
): void {
  for (const [typed, extent] of typedParts) {
    const forgiven = extent === 'whole' ? 3 : typed.length >= LONG_SLIP ? 2 : 1;
    for (const [name, { id, isJob, means, score }] of byInitial.get(typed.charAt(0)) ?? []) {
      if (named.has(isJob ? 'job' : 'company') || (extent === 'part' && means === 'word')) continue;
      const slips = slipsBetween(typed, name, forgiven);
      if (slips !== undefined) raise(scores, id, score * (MISSPELT - PER_SLIP * slips));
    }
  }
}

/** What may be a misspelt name: a few words beside the names found, unless they are right as they are, or the whole query. */
function slipsIn(
  key: string,
  words: readonly string[],
  taken: readonly boolean[],
  isRight: (part: readonly string[]) => boolean,
): Map<string, 'whole' | 'part'> {
  const slips = new Map<string, 'whole' | 'part'>();
  for (const [from, to] of spansOf(words.length, MAX_SLIP_WORDS)) {
    const part = words.slice(from, to);
    const typed = part.join(' ');
    const fits = typed.length >= MIN_SLIP_LENGTH && typed.length <= MAX_TERM;
    if (fits && !taken.slice(from, to).includes(true) && !isRight(part)) slips.set(typed, 'part');
  }
  const free = key !== '' && key.length <= MAX_TERM && !taken.includes(true);
  if (free && !isRight(key.split(' '))) slips.set(key, 'whole');
  return slips;
}

/**
 * In a pasted text a company's name is often a product or an everyday word. It counts where the text speaks of the
 * employer: written as a name near the start, after "at" or "join", or before "is". A job's title counts near the
 * start, or where somebody is looked for.
 */
function scoreText(text: string, names: ReadonlyMap<string, Bearer>, starts: ReadonlySet<string>): Scores {
  const scores: Scores = new Map();
  const raw = text.match(/[\p{L}\p{N}+#]{1,60}|&/gu) ?? [];
  const words = raw.map((word) => wordsOfName(word).join(''));
  for (let from = 0; from < raw.length; from++) {
    if (!starts.has(words[from] ?? '')) continue;
    const capital = /^[\p{Lu}\p{N}]/u.test(raw[from] ?? '');
    for (let to = from + 1; to <= Math.min(raw.length, from + MAX_NAME_WORDS); to++) {
      const bearer = names.get(words.slice(from, to).join(' '));
      if (bearer === undefined || beginsSkill(words, from, to)) continue;
      const told = bearer.isJob ? isJobTold(words, from) : capital && isEmployer(words, from, to, bearer.means);
      if (told) raise(scores, bearer.id, bearer.score * NAME_IN_TEXT);
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

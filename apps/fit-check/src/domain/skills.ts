/** Finds skills in free text: words and phrases in one pass, everyday words only where their surroundings are technical. */
import {
  FALSE_FRIENDS,
  JOINERS,
  LONE_BEFORE,
  NEVER_AFTER,
  NEVER_BEFORE,
  PAIR_BEFORE,
  PAIR_LEAD,
  SPOKEN_AFTER,
  SPOKEN_BEFORE,
  TECHNICAL_AFTER,
  VERB_BEFORE,
  VERBS,
} from './contexts.ts';
import { type AliasMark, MAX_ALIAS_WORDS, SKILLS, type Skill, type SkillCategory } from './taxonomy.ts';
import { type Word, wordsOf } from './words.ts';

interface Known {
  readonly id: string;
  readonly mark: AliasMark;
}

interface Hit extends Known {
  readonly start: number;
  readonly end: number;
  accepted: boolean;
}

const byId: ReadonlyMap<string, Skill> = new Map(SKILLS.map((skill) => [skill.id, skill]));
/** A phrase goes on over a space, a hyphen, a slash or the end of a line, never into the next item of a list. */
const PHRASE_GAP = /^(?:[^\S\n]|[-–/&_]){1,3}$|^[^\S\n]*\n[^\S\n]*$/u;
const LIST_GAP = /[,/|;•·+]|\s&\s|\n\s*[-*]/u;
const CAPITAL = /^\p{Lu}/u;
const SENTENCE_GAP = /[.!?:\n•·]/u;
const VERSIONED = /^([^\s\d]+)(\d{1,5})$/;
const NEARBY = 3;

/** Words of any alias that hold a dot, so that `end.Next` is split and `node.js` is not. */
const dotted: ReadonlySet<string> = new Set(
  SKILLS.flatMap((skill) => skill.aliases.flatMap((alias) => alias.text.split(' '))).filter((word) =>
    word.includes('.'),
  ),
);
const keyOf = (words: readonly Word[]): string => words.map((word) => word.key).join(' ');
const phrases: ReadonlyMap<string, Known> = new Map(
  SKILLS.flatMap(({ id, aliases }) =>
    aliases.map(({ text, mark }): [string, Known] => [keyOf(wordsOf(text, dotted)), { id, mark }]),
  ),
);

/** As written, in the singular, or without a version: `python3` and `java17` are `python` and `java`. */
function lookUp(key: string): Known | undefined {
  const exact = phrases.get(key);
  if (exact !== undefined) return exact;
  const singular = key.length > 6 && key.endsWith('s') ? phrases.get(key.slice(0, -1)) : undefined;
  if (singular?.mark === 'sure') return singular;
  const [, bare = '', number = ''] = (/\d$/.test(key) && VERSIONED.exec(key)) || [];
  if (bare === '') return undefined;
  const standard = phrases.get(`${bare} ${number}`);
  if (standard !== undefined) return standard;
  const found = bare.length > 2 && number.length < 5 ? phrases.get(bare) : undefined;
  return found?.mark === 'sure' ? found : undefined;
}

function longestAt(words: readonly Word[], start: number): Hit | undefined {
  let key = '';
  let best: Hit | undefined;
  for (let end = start; end < Math.min(start + MAX_ALIAS_WORDS, words.length); end++) {
    const word = words[end] as Word;
    if (end > start && !PHRASE_GAP.test(word.gap)) break;
    if (word.key.length > 40) break;
    key = end === start ? word.key : `${key} ${word.key}`;
    const found = lookUp(key);
    if (found !== undefined && !isLowerCaps(found, words.slice(start, end + 1)))
      best = { ...found, start, end: end + 1, accepted: found.mark === 'sure' };
  }
  return best;
}

/** An abbreviation that is not written as one: it must not hide a shorter phrase either. */
function isLowerCaps({ mark }: Known, words: readonly Word[]): boolean {
  return mark === 'caps' && words.some((word) => word.raw !== word.raw.toUpperCase());
}

function candidates(words: readonly Word[]): Hit[] {
  const hits: Hit[] = [];
  for (let at = 0; at < words.length; ) {
    const hit = longestAt(words, at);
    if (hit !== undefined) hits.push(hit);
    at = hit?.end ?? at + 1;
  }
  return hits;
}

/** A name from another trade: its own skill there, or none. */
function asMeant(hit: Hit, words: readonly Word[]): Hit | undefined {
  const friend = FALSE_FRIENDS[hit.id];
  if (friend === undefined) return hit;
  const around = words.slice(Math.max(0, hit.start - NEARBY), hit.end + NEARBY);
  if (!around.some((word) => friend.near.has(word.key))) return hit;
  if (friend.capitals === true && isLowerCaps({ ...hit, mark: 'caps' }, words.slice(hit.start, hit.end))) return hit;
  const { instead } = friend;
  return instead === undefined ? undefined : { ...hit, id: instead, mark: 'sure', accepted: true };
}

function isRuledOut(hit: Hit, words: readonly Word[]): boolean {
  const next = words[hit.end];
  const here = words[hit.start];
  const before = words[hit.start - 1];
  const raw = here?.raw ?? '';
  if (next !== undefined && NEVER_AFTER[hit.id]?.has(next.key) && !LIST_GAP.test(next.gap)) return true;
  if (before !== undefined && isRuledOutBy(before, raw, hit)) return true;
  if (hit.mark !== 'strict') return false;
  if (before !== undefined && /^['’&–-]|°/.test(here?.gap ?? '')) return true;
  // "C-level", "R&D", "Go-to-market": a strict name must stand alone.
  if (next !== undefined && /^[-–&'’]/.test(next.gap) && next.key !== 'based') return true;
  return raw.length === 1 && !CAPITAL.test(raw) && !(next !== undefined && TECHNICAL_AFTER.has(next.key));
}

function isRuledOutBy(before: Word, raw: string, { id }: Hit): boolean {
  if (NEVER_BEFORE[id]?.has(before.key)) return true;
  return VERBS.has(id) && VERB_BEFORE.has(before.key) && !CAPITAL.test(raw);
}

function standsTechnical(hit: Hit, words: readonly Word[]): boolean {
  const next = words[hit.end];
  const here = words[hit.start];
  const before = words[hit.start - 1];
  if (next !== undefined && TECHNICAL_AFTER.has(next.key) && PHRASE_GAP.test(next.gap)) return true;
  if (next?.key === 'based' && next.gap === '-') return true;
  const spoken = byId.get(hit.id)?.category === 'spoken';
  if (spoken && isSpoken(hit, words)) return true;
  if (before === undefined || here === undefined) return false;
  if (LONE_BEFORE.has(before.key) && /^[\s:(]+$/.test(here.gap)) return true;
  // Work with Oracle is a skill, cooking with French wine another.
  if (spoken && before.key === 'with') return false;
  if (PAIR_BEFORE.has(before.key) && PAIR_LEAD.has(words[hit.start - 2]?.key ?? '')) return true;
  return hit.mark === 'word' && CAPITAL.test(here.raw) && !SENTENCE_GAP.test(here.gap);
}

/** `German (C1)`, `written German`: with a capital, since `polish` is a verb. */
function isSpoken(hit: Hit, words: readonly Word[]): boolean {
  const next = words[hit.end];
  const before = words[hit.start - 1];
  if (!CAPITAL.test(words[hit.start]?.raw ?? '')) return false;
  if (next !== undefined && SPOKEN_AFTER.has(next.key) && /^[\s(:,–-]+$/.test(next.gap)) return true;
  return before !== undefined && SPOKEN_BEFORE.has(before.key) && /^\s+$/.test(words[hit.start]?.gap ?? '');
}

/** Whether two hits stand in one list: `Go, Rust and Python`. */
function areListed(left: Hit, right: Hit, words: readonly Word[]): boolean {
  const between = right.start - left.end;
  const gap = words[left.end]?.gap ?? '';
  if (between === 0) return LIST_GAP.test(gap);
  return between === 1 && JOINERS.has(words[left.end]?.key ?? '');
}

function spreadOverLists(hits: readonly Hit[], words: readonly Word[]): void {
  const pass = (hit: Hit, neighbour: Hit | undefined): void => {
    if (hit.accepted || neighbour?.accepted !== true) return;
    const [left, right] = hit.start < neighbour.start ? [hit, neighbour] : [neighbour, hit];
    hit.accepted = areListed(left, right, words);
  };
  hits.forEach((hit, i) => {
    pass(hit, hits[i - 1]);
  });
  for (let i = hits.length - 1; i >= 0; i--) pass(hits[i] as Hit, hits[i + 1]);
}

function scan(text: string): Hit[] {
  const words = wordsOf(text, dotted);
  const whole = (hit: Hit): boolean => hit.start === 0 && hit.end === words.length;
  const hits = candidates(words)
    .flatMap((hit) => (whole(hit) ? hit : (asMeant(hit, words) ?? [])))
    .filter((hit) => hit.mark === 'sure' || whole(hit) || !isRuledOut(hit, words));
  for (const hit of hits)
    hit.accepted ||= hit.mark === 'caps' || whole(hit) || (hit.mark !== 'sure' && standsTechnical(hit, words));
  spreadOverLists(hits, words);
  return hits.filter((hit) => hit.accepted);
}

/**
 * The ids of the skills that a text names, in the order of their first mention. Time is linear in the text's length.
 *
 * @example findSkills('Node.js and k8s, ready to go to market') // ['nodejs', 'kubernetes', 'marketing']
 */
export function findSkills(text: string): string[] {
  return [...countSkills(text).keys()];
}

/** As `findSkills`, with the number of mentions. */
export function countSkills(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const hit of scan(text)) counts.set(hit.id, (counts.get(hit.id) ?? 0) + 1);
  return counts;
}

const MAX_LABEL = 80;
const VERSION = /\s+v?\d[\d.x]*\+?$/i;
const LABEL_BREAK = /[,;/|()]|\s(?:&|and|or|with)\s/i;

/** The id of one skill by its own name, no context asked: `R` is `r`. A name that nobody knows becomes its own slug. */
export function toSkillId(name: string): string {
  const key = keyOf(wordsOf(name.slice(0, MAX_LABEL), dotted));
  return lookUp(key)?.id ?? key.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
}

/**
 * The ids of the skills that a label of a resume names, such as `React / Redux`, `AWS (EC2, S3)` or `Go 1.22`: one that
 * nobody knows is its own slug.
 */
export function toSkillIds(label: string): string[] {
  const id = toSkillId(label);
  if (id === '' || byId.has(id)) return id === '' ? [] : [id];
  const parts = label.slice(0, MAX_LABEL).split(LABEL_BREAK);
  // A letter alone is a language only where the list around it says so: `A/R` is no R.
  const named = parts.filter((part) => part.trim().length > 1).map((part) => toSkillId(part.replace(VERSION, '')));
  const found = new Set([...named.filter(isKnownSkill), ...findSkills(label)]);
  return found.size > 0 ? [...found] : [id];
}

export function isKnownSkill(id: string): boolean {
  return byId.has(id);
}

/** The name to show: `cpp` is `C++`; an unknown id is shown as it is. */
export function skillName(id: string): string {
  return byId.get(id)?.name ?? id;
}

export function skillCategory(id: string): SkillCategory | undefined {
  return byId.get(id)?.category;
}

/** Finds skills in free text: words and phrases in one pass, everyday words only where their surroundings are technical. */
import { type AliasMark, SKILLS, type Skill, type SkillCategory } from './taxonomy.ts';

interface Token {
  readonly raw: string;
  readonly key: string;
  /** What stands between the token before and this one, cut at a few characters. */
  readonly gap: string;
}

interface Hit {
  readonly id: string;
  readonly mark: AliasMark;
  readonly start: number;
  readonly end: number;
  accepted: boolean;
}

const byId: ReadonlyMap<string, Skill> = new Map(SKILLS.map((skill) => [skill.id, skill]));
const MAX_PHRASE = 4;
const GAP_KEPT = 4;
// A word may start with a dot (.net), hold dots and apostrophes (node.js) and end with ++ or # (c++, c#).
const WORD = /\.?[\p{L}\p{N}]+(?:[.'’][\p{L}\p{N}]+)*(?:\+\+\d*|#)?/gu;
const PHRASE_GAP = /^[\s\-–/&_]{1,3}$/u;
const LIST_GAP = /[,/|;•·+]|\n\s*[-*]/u;
const CAPITAL = /^\p{Lu}/u;
const SENTENCE_GAP = /[.!?:\n•·]/u;

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));
const AFTER = words(
  'developer developers engineer engineers programmer programmers programming language lang code codebase microservices ' +
    'microservice services backend frontend framework app apps applications hooks components api apis scripts skills',
);
const LONE_BEFORE = words('using language languages framework frameworks stack tech');
const PAIR_BEFORE = words('in with of like including');
const PAIR_LEAD = words(
  'written write writing build building built experience experienced expertise proficient proficiency fluent fluency ' +
    'code coding programming programs developing developed implemented work working worked familiarity familiar ' +
    'knowledge skills years skilled command background languages technologies tools such',
);
const JOINERS = words('and or plus');
const NEVER_BEFORE = words('series vitamin grade class plan section hepatitis type');
const NEVER_AFTER: Readonly<Record<string, ReadonlySet<string>>> = {
  go: words('to live ahead beyond forward through above for getter getters the a into on over back'),
  react: words('to quickly when calmly fast promptly'),
  excel: words('in at as within'),
  express: words('interest written consent permission delivery shipping your their our the yourself'),
  spring: words('cleaning break season term semester 2024 2025 2026 2027 2028'),
  swift: words('response responses action delivery and'),
  spark: words('joy interest ideas curiosity a the'),
  c: words('level suite round funding'),
  r: words('d'),
};

/** Words of any alias that hold a dot, so that `end.Next` is split and `node.js` is not. */
const dotted = new Set<string>();
const phrases = new Map<string, { id: string; mark: AliasMark }>();

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let last = 0;
  for (const match of text.matchAll(WORD)) {
    const start = match.index;
    const gap = text.slice(last, Math.min(start, last + GAP_KEPT));
    last = start + match[0].length;
    pushWord(tokens, match[0], gap);
  }
  return tokens;
}

function pushWord(tokens: Token[], raw: string, gap: string): void {
  const key = raw.toLowerCase();
  if (!/[.'’]/.test(raw) || dotted.has(key)) {
    tokens.push({ raw, key, gap });
    return;
  }
  let before = gap;
  const parts = raw.split(/[.'’]/);
  for (let at = 0; at < parts.length; at++) {
    const pair = `${parts[at]}.${parts[at + 1]}`;
    const part = dotted.has(pair.toLowerCase()) ? pair : (parts[at] ?? '');
    if (part === pair) at++;
    if (part !== '') tokens.push({ raw: part, key: part.toLowerCase(), gap: before });
    before = '.';
  }
}

for (const skill of SKILLS) {
  for (const alias of skill.aliases) {
    for (const word of alias.text.split(' ')) if (word.includes('.')) dotted.add(word);
    const key = tokenize(alias.text)
      .map((token) => token.key)
      .join(' ');
    if (!phrases.has(key)) phrases.set(key, { id: skill.id, mark: alias.mark });
  }
}

/** `python3` and `java17` are `python` and `java`; names that end in a digit of their own are known as they are. */
function lookUp(key: string): { id: string; mark: AliasMark } | undefined {
  const exact = phrases.get(key);
  if (exact !== undefined || key.includes(' ')) return exact;
  const bare = key.replace(/\d{1,4}$/, '');
  const found = bare.length > 2 ? phrases.get(bare) : undefined;
  return found?.mark === 'sure' ? found : undefined;
}

function longestAt(tokens: readonly Token[], start: number): Hit | undefined {
  let key = '';
  let best: Hit | undefined;
  for (let end = start; end < Math.min(start + MAX_PHRASE, tokens.length); end++) {
    const token = tokens[end] as Token;
    if (end > start && !PHRASE_GAP.test(token.gap)) break;
    if (token.key.length > 40) break;
    key = end === start ? token.key : `${key} ${token.key}`;
    const found = lookUp(key);
    if (found !== undefined) best = { ...found, start, end: end + 1, accepted: found.mark === 'sure' };
  }
  return best;
}

function candidates(tokens: readonly Token[]): Hit[] {
  const hits: Hit[] = [];
  for (let at = 0; at < tokens.length; ) {
    const hit = longestAt(tokens, at);
    if (hit !== undefined) hits.push(hit);
    at = hit?.end ?? at + 1;
  }
  return hits;
}

function isRuledOut(hit: Hit, tokens: readonly Token[]): boolean {
  const next = tokens[hit.end];
  const raw = tokens[hit.start]?.raw ?? '';
  const before = tokens[hit.start - 1];
  if (next !== undefined && NEVER_AFTER[hit.id]?.has(next.key) && !LIST_GAP.test(next.gap)) return true;
  if (hit.mark !== 'strict') return false;
  if (before !== undefined && (NEVER_BEFORE.has(before.key) || /^['’]/.test(tokens[hit.start]?.gap ?? ''))) return true;
  // "C-level", "R&D", "Go-to-market": a strict name must stand alone.
  if (next !== undefined && /^[-–&'’]/.test(next.gap) && next.key !== 'based') return true;
  if (before !== undefined && /^[-–&]/.test(tokens[hit.start]?.gap ?? '')) return true;
  return raw.length === 1 && !CAPITAL.test(raw) && !(next !== undefined && AFTER.has(next.key));
}

function standsTechnical(hit: Hit, tokens: readonly Token[]): boolean {
  const next = tokens[hit.end];
  const here = tokens[hit.start];
  const before = tokens[hit.start - 1];
  if (next !== undefined && AFTER.has(next.key) && PHRASE_GAP.test(next.gap)) return true;
  if (next?.key === 'based' && next.gap === '-') return true;
  if (before === undefined || here === undefined) return false;
  if (LONE_BEFORE.has(before.key) && /^[\s:(]+$/.test(here.gap)) return true;
  if (PAIR_BEFORE.has(before.key) && PAIR_LEAD.has(tokens[hit.start - 2]?.key ?? '')) return true;
  return hit.mark === 'word' && CAPITAL.test(here.raw) && !SENTENCE_GAP.test(here.gap);
}

function decide(hit: Hit, tokens: readonly Token[]): void {
  if (hit.mark === 'sure') return;
  const spoken = tokens.slice(hit.start, hit.end);
  if (hit.mark === 'caps') {
    hit.accepted = spoken.every((token) => token.raw === token.raw.toUpperCase());
    return;
  }
  const whole = hit.start === 0 && hit.end === tokens.length;
  hit.accepted = whole || standsTechnical(hit, tokens);
}

/** Whether two hits stand in one list: `Go, Rust and Python`. */
function areListed(left: Hit, right: Hit, tokens: readonly Token[]): boolean {
  const between = right.start - left.end;
  const gap = tokens[left.end]?.gap ?? '';
  if (between === 0) return LIST_GAP.test(gap);
  return between === 1 && JOINERS.has(tokens[left.end]?.key ?? '');
}

function spreadOverLists(hits: readonly Hit[], tokens: readonly Token[]): void {
  const pass = (hit: Hit, neighbour: Hit | undefined): void => {
    if (hit.accepted || hit.mark === 'caps' || neighbour?.accepted !== true) return;
    const [left, right] = hit.start < neighbour.start ? [hit, neighbour] : [neighbour, hit];
    hit.accepted = areListed(left, right, tokens);
  };
  hits.forEach((hit, i) => {
    pass(hit, hits[i - 1]);
  });
  for (let i = hits.length - 1; i >= 0; i--) pass(hits[i] as Hit, hits[i + 1]);
}

function scan(text: string): Hit[] {
  const tokens = tokenize(text);
  const whole = (hit: Hit): boolean => hit.start === 0 && hit.end === tokens.length;
  const hits = candidates(tokens).filter((hit) => hit.mark === 'sure' || whole(hit) || !isRuledOut(hit, tokens));
  for (const hit of hits) decide(hit, tokens);
  spreadOverLists(hits, tokens);
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

/** The id of one skill by its own name, no context asked: `R` is `r`. A name that nobody knows becomes its own slug. */
export function toSkillId(name: string): string {
  const key = tokenize(name.slice(0, 80))
    .map((token) => token.key)
    .join(' ');
  const known = lookUp(key);
  if (known !== undefined) return known.id;
  return key.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
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

/**
 * The language of the search boxes: words and "phrases" that must be in it, `key:value` with `*` for anything,
 * `key:>5` `key:>=1.5s` for numbers and durations, `key:` for a field that is there, and `-` before any of them for its
 * opposite. All of them must hold.
 */
import type { Attribute } from './wire.ts';

export type Operator = '=' | '>' | '>=' | '<' | '<=';

export interface Term {
  readonly key?: string;
  readonly operator: Operator;
  readonly value: string;
  readonly negated: boolean;
}

/** How records of one sort are looked at. */
export interface Lens<T> {
  /** Whether a word, in lower case, is anywhere in it. */
  contains(record: T, word: string): boolean;
  field(record: T, key: string): Attribute | undefined;
}

const KEY = /^[\p{L}_@][\p{L}\p{N}_.@/-]*$/u;
const OPERATOR = /^(>=|<=|>|<)/;

/** Never throws: what is not understood is a word. */
export function parseFilter(text: string): Term[] {
  const terms: Term[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at += 1;
      continue;
    }
    const { term, end } = readTerm(text, at);
    if (term.value !== '' || term.key !== undefined) terms.push(term);
    at = end;
  }
  return terms;
}

function readTerm(text: string, start: number): { term: Term; end: number } {
  const negated = text[start] === '-' && start + 1 < text.length && !/\s/.test(text[start + 1] as string);
  const from = negated ? start + 1 : start;
  if (text[from] === '"') {
    const { value, end } = readQuoted(text, from);
    return { term: { operator: '=', value, negated }, end };
  }
  const colon = /^[^\s":]+:/.exec(text.slice(from))?.[0];
  const key = colon?.slice(0, -1);
  const after = from + (colon?.length ?? 0);
  if (key === undefined || !KEY.test(key) || text.startsWith('//', after)) {
    const { value, end } = readWord(text, from);
    return { term: { operator: '=', value, negated }, end };
  }
  const operator = (OPERATOR.exec(text.slice(after, after + 2))?.[0] ?? '=') as Operator;
  const begin = operator === '=' ? after : after + operator.length;
  const { value, end } = text[begin] === '"' ? readQuoted(text, begin) : readWord(text, begin);
  return { term: { key, operator, value, negated }, end };
}

function readWord(text: string, from: number): { value: string; end: number } {
  let end = from;
  while (end < text.length && !/\s/.test(text[end] as string)) end += 1;
  return { value: text.slice(from, end), end };
}

function readQuoted(text: string, from: number): { value: string; end: number } {
  let value = '';
  let at = from + 1;
  for (; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] === '\\' && at + 1 < text.length) at += 1;
    value += text[at];
  }
  return { value, end: Math.min(text.length, at + 1) };
}

export function printFilter(terms: readonly Term[]): string {
  return terms.map(printTerm).join(' ');
}

function printTerm({ key, operator, value, negated }: Term): string {
  const shown = key === undefined ? '' : `${key}:${operator === '=' ? '' : operator}`;
  return `${negated ? '-' : ''}${shown}${printValue(value, key !== undefined)}`;
}

function printValue(value: string, hasKey: boolean): string {
  const isPlain = hasKey ? /^[^\s"<>]*$/.test(value) && !value.startsWith('//') : /^[^\s":-][^\s":]*$/.test(value);
  return isPlain ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** The text with `key:value` in the place of all that it said of `key`; with undefined without them. */
export function withTerm(text: string, key: string, value: string | undefined, operator: Operator = '='): string {
  const others = parseFilter(text).filter((term) => term.key !== key);
  return printFilter(value === undefined ? others : [...others, { key, operator, value, negated: false }]);
}

/** The text and one more term, unless it says so already. */
export function andTerm(text: string, term: Term): string {
  const terms = parseFilter(text);
  const said = printTerm(term);
  return terms.some((other) => printTerm(other) === said) ? text : printFilter([...terms, term]);
}

export function compile<T>(terms: readonly Term[], lens: Lens<T>): (record: T) => boolean {
  const tests = terms.map((term) => compileTerm(term, lens));
  return (record) => tests.every((test) => test(record));
}

function compileTerm<T>({ key, operator, value, negated }: Term, lens: Lens<T>): (record: T) => boolean {
  if (key === undefined) {
    const word = value.toLowerCase();
    return (record) => lens.contains(record, word) !== negated;
  }
  const holds = fieldTest(key, operator, value);
  return (record) => holds(lens.field(record, key)) !== negated;
}

const RANKS = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
const SAME_LEVEL: Readonly<Record<string, string>> = { warn: 'warning', fatal: 'critical' };

function fieldTest(key: string, operator: Operator, value: string): (found: Attribute | undefined) => boolean {
  if (value === '' && operator === '=') return (found) => found !== undefined && found !== null && found !== '';
  const wanted = key === 'level' ? levelWord(value) : value;
  if (operator === '=') return (found) => anyOf(found, (one) => textMatches(one, wanted, false));
  const limit = key === 'level' ? RANKS.indexOf(wanted) : amountOf(wanted);
  if (Number.isNaN(limit) || (key === 'level' && limit < 0)) return () => false;
  return (found) =>
    anyOf(found, (one) => compare(key === 'level' ? RANKS.indexOf(one.toLowerCase()) : amountOf(one), operator, limit));
}

function levelWord(value: string): string {
  const word = value.toLowerCase();
  return SAME_LEVEL[word] ?? word;
}

function anyOf(found: Attribute | undefined, test: (text: string) => boolean): boolean {
  if (found === undefined || found === null) return false;
  if (Array.isArray(found)) return found.some((one: Attribute) => anyOf(one, test));
  return test(typeof found === 'object' ? JSON.stringify(found) : String(found));
}

function compare(value: number, operator: Operator, limit: number): boolean {
  if (operator === '>') return value > limit;
  if (operator === '>=') return value >= limit;
  return operator === '<' ? value < limit : value <= limit;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 1e3,
};

/** A number with a unit: durations in milliseconds, sizes in bytes; NaN of anything else. */
export function amountOf(text: string): number {
  const [, number = '', unit = ''] = /^(-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµ]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return number === '' || factor === undefined ? Number.NaN : Number(number) * factor;
}

/**
 * Whether a text is what a pattern says, whatever the case: `*` stands for anything. No regular expression is built of
 * what somebody typed, so that none can run away.
 * @param within it is enough that the pattern is somewhere in it
 */
export function textMatches(text: string, pattern: string, within: boolean): boolean {
  const [whole, parts] = [text.toLowerCase(), pattern.toLowerCase().split('*')];
  const [first = '', ...others] = parts;
  if (within) return whole.includes(pattern.toLowerCase());
  if (others.length === 0) return whole === first;
  if (!whole.startsWith(first)) return false;
  const last = others.pop() ?? '';
  let at = first.length;
  for (const part of others) {
    const found = whole.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return whole.length - last.length >= at && whole.endsWith(last);
}

/** A field by its own name, or by a path with dots into what is within. */
export function fieldAt(fields: Readonly<Record<string, Attribute>>, key: string): Attribute | undefined {
  if (Object.hasOwn(fields, key)) return fields[key];
  let value: Attribute | undefined = fields;
  for (const name of key.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, Attribute>>)[name];
  }
  return value;
}

/** Whether a word is in any text or number within. */
export function anywhereIn(value: Attribute | undefined, word: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'object') return String(value).toLowerCase().includes(word);
  return Object.values(value).some((one: Attribute) => anywhereIn(one, word));
}

/** Texts of a line: bounded, masked, and URLs without what may be private in them. */
import { maskText, wordsOf } from './redact.ts';

/** The longest text of one value, in UTF-16 code units (16 Ki). */
export const TEXT_LIMIT: number = 16 * 1024;

/** What one line may hold altogether, so that no nesting of bounded parts makes it unbounded. */
export interface Budget {
  /** Objects, arrays and values still allowed. */
  nodes: number;
  /** UTF-16 code units of text still allowed. */
  text: number;
}

/** A line's allowance: 5,000 values and 256 Ki units of text. */
export function createBudget(): Budget {
  return { nodes: 5000, text: 256 * 1024 };
}

/** A text within bounds and with its secrets masked; says how much was cut. */
export function cleanText(text: string, budget: Budget): string {
  const limit = Math.min(TEXT_LIMIT, Math.max(budget.text, 0));
  budget.text -= Math.min(text.length, limit);
  if (text.length <= limit) return maskText(text);
  // Half a surrogate pair is not text.
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return `${maskText(text.slice(0, end))}… [${text.length - end} characters cut]`;
}

const URL_WORDS: ReadonlySet<string> = new Set(
  'url urls uri uris href path paths pathname referer referrer originalurl baseurl requesturl'.split(' '),
);
/** Names that may hold a URL or any other text: stripped where they do. */
const MAYBE_URL_WORDS: ReadonlySet<string> = new Set(['location', 'target', 'endpoint', 'full', 'link']);
const MEMORY_LIMIT = 2000;

const kinds: Map<string, 'url' | 'maybe' | 'text'> = new Map();

function kindOf(key: string): 'url' | 'maybe' | 'text' {
  const known = kinds.get(key);
  if (known !== undefined) return known;
  const last = wordsOf(key.slice(-64)).at(-1) ?? '';
  const kind = URL_WORDS.has(last) || /ur[li]$/.test(last) ? 'url' : MAYBE_URL_WORDS.has(last) ? 'maybe' : 'text';
  if (kinds.size >= MEMORY_LIMIT) kinds.clear();
  kinds.set(key, kind);
  return kind;
}

/** A URL or path without user, password, query and fragment. */
export function stripUrl(url: string): string {
  const end = url.search(/[?#]/);
  const bare = end < 0 ? url : url.slice(0, end);
  return bare.includes('@') ? bare.replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/]*@/i, '$1//') : bare;
}

/** The path of a request's target, without its query: `/a` for `/a?b` and for `http://host/a?b`. */
export function pathOf(target: string): string {
  return stripUrl(target).replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '') || '/';
}

/** The text of a field, by what its key says it holds. */
export function textField(key: string, text: string, budget: Budget): string {
  const kind = kindOf(key);
  const url = kind === 'url' || (kind === 'maybe' && /^\/|^[a-z][a-z\d+.-]*:\/\//i.test(text));
  return cleanText(url ? stripUrl(text) : text, budget);
}

/** Small helpers over untrusted text. */

/** The first `limit` UTF-16 units, never half of a surrogate pair, with an ellipsis where something was cut. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return `${text.slice(0, end).trimEnd()}…`;
}

/**
 * One line that is safe inside prose and cites nothing: control characters, invisible format characters and lone surrogates become spaces, square
 * brackets become round ones (so that foreign text cannot pose as a citation), white space is collapsed.
 */
export function plainLine(text: string, limit: number): string {
  const head = text.length > limit * 4 ? text.slice(0, limit * 4) : text;
  const line = head
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, ' ')
    .replaceAll('[', '(')
    .replaceAll(']', ')')
    .trim();
  return clip(line, limit);
}

/**
 * Foreign text for a prompt, its lines kept. Without invisible characters, in which whole sentences can be hidden, and
 * without the brackets that citations, fences and models' role tags are made of, in their full-width forms too, which
 * some tokenizers fold.
 */
export function inertText(text: string, limit: number): string {
  const plain = text
    .slice(0, limit * 4)
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Variation_Selector}]+/gu, '')
    .replace(/[^\P{Cc}\n\t]+/gu, ' ')
    .replace(/\n\s*\n/g, '\n\n')
    .replace(/[<＜﹤]/g, '‹')
    .replace(/[>＞﹥]/g, '›')
    .replace(/[[［]/g, '(')
    .replace(/[\]］]/g, ')')
    .trim();
  return clip(plain, limit);
}

const SENTENCE = /[\s\S]{1,2000}/g;

/** Lines and sentences, none longer than a bound, so that patterns stay quick on any input. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n|(?<=[.;!?])[ \t]/)
    .flatMap((line) => line.match(SENTENCE) ?? [])
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** `a`, `a and b`, `a, b and c`. */
export function listOf(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `1 source`, `2 sources`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Orders by code unit, so that results never hang on the machine's locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function round(value: number, decimals = 0): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

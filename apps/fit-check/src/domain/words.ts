/** Cuts free text into the words that skills are looked for in. */

export interface Word {
  readonly raw: string;
  /** In lower case. */
  readonly key: string;
  /** What stands between the word before and this one, cut at a few characters. */
  readonly gap: string;
}

const GAP_KEPT = 4;
// A word may start with a dot (.net), hold dots and apostrophes (node.js) and end with ++ or # (c++, c#), which people
// write after a space as well (C ++, C #).
const WORD = /(?<![\p{L}\p{N}])[cC] (?:\+\+|#(?!\d))|\.?[\p{L}\p{N}]+(?:[.'’][\p{L}\p{N}]+)*(?:\+\+\d*|#)?/gu;
// What PDFs and editors leave inside words: soft hyphens, zero-width marks, other hyphens, ligatures (ﬂ), full-width letters.
const TYPESET = /[\u00ad\u200b-\u200d\u2060\ufeff]|[\u2010\u2011]|[\ufb00-\ufb06\uff01-\uff5e]/g;

function asTyped(text: string): string {
  return text.replace(TYPESET, (sign) => {
    if (sign === '\u2010' || sign === '\u2011') return '-';
    return sign >= '\ufb00' && sign !== '\ufeff' ? sign.normalize('NFKC') : '';
  });
}

/** The words of a text; one with dots inside is a single word where `dotted` holds it, so that `end.Next` is two. */
export function wordsOf(text: string, dotted: ReadonlySet<string>): Word[] {
  const plain = asTyped(text);
  const words: Word[] = [];
  let last = 0;
  for (const match of plain.matchAll(WORD)) {
    const start = match.index;
    const gap = plain.slice(last, Math.min(start, last + GAP_KEPT));
    last = start + match[0].length;
    pushWord(words, match[0].replace(' ', ''), gap, dotted);
  }
  return words;
}

function pushWord(words: Word[], raw: string, gap: string, dotted: ReadonlySet<string>): void {
  const key = raw.toLowerCase();
  if (!/[.'’]/.test(raw) || dotted.has(key)) {
    words.push({ raw, key, gap });
    return;
  }
  let before = gap;
  const parts = raw.split(/[.'’]/);
  for (let at = 0; at < parts.length; at++) {
    const pair = `${parts[at]}.${parts[at + 1]}`;
    const part = dotted.has(pair.toLowerCase()) ? pair : (parts[at] ?? '');
    if (part === pair) at++;
    if (part !== '') words.push({ raw: part, key: part.toLowerCase(), gap: before });
    before = '.';
  }
}

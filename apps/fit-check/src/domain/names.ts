/** Names of companies and jobs as people type them: other cases and accents, legal forms, slips of the finger. */

const LEGAL = new Set(
  'inc ltd llc gmbh ag se plc corp corporation co company group limited sa nv bv ab asa oyj spa srl sas kg kgaa holdings the'.split(
    ' ',
  ),
);
const MAX_WORD = 40;
/** Letters that no decomposition turns into plain ones. */
const PLAIN: Readonly<Record<string, string>> = { ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ß: 'ss', ı: 'i' };
/** What one says for the other. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['&', 'and'],
  ['developer', 'engineer'],
  ['developers', 'engineer'],
  ['programmer', 'engineer'],
  ['programmers', 'engineer'],
  ['engineers', 'engineer'],
]);

/** Lower case without accents and punctuation, a developer or programmer an engineer: `Nestlé S.A.` is `nestle s a`. */
export function wordsOfName(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[øæœłđßı]/g, (letter) => PLAIN[letter] ?? letter)
    .replaceAll('&', ' & ')
    .split(/[^\p{L}\p{N}+#&]+/u)
    .filter((word) => word !== '' && word.length <= MAX_WORD)
    .map((word) => SAME.get(word) ?? word);
}

/** The words that tell names apart: `The Siemens Corporation` is `siemens`. */
export function nameKey(text: string): string {
  const all = wordsOfName(text);
  const own = all.filter((word) => !LEGAL.has(word));
  return (own.length > 0 ? own : all).join(' ');
}

/**
 * Edits (insert, delete, replace, swap two neighbours) from `a` to `b`, or undefined above `limit`.
 * Both are expected to be short: the work is their lengths multiplied.
 */
export function editsBetween(a: string, b: string, limit: number): number | undefined {
  if (Math.abs(a.length - b.length) > limit) return undefined;
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (above[column - 1] ?? 0) + (same ? 0 : 1),
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (older[column - 2] ?? 0) + 1);
      current.push(best);
    }
    older = above;
    above = current;
  }
  const edits = above[b.length] ?? 0;
  return edits <= limit ? edits : undefined;
}

/**
 * Slips from what was typed to a name of the same number of words, each word forgiven by its own length; with words
 * run together or torn apart, which is one slip more, only that. Undefined above `limit`.
 */
export function slipsBetween(typed: string, name: string, limit: number): number | undefined {
  const [typedWords, nameWords] = [typed.split(' '), name.split(' ')];
  if (typedWords.length !== nameWords.length) {
    const edits = editsBetween(typedWords.join(''), nameWords.join(''), Math.min(limit - 1, slipsAllowed(name), 1));
    return edits === undefined ? undefined : edits + 1;
  }
  let slips = 0;
  for (const [at, word] of nameWords.entries()) {
    const edits = editsBetween(typedWords[at] ?? '', word, Math.min(limit - slips, slipsAllowed(word)));
    if (edits === undefined) return undefined;
    slips += edits;
  }
  return slips;
}

/** How many slips are forgiven: none below 4 letters, then one for every four, three at most. */
export function slipsAllowed(word: string): number {
  return Math.min(3, Math.floor(word.length / 4));
}

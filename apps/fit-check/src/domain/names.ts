/** Names of companies and jobs as people type them: other cases and accents, legal forms, slips of the finger. */

const LEGAL = new Set('inc ltd llc gmbh ag se plc corp corporation co company group limited sa nv bv the'.split(' '));
const MAX_WORD = 40;

/** Lower case without accents and punctuation: `Nestlé S.A.` is `nestle s a`. */
export function wordsOfName(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}+#&]+/u)
    .filter((word) => word !== '' && word.length <= MAX_WORD);
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

/** How many slips are forgiven: none below 4 letters, then one for every four, three at most. */
export function slipsAllowed(word: string): number {
  return Math.min(3, Math.floor(word.length / 4));
}

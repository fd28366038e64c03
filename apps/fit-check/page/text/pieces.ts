/** A growing text as pieces that are final and one that still grows, so that only the last is ever read again. */
import { sliceWhole } from './plain.ts';

export interface Pieces {
  /** Takes more of the text; gives the pieces that are final now. */
  push(text: string): string[];
  /** What still grows. */
  readonly rest: string;
  /** UTF-16 units that were left out, past the most that is shown. */
  readonly leftOut: number;
}

/** A piece ends at a blank line, or at this many UTF-16 units where nobody wrote one. */
const LONGEST_PIECE = 8000;

/** `most`: UTF-16 units that are shown. */
export function createPieces(most: number): Pieces {
  let rest = '';
  let shown = 0;
  let leftOut = 0;
  /** Where in `rest` no blank line can begin. */
  let searched = 0;
  return {
    get rest() {
      return rest;
    },
    get leftOut() {
      return leftOut;
    },
    push(text) {
      const taken = sliceWhole(text, Math.max(0, most - shown));
      shown += taken.length;
      leftOut += text.length - taken.length;
      // Once something is left out, nothing after it is shown.
      if (taken.length < text.length) shown = most;
      rest += taken;
      const done: string[] = [];
      for (;;) {
        const blank = rest.indexOf('\n\n', searched);
        let end = blank === -1 ? rest.length : blank + 2;
        if (end > LONGEST_PIECE) end = sliceWhole(rest, LONGEST_PIECE).length;
        else if (blank === -1) break;
        done.push(rest.slice(0, end));
        rest = rest.slice(end);
        searched = 0;
      }
      searched = Math.max(0, rest.length - 1);
      return done;
    },
  };
}

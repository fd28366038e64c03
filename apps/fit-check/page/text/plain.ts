/** Text from outside, made fit to be shown: nothing in it steers a terminal, the direction of writing, or memory. */

const ESCAPE = String.fromCharCode(27);
/** Sequences that steer a terminal (ECMA-48, section 5.4): colours, cursor, titles. */
const STEERING = new RegExp(
  `${ESCAPE}(?:\\[[0-9;:<=>?]{0,64}[ -/]{0,8}[@-~]|\\][^${ESCAPE}\\x07]{0,2000}(?:\\x07|${ESCAPE}\\\\)?|.)?`,
  'gu',
);
/** Control characters but line feed and tab, marks that turn the direction of what follows, halves of characters. */
const UNSEEN = /[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{feff}\p{Cs}]/gu;

/** The same text without what steers, and no longer than `limit` UTF-16 units: an ellipsis stands for the rest. */
export function plain(text: string, limit = 400): string {
  const head = text.length > limit * 4 ? text.slice(0, limit * 4) : text;
  const clean = head
    .replace(/\r\n?/g, '\n')
    .replace(STEERING, '')
    .replace(UNSEEN, (mark) => (mark === '\n' || mark === '\t' ? mark : ''));
  if (clean.length <= limit) return head.length < text.length ? `${clean}…` : clean;
  return `${sliceWhole(clean, limit).trimEnd()}…`;
}

/** As `plain`, in one line. */
export function plainLine(text: string, limit = 400): string {
  return plain(
    plain(text, limit * 4)
      .replace(/\s+/g, ' ')
      .trim(),
    limit,
  );
}

/** The first `end` units, never half of a character. */
export function sliceWhole(text: string, end: number): string {
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

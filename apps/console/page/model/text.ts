/** Text from outside, made fit to be shown: nothing in it steers a terminal or the direction of writing, or stays unseen. */

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
/** Sequences that steer a terminal (ECMA-48, section 5.4): colours, cursor, titles. */
const STEERING = new RegExp(
  `${ESCAPE}(?:\\[[0-9;:<=>?]{0,64}[ -/]{0,8}[@-~]|[\\]PX^_][^${ESCAPE}${BELL}]{0,2000}(?:${BELL}|${ESCAPE}\\\\)?)`,
  'g',
);
/**
 * Control characters, marks that turn the direction of what follows or have no width, halves of characters. The joiners
 * U+200C and U+200D stay: scripts and emoji need them.
 */
const UNSEEN =
  /[\p{Cc}\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\p{Cs}]/gu;
const IS_PLAIN = /^[ -~]*$/;

/**
 * The same text with all of it to be seen: line feeds and tabs stay, other control characters become their pictures
 * (U+2400…), unseen marks their names, halves of characters U+FFFD; steering sequences go.
 */
export function visible(text: string): string {
  if (IS_PLAIN.test(text)) return text;
  return text
    .replace(/\r\n/g, '\n')
    .replace(STEERING, '')
    .replace(UNSEEN, (mark) => (mark === '\n' || mark === '\t' ? mark : picture(mark)));
}

function picture(mark: string): string {
  const code = mark.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}

/** One line of at most `limit` UTF-16 units and an ellipsis, at a cost that does not grow with what is cut off. */
export function line(text: string, limit = 240): string {
  const head = text.length > limit * 2 ? text.slice(0, limit * 2) : text;
  const shown = visible(head)
    .replace(/\s*\n\s*/g, ' ↵ ')
    .replaceAll('\t', ' ');
  if (shown.length <= limit && head.length === text.length) return shown;
  return `${sliceWhole(shown, limit)}…`;
}

/** The first `end` units, never half of a character. */
export function sliceWhole(text: string, end: number): string {
  if (text.length <= end) return text;
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

/** An id short enough for a cell; the whole of it is always a hover or a click away. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

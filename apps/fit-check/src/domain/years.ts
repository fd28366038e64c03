/** The years of experience that a line of a job description asks for. */

const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const NUMBER = `\\d{1,2}|${WORDS.slice(1).join('|')}`;
const YEARS = new RegExp(
  `\\b(${NUMBER})(?:\\s?(?:[-–]|to)\\s?(?:${NUMBER}))?\\s?(?:\\+|plus|or more)?[-\\s]{0,2}(?:years?|yrs?)\\b`,
  'gi',
);
/** Before or after, they tell of the company or of time, not of experience. */
const TIME_BEFORE = /\b(?:past|last|next|within|every|coming|in)\s(?:the\s)?$/i;
const COMPANY_AFTER = /^[-\s](?:old|ago|young|in business|in the market|of (?:history|growth|innovation|success))\b/i;
const MAX_YEARS = 20;
const LOOK = 20;

/** Whole years from 1 to 20, the least of a range (`3 to 5 years` is 3); 0 where none are asked for. */
export function yearsAsked(line: string): number {
  for (const match of line.matchAll(YEARS)) {
    const end = match.index + match[0].length;
    const told = TIME_BEFORE.test(line.slice(Math.max(0, match.index - LOOK), match.index));
    if (told || COMPANY_AFTER.test(line.slice(end, end + LOOK))) continue;
    const said = (match[1] ?? '').toLowerCase();
    const years = WORDS.includes(said) ? WORDS.indexOf(said) : Number(said);
    if (years >= 1 && years <= MAX_YEARS) return years;
  }
  return 0;
}

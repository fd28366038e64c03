/** Self-stated levels as numbers from 0 to 1: skills ("Expert", "Master") and spoken languages ("Native", "B2"). */

const LEVELS: readonly (readonly [pattern: RegExp, strength: number])[] = [
  [/\b(master|expert|guru|principal|native|mother tongue|bilingual|c2)\b/i, 0.95],
  [/\b(advanced|senior|strong|proficient|fluent|full professional|c1)\b/i, 0.85],
  [/\b(intermediate|competent|working|professional|good|solid|b1|b2)\b/i, 0.65],
  [/\b(beginner|basic|elementary|novice|learning|junior|familiar|limited|a1|a2)\b/i, 0.35],
];

/** What a skill is worth without a level that we understand. */
const UNSTATED = 0.65;

export function levelStrength(level: string | undefined): number {
  if (level === undefined) return UNSTATED;
  return LEVELS.find(([pattern]) => pattern.test(level))?.[1] ?? UNSTATED;
}

/** How well each row answers, by its id. */
export type Scores = Map<string, number>;

/** A row keeps the best of what speaks for it. */
export function raise(scores: Scores, id: string, score: number): void {
  if (score > (scores.get(id) ?? 0)) scores.set(id, score);
}

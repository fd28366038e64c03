/** The scores that a verdict's text states, whoever wrote it: a model may be talked into another than the computed one. */
import type { Finding } from './finding.ts';

const STATED =
  /(?<![\d.,])(\d{1,3}(?:[.,]\d{1,2})?)[ *_]{0,4}(?:\/|of|out of)[ *_]{0,4}100(?![\d%])|\bscore(?: (?:is|of))?[ :=*_–-]{0,6}(\d{1,3}(?:[.,]\d{1,2})?)(?![\d%])/giu;
const QUOTED = /“([^”\n]{1,200})”/g;
/** More of them say nothing more. */
const MAX_STATED = 10;

/**
 * In the order of the text, each once, at most 10. What is quoted is not stated: a source by its title and id, the query
 * in quotation marks.
 */
export function statedScores(text: string, findings: readonly Finding[]): number[] {
  const queries = findings.filter(({ kind }) => kind === 'query').map(({ title }) => title);
  const own = findings
    .reduce((rest, { id, title }) => rest.replaceAll(`${title} [${id}]`, ' '), text)
    .replace(QUOTED, (all, inside: string) =>
      queries.some((title) => title.includes(inside.replace(/…$/, ''))) ? ' ' : all,
    );
  const scores = new Set<number>();
  for (const [, whole, named] of own.matchAll(STATED)) {
    if (scores.size === MAX_STATED) break;
    scores.add(Number((whole ?? named ?? '').replace(',', '.')));
  }
  return [...scores];
}

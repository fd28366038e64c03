/** Trees without their order: an SDK's spans begin in milliseconds, so that siblings may well begin at once. */
import type { Shape } from '../../../../apps/fit-check/test/trace-tree.ts';

/** The same tree with children in the order of what they are. */
export function unordered([name, ...children]: Shape): Shape {
  const sorted = children.map(unordered).map((child) => ({ child, text: JSON.stringify(child) }));
  sorted.sort((a, b) => (a.text < b.text ? -1 : 1));
  return [name, ...sorted.map(({ child }) => child)];
}

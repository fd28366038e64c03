/** Where a trace's time went: of each span what its children do not account for, by kind. */
import { type Kind, kindOf } from './kind.ts';
import type { Waterfall, WaterfallRow } from './waterfall.ts';

export interface KindShare {
  readonly kind: Kind;
  readonly ms: number;
  /** Of the sum of all, from 0 to 1. */
  readonly share: number;
}

/** @param rows all of them, none folded away */
export function selfTimes({ rows }: Pick<Waterfall, 'rows'>): KindShare[] {
  const sums = new Map<Kind, number>();
  let total = 0;
  for (const [at, row] of rows.entries()) {
    const own = Math.max(0, row.span.duration - covered(row, childrenOf(rows, at)));
    const kind = kindOf(row.span);
    sums.set(kind, (sums.get(kind) ?? 0) + own);
    total += own;
  }
  return [...sums]
    .map(([kind, ms]) => ({ kind, ms, share: total === 0 ? 0 : ms / total }))
    .filter(({ ms }) => ms > 0)
    .sort((one, other) => other.ms - one.ms);
}

function childrenOf(rows: readonly WaterfallRow[], at: number): WaterfallRow[] {
  const { depth, children } = rows[at] as WaterfallRow;
  const found: WaterfallRow[] = [];
  for (let next = at + 1; next < rows.length && found.length < children; next += 1) {
    const row = rows[next] as WaterfallRow;
    if (row.depth <= depth) break;
    if (row.depth === depth + 1) found.push(row);
  }
  return found;
}

/** How much of a span its children cover; where two of them run at once, once. */
function covered({ start, span: { duration } }: WaterfallRow, children: readonly WaterfallRow[]): number {
  const end = start + duration;
  let sum = 0;
  let reached = start;
  for (const child of children.toSorted((one, other) => one.start - other.start)) {
    const from = Math.max(reached, child.start);
    const till = Math.min(end, child.start + child.span.duration);
    if (till > from) {
      sum += till - from;
      reached = till;
    }
  }
  return sum;
}

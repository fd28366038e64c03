/** Gauges of several workers put together: each worker's share is kept, so that it can go with its worker. */
import type { AcrossWorkers } from '../../catalogue.ts';

/** What one worker says of one gauge. */
export interface Share {
  value: number;
  /** Workers in the order in which they came; whoever gathers is the first. */
  readonly order: number;
}

/** One gauge of the whole, written wherever it is kept. */
export interface Target {
  readonly shares: Set<Share>;
  write(value: number): void;
  /** Called when no share is left. */
  remove(): void;
}

/** Gauges that are to be written anew. */
export class Gauges {
  readonly #changed: Map<Target, AcrossWorkers> = new Map();

  changed(target: Target, workers: AcrossWorkers): void {
    this.#changed.set(target, workers);
  }

  /** Takes a share out; its gauge goes with the last one. */
  drop(target: Target, share: Share, workers: AcrossWorkers): void {
    target.shares.delete(share);
    if (target.shares.size > 0) {
      this.changed(target, workers);
      return;
    }
    this.#changed.delete(target);
    target.remove();
  }

  /** Writes what changed, one gauge a step. */
  *settle(): Generator<void> {
    for (const [target, workers] of this.#changed) {
      this.#changed.delete(target);
      target.write(merge(target.shares, workers));
      yield;
    }
  }
}

function merge(shares: ReadonlySet<Share>, workers: AcrossWorkers): number {
  if (workers === 'first') return lead(shares)?.value ?? 0;
  let merged: number | undefined;
  for (const { value } of shares) {
    if (merged === undefined) merged = value;
    else if (workers === 'max') merged = Math.max(merged, value);
    else if (workers === 'min') merged = Math.min(merged, value);
    else merged += value;
  }
  return workers === 'average' ? (merged ?? 0) / shares.size : (merged ?? 0);
}

function lead(shares: ReadonlySet<Share>): Share | undefined {
  let first: Share | undefined;
  for (const share of shares) if (first === undefined || share.order < first.order) first = share;
  return first;
}

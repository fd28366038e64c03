/** Where the figures of one series of one worker go. Small objects: there is one for each series of each worker. */
import type { AcrossWorkers } from '../../catalogue.ts';
import type { Cell } from '../family.ts';
import type { Gauges, Share, Target } from './gauges.ts';
import { type ExemplarNote, type Figure, figureAt } from './wire.ts';

export interface Sink {
  /** Takes what is told of the series from a place on; gives the place behind it. */
  take(figures: readonly Figure[], at: number): number;
  exemplar(note: ExemplarNote): void;
  /** The series is no more, or its worker is gone: gauges go, what was counted stays. */
  drop(): void;
}

export class CounterSink implements Sink {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  take(figures: readonly Figure[], at: number): number {
    this.#cell.inc(figureAt(figures, at));
    return at + 1;
  }

  exemplar(): void {}
  drop(): void {}
}

export class HistogramSink implements Sink {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  take(figures: readonly Figure[], at: number): number {
    const { counts } = this.#cell;
    this.#cell.sum += figureAt(figures, at);
    const end = at + 2 + 2 * countAt(figures, at + 1);
    for (let i = at + 2; i < end; i += 2) {
      const bucket = figureAt(figures, i);
      const added = figureAt(figures, i + 1);
      if (!(bucket in counts) || !(added >= 0)) throw new TypeError('a report tells of a bucket that there is not');
      counts[bucket] = (counts[bucket] as number) + added;
    }
    return end;
  }

  exemplar([, bucket, traceId, spanId, value, at]: ExemplarNote): void {
    const { counts } = this.#cell;
    if (!(bucket in counts)) return;
    this.#cell.exemplars ??= new Array(counts.length).fill(undefined);
    const { exemplars } = this.#cell;
    if ((exemplars[bucket]?.at ?? 0) <= at) exemplars[bucket] = { traceId, spanId, value, at };
  }

  drop(): void {}
}

/** One worker's share of a gauge. */
export class ShareSink implements Sink, Share {
  value: number = 0;
  readonly order: number;
  readonly #target: Target;
  readonly #gauges: Gauges;
  readonly #workers: AcrossWorkers;

  constructor(target: Target, gauges: Gauges, workers: AcrossWorkers, order: number) {
    this.order = order;
    this.#target = target;
    this.#gauges = gauges;
    this.#workers = workers;
    target.shares.add(this);
    gauges.changed(target, workers);
  }

  take(figures: readonly Figure[], at: number): number {
    this.value = figureAt(figures, at);
    this.#gauges.changed(this.#target, this.#workers);
    return at + 1;
  }

  exemplar(): void {}

  drop(): void {
    this.#gauges.drop(this.#target, this, this.#workers);
  }
}

/** What adds up of a guest's. */
export class SampleSink implements Sink {
  readonly #sample: { value: number };

  constructor(sample: { value: number }) {
    this.#sample = sample;
  }

  take(figures: readonly Figure[], at: number): number {
    this.#sample.value += figureAt(figures, at);
    return at + 1;
  }

  exemplar(): void {}
  drop(): void {}
}

/** Reads past a series that has no place in the whole. */
export class NoSink implements Sink {
  readonly #histogram: boolean;

  constructor(histogram: boolean) {
    this.#histogram = histogram;
  }

  take(figures: readonly Figure[], at: number): number {
    return at + (this.#histogram ? 2 + 2 * countAt(figures, at + 1) : 1);
  }

  exemplar(): void {}
  drop(): void {}
}

/** How many buckets follow: never fewer than none, which would lead back to where the reading began. */
function countAt(figures: readonly Figure[], at: number): number {
  const count = figureAt(figures, at);
  if (!Number.isInteger(count) || count < 0) throw new TypeError('a report tells of no number of buckets');
  return count;
}

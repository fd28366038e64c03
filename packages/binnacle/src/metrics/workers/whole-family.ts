/** One metric of the whole: the sum of the workers' counters and histograms, their gauges put together. */
import type { AcrossWorkers } from '../../catalogue.ts';
import { type Cell, Family } from '../family.ts';
import type { GuestFamily } from '../guests.ts';
import type { Gauges, Share, Target } from './gauges.ts';
import { readLabels } from './labels.ts';
import { type ExemplarNote, type FamilyNote, type Figure, figureAt, isCumulative } from './wire.ts';

/** Who a report is of: the labels that tell its gauges apart, each empty where it does not apply. */
export interface Place {
  readonly worker: string;
  readonly thread: string;
}

/** Where figures of one series of one worker go. */
export interface Sink {
  /** Takes what is told of the series from a place on; gives the place behind it. */
  take(figures: readonly Figure[], at: number): number;
  exemplar(note: ExemplarNote): void;
  /** The series is no more, or its worker is gone: gauges go, what was counted stays. */
  drop(): void;
}

/** A metric that takes in series. */
export interface Whole {
  readonly note: FamilyNote;
  sink(labels: string, place: Place, order: number): Sink;
}

const NOTHING = (): void => {};

/** How many buckets follow: never fewer than none, which would lead back to where the reading began. */
function countAt(figures: readonly Figure[], at: number): number {
  const count = figureAt(figures, at);
  if (!Number.isInteger(count) || count < 0) throw new TypeError('a report tells of no number of buckets');
  return count;
}

/** Reads past a series that has no place in the whole. */
export function skip(kind: string, guest: boolean): Sink {
  const take = guest || kind !== 'histogram' ? 1 : undefined;
  return {
    take: (figures, at) => at + (take ?? 2 + 2 * countAt(figures, at + 1)),
    exemplar: NOTHING,
    drop: NOTHING,
  };
}

const isOfEach = (workers: AcrossWorkers): boolean => workers === 'each' || workers === 'process';

/** The labels that a metric has in the whole. */
export function wholeLabels({ kind, labels, workers }: FamilyNote): string[] {
  const added = kind === 'gauge' && isOfEach(workers) ? ['worker', 'thread'] : [];
  return [...labels, ...added.filter((name) => !labels.includes(name))];
}

export class WholeFamily implements Whole {
  readonly note: FamilyNote;
  readonly family: Family;
  readonly #gauges: Gauges;
  readonly #targets: Map<string, CellTarget> = new Map();
  readonly #firsts: Set<First> = new Set();

  /** Throws on a note that no metric can be made from. */
  constructor(note: FamilyNote, gauges: Gauges, maxSeries: number, onFold: () => void) {
    const { kind, name, help, buckets } = note;
    if (kind !== 'counter' && kind !== 'gauge' && kind !== 'histogram') throw new TypeError(`no metric is a ${kind}`);
    this.note = note;
    this.#gauges = gauges;
    // What is each worker's own was held to its budget there.
    const limit = kind === 'gauge' && isOfEach(note.workers) ? Number.MAX_SAFE_INTEGER : maxSeries;
    this.family = new Family({ kind, name, help, labels: wholeLabels(note), buckets, maxSeries: limit, onFold });
  }

  sink(text: string, place: Place, order: number): Sink {
    const { kind, workers } = this.note;
    const labels = readLabels(text);
    if (kind === 'counter') return counterSink(this.family.bind(labels));
    if (kind === 'histogram') return histogramSink(this.family.bind(labels));
    if (isOfEach(workers)) {
      if (place.worker !== '') labels.worker = place.worker;
      if (place.thread !== '') labels.thread = place.thread;
    }
    if (workers === 'first') return this.#first(labels, order);
    const target = this.#target(labels);
    return shareSink(target, this.#gauges, workers, order);
  }

  /** Of all series those of whoever came first; the next one's once it is gone. */
  #first(labels: Record<string, string>, order: number): Sink {
    const first: First = { labels, value: 0, order };
    const show = (): void => {
      const lead = Math.min(...[...this.#firsts].map((one) => one.order));
      for (const one of this.#firsts) if (one.order !== lead) this.family.remove(one.labels);
      for (const one of this.#firsts) if (one.order === lead) this.family.bind(one.labels).set(one.value);
    };
    this.#firsts.add(first);
    return {
      take: (figures, at) => {
        first.value = figureAt(figures, at);
        show();
        return at + 1;
      },
      exemplar: NOTHING,
      drop: () => {
        this.#firsts.delete(first);
        this.family.remove(labels);
        show();
      },
    };
  }

  /** By the series' own labels: several that fold into one are put together there. */
  #target(labels: Record<string, string>): CellTarget {
    const cell = this.family.bind(labels);
    const found = this.#targets.get(cell.labels);
    if (found !== undefined) return found;
    const target = new CellTarget(cell, () => {
      this.#targets.delete(cell.labels);
      this.family.remove(readLabels(cell.labels));
    });
    this.#targets.set(cell.labels, target);
    return target;
  }
}

/** A series of a metric that is told of one worker alone. */
interface First extends Share {
  readonly labels: Record<string, string>;
}

class CellTarget implements Target {
  readonly shares: Set<Share> = new Set();
  readonly remove: () => void;
  readonly #cell: Cell;

  constructor(cell: Cell, remove: () => void) {
    this.#cell = cell;
    this.remove = remove;
  }

  write(value: number): void {
    this.#cell.set(value);
  }
}

function counterSink(cell: Cell): Sink {
  return {
    take(figures, at) {
      cell.inc(figureAt(figures, at));
      return at + 1;
    },
    exemplar: NOTHING,
    drop: NOTHING,
  };
}

function histogramSink(cell: Cell): Sink {
  const { counts } = cell;
  return {
    take(figures, at) {
      cell.sum += figureAt(figures, at);
      const end = at + 2 + 2 * countAt(figures, at + 1);
      for (let i = at + 2; i < end; i += 2) {
        const bucket = figureAt(figures, i);
        const added = figureAt(figures, i + 1);
        if (!(bucket in counts) || !(added >= 0)) throw new TypeError('a report tells of a bucket that there is not');
        counts[bucket] = (counts[bucket] as number) + added;
      }
      return end;
    },
    exemplar([, bucket, traceId, spanId, value, at]) {
      if (!(bucket in counts)) return;
      cell.exemplars ??= new Array(counts.length).fill(undefined);
      if ((cell.exemplars[bucket]?.at ?? 0) <= at) cell.exemplars[bucket] = { traceId, spanId, value, at };
    },
    drop: NOTHING,
  };
}

function shareSink(target: Target, gauges: Gauges, workers: AcrossWorkers, order: number): Sink {
  const share: Share = { value: 0, order };
  target.shares.add(share);
  gauges.changed(target, workers);
  return {
    take(figures, at) {
      share.value = figureAt(figures, at);
      gauges.changed(target, workers);
      return at + 1;
    },
    exemplar: NOTHING,
    drop: () => gauges.drop(target, share, workers),
  };
}

/** A metric of the hosts' registries: samples as they came, counted ones added up. */
export class WholeGuest implements Whole {
  readonly note: FamilyNote;
  readonly #gauges: Gauges;
  readonly #samples: Map<string, GuestTarget> = new Map();

  constructor(note: FamilyNote, gauges: Gauges) {
    this.note = note;
    this.#gauges = gauges;
  }

  get guest(): GuestFamily {
    const { name, help, kind } = this.note;
    return { name, help, kind, samples: [...this.#samples.values()] };
  }

  sink(text: string, _place: Place, order: number): Sink {
    const { kind, workers } = this.note;
    const sample = this.#sample(text);
    if (!isCumulative(kind, sample.suffix)) return shareSink(sample, this.#gauges, workers, order);
    return {
      take(figures, at) {
        sample.value += figureAt(figures, at);
        return at + 1;
      },
      exemplar: NOTHING,
      drop: NOTHING,
    };
  }

  #sample(text: string): GuestTarget {
    const found = this.#samples.get(text);
    if (found !== undefined) return found;
    const target = new GuestTarget(text, () => this.#samples.delete(text));
    this.#samples.set(text, target);
    return target;
  }
}

class GuestTarget implements Target {
  readonly suffix: string;
  readonly labels: string;
  value = 0;
  readonly shares: Set<Share> = new Set();
  readonly remove: () => void;

  constructor(text: string, remove: () => void) {
    const space = text.indexOf(' ');
    this.suffix = text.slice(0, space);
    this.labels = text.slice(space + 1);
    this.remove = remove;
  }

  write(value: number): void {
    this.value = value;
  }
}

/** One metric of the whole: the sum of the workers' counters and histograms, their gauges put together. */
import type { AcrossWorkers } from '../../catalogue.ts';
import { type Cell, Family } from '../family.ts';
import type { GuestFamily } from '../guests.ts';
import type { Gauges, Share, Target } from './gauges.ts';
import { readLabels } from './labels.ts';
import { CounterSink, HistogramSink, SampleSink, ShareSink, type Sink } from './sinks.ts';
import { type FamilyNote, figureAt, isCumulative } from './wire.ts';

/** Who a report is of: the labels that tell its gauges apart, each empty where it does not apply. */
export interface Place {
  readonly worker: string;
  readonly thread: string;
}

/** A metric that takes in series. */
export interface Whole {
  readonly note: FamilyNote;
  /** Undefined where it is full. */
  sink(labels: string, place: Place, order: number): Sink | undefined;
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
    if (kind === 'counter') return new CounterSink(this.family.bind(labels));
    if (kind === 'histogram') return new HistogramSink(this.family.bind(labels));
    if (isOfEach(workers)) {
      if (place.worker !== '') labels.worker = place.worker;
      if (place.thread !== '') labels.thread = place.thread;
    }
    if (workers === 'first') return this.#first(labels, order);
    const target = this.#target(labels);
    return new ShareSink(target, this.#gauges, workers, order);
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
      exemplar() {},
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

/** Samples of one metric that are kept: a guest has no budget, and what its workers counted stays when they are gone. */
const GUEST_SAMPLES = 100_000;

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

  sink(text: string, _place: Place, order: number): Sink | undefined {
    const { kind, workers } = this.note;
    const sample = this.#sample(text);
    if (sample === undefined) return undefined;
    if (!isCumulative(kind, sample.suffix)) return new ShareSink(sample, this.#gauges, workers, order);
    return new SampleSink(sample);
  }

  #sample(text: string): GuestTarget | undefined {
    const found = this.#samples.get(text);
    if (found !== undefined || this.#samples.size >= GUEST_SAMPLES) return found;
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

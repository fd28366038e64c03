/** Metrics of a user's own: typed labels, checked where they are written. */
import type { AcrossWorkers } from '../catalogue.ts';
import type { BoundCounter, BoundGauge, BoundHistogram, Labels } from '../signals.ts';
import type { Family } from './family.ts';

/** What a user defines a metric with. */
export interface InstrumentOptions<L extends string> {
  /** The whole Prometheus name: base unit and, for counters, `_total` at its end. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** How many label sets are kept apart before new ones fold into `_other`; 1,000 unless told. */
  readonly maxSeries?: number;
}

export interface GaugeOptions<L extends string> extends InstrumentOptions<L> {
  /**
   * What a scrape over several workers (`node:cluster`, threads) makes of it: the `sum` unless told, or `each` one's own,
   * told apart by the labels `worker` and `thread`.
   */
  readonly workers?: 'sum' | 'max' | 'min' | 'average' | 'each' | undefined;
}

export interface HistogramOptions<L extends string> extends InstrumentOptions<L> {
  /** Ascending upper bounds without `+Inf`; seconds from 5 ms to 10 s unless told. */
  readonly buckets?: readonly number[];
}

/** Arguments of a recording: the labels come first, and are left out where the metric has none. */
type Recording<L extends string, V extends unknown[]> = [L] extends [never] ? V : [labels: Labels<L>, ...V];

// `in out`: a metric is taken for one of exactly its labels; by its methods alone, one of two would pass for one of one.
export interface Counter<in out L extends string = never> {
  /** Adds 1, or a value not below 0. */
  inc(...args: Recording<L, [value?: number]>): void;
  /** Resolves a label set once, for hot paths. */
  bind(labels: Labels<L>): BoundCounter;
}

export interface Gauge<in out L extends string = never> {
  set(...args: Recording<L, [value: number]>): void;
  inc(...args: Recording<L, [value?: number]>): void;
  dec(...args: Recording<L, [value?: number]>): void;
  bind(labels: Labels<L>): BoundGauge;
}

export interface Histogram<in out L extends string = never> {
  observe(...args: Recording<L, [value: number]>): void;
  bind(labels: Labels<L>): BoundHistogram;
}

// `NoInfer`: labels come from the definition alone, and not from what its result is assigned to.
export interface Instruments {
  counter<const L extends string = never>(options: InstrumentOptions<L>): Counter<NoInfer<L>>;
  gauge<const L extends string = never>(options: GaugeOptions<L>): Gauge<NoInfer<L>>;
  histogram<const L extends string = never>(options: HistogramOptions<L>): Histogram<NoInfer<L>>;
}

const ACROSS: readonly unknown[] = ['sum', 'max', 'min', 'average', 'each', undefined];

/** What is told of each worker has its labels; a wrong word is a mistake in the program. */
export function checkWorkers(name: string, labels: readonly string[], workers: AcrossWorkers | undefined): void {
  if (!ACROSS.includes(workers)) {
    throw new TypeError(`metric ${name}: workers "${workers}" must be one of ${ACROSS.slice(0, -1).join(', ')}`);
  }
  const taken = workers === 'each' ? labels.find((label) => label === 'worker' || label === 'thread') : undefined;
  if (taken !== undefined)
    throw new TypeError(`metric ${name}: workers "each" adds the label ${taken}; name yours otherwise`);
}

/** Wraps a family as what its user calls it; all three kinds share one shape. */
export function toInstrument<L extends string>(family: Family<L>): Counter<L> & Gauge<L> & Histogram<L> {
  const bare = family.labelNames.length === 0;
  const split = (args: unknown[]): [Labels<L>, number | undefined] =>
    bare ? [{} as Labels<L>, args[0] as number | undefined] : [args[0] as Labels<L>, args[1] as number | undefined];
  const record =
    (method: 'inc' | 'dec' | 'set' | 'observe') =>
    (...args: unknown[]): void => {
      const [labels, value] = split(args);
      family.bind(labels ?? {})[method](value as number);
    };
  return {
    inc: record('inc'),
    dec: record('dec'),
    set: record('set'),
    observe: record('observe'),
    bind: (labels: Labels<L>) => family.bind(labels ?? {}),
  } as Counter<L> & Gauge<L> & Histogram<L>;
}

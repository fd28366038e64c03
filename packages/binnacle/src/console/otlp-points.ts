/** Points of metrics as OTLP has them, of whichever encoding, and an exponential histogram as an explicit one. */
import type { Attributes } from './wire.ts';

/** What a metric says of all its points. */
export interface MetricAbout {
  name: string;
  description: string;
  unit: string;
  /** Sums that only grow. */
  isMonotonic: boolean;
  /** Points say what came since the ones before; else since their start. */
  isDelta: boolean;
}

export interface PointExemplar {
  readonly value: number;
  /** Unix milliseconds. */
  readonly time: number;
  readonly traceId: string;
  readonly spanId: string;
}

interface AnyPoint {
  readonly attributes: Attributes;
  /** Since when it counts, as it was written; '' or '0' where it does not say. */
  readonly start: string;
  readonly exemplars: readonly PointExemplar[];
}

export type MetricPoint = AnyPoint & (NumberPoint | HistogramPoint | SummaryPoint);

export interface NumberPoint {
  readonly kind: 'sum' | 'gauge';
  readonly value: number;
}

export interface SummaryPoint {
  readonly kind: 'summary';
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

export interface HistogramPoint {
  readonly kind: 'histogram';
  readonly count: number;
  readonly sum: number;
  /** Upper bounds, ascending, without the last one, which is infinite. */
  readonly bounds: readonly number[];
  /** Of each bound, and of the infinite one; not cumulative. Empty where only the sum and the count are told. */
  readonly counts: readonly number[];
}

export interface Buckets {
  offset: number;
  counts: number[];
}

export interface ExponentialPoint {
  readonly count: number;
  readonly sum: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: Readonly<Buckets>;
  readonly negative: Readonly<Buckets>;
}

/** The most buckets of a histogram: a point with more is refused; of an exponential one the highest count as infinite. */
export const MOST_BUCKETS = 1000;
/** Exemplars of a point. */
export const MOST_EXEMPLARS = 16;
/** Quantiles of a summary. */
export const MOST_QUANTILES = 32;

/** Bounds are powers of two, and their middles: scale 1 (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponential-scale). */
const SCALE = 1;
/** What senders use of it: https://opentelemetry.io/docs/specs/otel/metrics/sdk/#base2-exponential-bucket-histogram-aggregation */
const LEAST_SCALE = -10;
const MOST_SCALE = 20;
const LOWEST = -20;
const HIGHEST = 30;
/** From about a millionth to about a thousand million: durations in seconds, sizes in bytes, tokens. */
const EXPONENTIAL_BOUNDS: readonly number[] = Array.from(
  { length: (HIGHEST - LOWEST) * 2 ** SCALE + 1 },
  (_, index) => 2 ** (LOWEST + index / 2 ** SCALE),
);

/**
 * With bounds that are the same for all points, so that they can be added: each bucket of the exponential one counts to the
 * least bound at or above its own, exactly where its scale is 1 or finer. Zeroes and what is below count to the first.
 */
export function toExplicit({ count, sum, scale, zeroCount, positive, negative }: ExponentialPoint): HistogramPoint {
  const counts = new Array<number>(EXPONENTIAL_BOUNDS.length + 1).fill(0);
  const width = 2 ** -Math.min(Math.max(scale, LEAST_SCALE), MOST_SCALE);
  counts[0] = zeroCount + negative.counts.reduce((all, one) => all + one, 0);
  positive.counts.forEach((one, index) => {
    // In powers of two: a value itself may be beyond what a number can be.
    const upper = (positive.offset + index + 1) * width;
    const place = Math.ceil((upper - LOWEST) * 2 ** SCALE);
    const at = Math.min(Math.max(place, 0), EXPONENTIAL_BOUNDS.length);
    counts[at] = (counts[at] as number) + one;
  });
  return { kind: 'histogram', count, sum, bounds: EXPONENTIAL_BOUNDS, counts };
}

/** Why a histogram is none; undefined where it is one. */
export function whyNotHistogram({ bounds, counts }: HistogramPoint): string | undefined {
  if (bounds.length > MOST_BUCKETS || counts.length > MOST_BUCKETS + 1) return `more than ${MOST_BUCKETS} buckets`;
  if (counts.length !== bounds.length + 1 && (counts.length > 0 || bounds.length > 0))
    return 'buckets that are not one more than their bounds';
  const isAscending = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] as number));
  return isAscending && bounds.every(Number.isFinite) ? undefined : 'bounds that do not ascend';
}

/** Cumulative counts at other bounds: each bucket counts to the least of them at or above its own. */
export function cumulativeAt(bounds: readonly number[], point: HistogramPoint): number[] {
  const cumulative: number[] = [];
  let at = 0;
  let count = 0;
  for (const bound of bounds) {
    while (at < point.bounds.length && (point.bounds[at] as number) <= bound) {
      count += point.counts[at] as number;
      at += 1;
    }
    cumulative.push(count);
  }
  return cumulative;
}

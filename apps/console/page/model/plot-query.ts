/** What a plot shows of a metric: lines over time. */
import { type Term, textMatches } from './filter.ts';
import type { Exemplar, Metrics, Series } from './metrics.ts';
import { quantile } from './quantile.ts';
import type { MetricFamily } from './wire.ts';

/** How a metric is read: as it is, as its rise a second, or as what its observations say. */
export const READINGS = ['value', 'rate', 'percentiles', 'p50', 'p95', 'p99', 'mean'] as const;
export type Reading = (typeof READINGS)[number];

export const READING_NAMES: Readonly<Record<Reading, string>> = {
  value: 'Value',
  rate: 'Rate per second',
  percentiles: 'p50, p95, p99',
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  mean: 'Mean',
};

const OF_TYPE: Readonly<Record<MetricFamily['type'], readonly [Reading, ...Reading[]]>> = {
  counter: ['rate', 'value'],
  gauge: ['value'],
  histogram: ['percentiles', 'p50', 'p95', 'p99', 'mean', 'rate'],
};
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

export function readingsOf(type: MetricFamily['type']): readonly [Reading, ...Reading[]] {
  return OF_TYPE[type];
}

export const RANGES = { '5m': 300_000, '15m': 900_000, '1h': 3_600_000 } as const;
export type Range = keyof typeof RANGES;

export interface PlotQuery {
  readonly family: MetricFamily;
  readonly reading: Reading;
  /** A line for each value of this label; without it one line for all, or for each series of a gauge. */
  readonly by?: string;
  readonly where: readonly Term[];
  readonly from: number;
  readonly to: number;
}

export interface PlotLine {
  readonly name: string;
  /** One for each of `times`; null where nobody knows. */
  readonly values: readonly (number | null)[];
}

export interface PlotData {
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
  /** Lines that are left out, being too many. */
  readonly more: number;
}

const POINTS = 150;
const MOST_LINES = 12;

export function matchingSeries(metrics: Metrics, { family, where }: Pick<PlotQuery, 'family' | 'where'>): Series[] {
  return metrics.of(family.name).filter(({ labels }) =>
    where.every(({ key, value, negated }) => {
      const found = key === undefined ? Object.values(labels).join(' ') : (labels[key] ?? '');
      return textMatches(found, value, key === undefined) !== negated;
    }),
  );
}

export function query(metrics: Metrics, { family, reading, by, where, from, to }: PlotQuery): PlotData {
  const step = (to - from) / POINTS;
  // Wide enough for the resolution that old samples have, and for a steady picture of what is rare.
  const window = Math.max(step * 4, to - from > 20 * 60_000 ? 120_000 : 10_000);
  const times = Array.from({ length: POINTS + 1 }, (_, at) => from + at * step);
  const groups = groupsOf(matchingSeries(metrics, { family, where }), by, family, reading);
  const lines = [...groups].flatMap(([name, series]) =>
    linesOf(name, series, { family, reading, times, window, metrics }),
  );
  const drawn = lines.filter(({ values }) => values.some((value) => value !== null));
  const ranked = drawn.length > MOST_LINES ? drawn.toSorted((one, other) => peak(other) - peak(one)) : drawn;
  return { times, lines: ranked.slice(0, MOST_LINES), more: Math.max(0, drawn.length - MOST_LINES) };
}

const peak = ({ values }: PlotLine): number => values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);

function groupsOf(
  series: readonly Series[],
  by: string | undefined,
  family: MetricFamily,
  reading: Reading,
): Map<string, Series[]> {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const apart = by === undefined && family.type === 'gauge' && reading === 'value';
    const name = by === undefined ? (apart ? labelText(one.labels) : '') : (one.labels[by] ?? '') || '(none)';
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  return groups;
}

/** Labels as they are written in PromQL, without the braces. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ');
}

interface Frame {
  readonly family: MetricFamily;
  readonly reading: Reading;
  readonly times: readonly number[];
  readonly window: number;
  readonly metrics: Metrics;
}

function linesOf(name: string, series: readonly Series[], frame: Frame): PlotLine[] {
  const { family, reading, times, metrics } = frame;
  const inside = (time: number): boolean => time >= metrics.oldest - 2000 && time <= metrics.newest + 5000;
  if (reading === 'value') {
    const values = times.map((time) => (inside(time) ? sumAt(series, time) : null));
    return [{ name: name || family.name, values }];
  }
  const risen = times.map((time) => (inside(time) ? riseOf(series, time - frame.window, time) : undefined));
  if (reading === 'percentiles') {
    return Object.entries(QUANTILES).map(([word, q]) => ({
      name: name === '' ? word : `${word} ${name}`,
      values: risen.map((rise) => quantileOfRise(q, family, rise)),
    }));
  }
  return [
    { name: name || READING_NAMES[reading], values: risen.map((rise) => oneOf(reading, family, frame.window, rise)) },
  ];
}

function oneOf(reading: Reading, family: MetricFamily, window: number, rise: number[] | undefined): number | null {
  if (rise === undefined) return null;
  if (reading === 'rate') return ((family.type === 'histogram' ? rise[1] : rise[0]) ?? 0) / (window / 1000);
  if (reading === 'mean') return (rise[1] ?? 0) > 0 ? (rise[0] ?? 0) / (rise[1] as number) : null;
  return quantileOfRise(QUANTILES[reading as keyof typeof QUANTILES], family, rise);
}

function quantileOfRise(q: number, { bounds = [] }: MetricFamily, rise: number[] | undefined): number | null {
  if (rise === undefined) return null;
  const [, count = 0, ...cumulative] = rise;
  const value = quantile(q, bounds, [...cumulative.slice(0, bounds.length), count]);
  return Number.isNaN(value) ? null : value;
}

function sumAt(series: readonly Series[], time: number): number | null {
  let sum: number | null = null;
  for (const one of series) {
    const value = one.at(time)?.[0];
    if (value !== undefined) sum = (sum ?? 0) + value;
  }
  return sum;
}

function riseOf(series: readonly Series[], from: number, to: number): number[] | undefined {
  let sum: number[] | undefined;
  for (const one of series) {
    const rise = one.rise(from, to);
    if (rise === undefined) continue;
    if (sum === undefined) sum = rise;
    else for (const [place, value] of rise.entries()) sum[place] = (sum[place] ?? 0) + value;
  }
  return sum;
}

/** The same question for Prometheus. */
export function promql({ family: { name, type }, reading, by, where }: Omit<PlotQuery, 'from' | 'to'>): string {
  const labels = where.filter(({ key }) => key !== undefined).map(selector);
  const select = (suffix: string): string => `${name}${suffix}${labels.length === 0 ? '' : `{${labels.join(', ')}}`}`;
  const sum = (of: string, ...more: string[]): string => {
    const names = [...more, ...(by === undefined ? [] : [by])];
    return names.length === 0 ? `sum(${of})` : `sum by (${names.join(', ')}) (${of})`;
  };
  if (type === 'histogram') {
    if (reading === 'rate') return sum(`rate(${select('_count')}[5m])`);
    if (reading === 'mean') return `${sum(`rate(${select('_sum')}[5m])`)} / ${sum(`rate(${select('_count')}[5m])`)}`;
    const q = reading === 'percentiles' ? 0.95 : QUANTILES[reading as keyof typeof QUANTILES];
    return `histogram_quantile(${q}, ${sum(`rate(${select('_bucket')}[5m])`, 'le')})`;
  }
  if (reading === 'rate') return sum(`rate(${select('')}[5m])`);
  return by === undefined ? select('') : sum(select(''));
}

function selector({ key = '', value, negated }: Term): string {
  if (!value.includes('*')) return `${key}${negated ? '!=' : '='}"${quoted(value)}"`;
  const pattern = value
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
  return `${key}${negated ? '!~' : '=~'}"${quoted(pattern)}"`;
}

function quoted(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

export interface PlacedExemplar extends Exemplar {
  readonly labels: Readonly<Record<string, string>>;
}

/** The exemplars of what is plotted, newest first. */
export function exemplarsOf(series: readonly Series[], from: number, to: number): PlacedExemplar[] {
  return series
    .flatMap(({ exemplars, labels }) => exemplars.map((one) => ({ ...one, labels })))
    .filter(({ time }) => time >= from && time <= to)
    .sort((one, other) => other.time - one.time);
}

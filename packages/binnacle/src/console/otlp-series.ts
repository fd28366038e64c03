/**
 * Points of metrics as the console's series: one for each name, labels and service. Runs of a service, and its replicas, are
 * put together, so that a counter goes on where the process was started again: what each has grown by is added.
 */
import type { Exemplar, MetricsHistory } from './metrics-history.ts';
import type { Origin } from './otlp-envelope.ts';
import {
  cumulativeAt,
  type HistogramPoint,
  type MetricAbout,
  type MetricPoint,
  type NumberPoint,
  type SummaryPoint,
  whyNotHistogram,
} from './otlp-points.ts';
import { labelsOf, metricName, unitName } from './prometheus-names.ts';
import type { MetricFamily, TelemetryMoment } from './wire.ts';

/** The most of a metric's help, in characters. */
const HELP = 500;
/** Processes whose last values a series keeps to tell what they have grown by. */
const SOURCES = 16;
/** What all series may take here, and one beside its key and its numbers, in bytes. */
const BYTES = 16 * 1024 * 1024;
const SERIES_BYTES = 200;
/** Exemplars that wait to be recorded. */
const EXEMPLARS = 1000;
/** Names of metrics that are remembered. */
const FAMILIES = 2000;

interface Series {
  readonly id: number;
  /** As `MetricsUpdate` has its values, without the series. */
  readonly totals: number[];
  /** What each process said last; the one that was heard of longest ago first. */
  readonly sources: Map<string, readonly number[]>;
}

type Labels = Readonly<Record<string, string>>;

export class SeriesIntake {
  readonly #history: MetricsHistory;
  readonly #families = new Map<string, MetricFamily>();
  readonly #series = new Map<string, Series>();
  /** Those with a value that is not recorded yet. */
  readonly #changed = new Set<Series>();
  #exemplars: Exemplar[] = [];
  #bytes = 0;
  /** Series by metric, and those that were refused. */
  readonly #counts = new Map<string, { count: number; refused: number }>();

  constructor(history: MetricsHistory) {
    this.#history = history;
  }

  /** Whether something waits for `flush`. */
  get waits(): boolean {
    return this.#changed.size > 0;
  }

  /** Takes a point; says why not where it is refused. */
  take(about: Readonly<MetricAbout>, point: MetricPoint, origin: Origin): string | undefined {
    if (about.name === '') return 'a metric without a name';
    switch (point.kind) {
      case 'gauge':
        return this.#set(about, point.value, point, origin);
      case 'sum':
        if (about.isMonotonic) return this.#count(about, point, origin);
        if (!about.isDelta) return this.#set(about, point.value, point, origin);
        return this.#add(this.#familyOf(about, 'gauge'), [point.value], about, point, origin);
      case 'histogram':
        return this.#observe(about, point, origin);
      case 'summary':
        return this.#summarize(about, point, origin);
    }
  }

  /** Records what came since the last time, as of `time` in Unix ms. */
  flush(time: number): void {
    const values = [...this.#changed].map(({ id, totals }) => [id, ...totals]);
    this.#changed.clear();
    const exemplars = this.#exemplars;
    this.#exemplars = [];
    if (values.length > 0) this.#history.record(time, values, exemplars);
  }

  /** The metrics with most series. */
  largest(most: number): TelemetryMoment['series'] {
    const budget = this.#history.bounds.series;
    return [...this.#counts]
      .map(([metric, { count, refused }]) => ({ metric, count, budget, folded: refused }))
      .sort((a, b) => b.count - a.count)
      .slice(0, most);
  }

  #set(about: MetricAbout, value: number, point: MetricPoint, origin: Origin): string | undefined {
    // A gauge without a value says nothing, which is no fault.
    if (!Number.isFinite(value)) return undefined;
    const series = this.#seriesOf(this.#familyOf(about, 'gauge'), labelsOf(point.attributes, origin.service));
    if (typeof series === 'string') return series;
    series.totals[0] = value;
    this.#told(series, point);
    return undefined;
  }

  #count(about: MetricAbout, point: MetricPoint & NumberPoint, origin: Origin): string | undefined {
    if (!(point.value >= 0)) return 'a count below 0';
    return this.#add(this.#familyOf(about, 'counter'), [point.value], about, point, origin);
  }

  #observe(about: MetricAbout, point: MetricPoint & HistogramPoint, origin: Origin): string | undefined {
    const why = whyNotHistogram(point);
    if (why !== undefined) return why;
    const family = this.#familyOf(about, 'histogram', point.bounds);
    const cumulative = cumulativeAt(family.bounds ?? [], point);
    // It may be left out where values below 0 are observed.
    const sum = Number.isFinite(point.sum) ? point.sum : 0;
    return this.#add(family, [sum, point.count, ...cumulative], about, point, origin);
  }

  /** As Prometheus has it: a gauge by quantile, and two counters. */
  #summarize(about: MetricAbout, point: MetricPoint & SummaryPoint, origin: Origin): string | undefined {
    const gauge = this.#familyOf(about, 'gauge', undefined, '');
    for (const { quantile, value } of point.quantiles) {
      if (!Number.isFinite(value)) continue;
      const labels = { ...labelsOf(point.attributes, origin.service), quantile: String(quantile) };
      const series = this.#seriesOf(gauge, labels);
      if (typeof series === 'string') return series;
      series.totals[0] = value;
      this.#told(series, point);
    }
    const whole = { ...about, isDelta: false };
    return (
      this.#add(this.#familyOf(about, 'counter', undefined, '_sum'), [point.sum], whole, point, origin) ??
      this.#add(this.#familyOf(about, 'counter', undefined, '_count'), [point.count], whole, point, origin)
    );
  }

  /** Adds what a process has counted since it was heard of last. */
  #add(
    family: MetricFamily,
    values: readonly number[],
    about: MetricAbout,
    point: MetricPoint,
    origin: Origin,
  ): string | undefined {
    if (!values.every(Number.isFinite)) return 'a number that is not finite';
    const series = this.#seriesOf(family, labelsOf(point.attributes, origin.service), values.length);
    if (typeof series === 'string') return series;
    const before = about.isDelta ? undefined : this.#lastOf(series, point, origin, values);
    // What has become less has begun again. A histogram's sum may fall: its count tells.
    const place = values.length > 1 ? 1 : 0;
    const goesOn = before !== undefined && (values[place] as number) >= (before[place] as number);
    const base = goesOn ? before : [];
    values.forEach((value, index) => {
      series.totals[index] = (series.totals[index] as number) + value - (base[index] ?? 0);
    });
    this.#told(series, point);
    return undefined;
  }

  /** What this process said before; now it says `values`. */
  #lastOf(
    { sources }: Series,
    { start }: MetricPoint,
    { attributes, scope }: Origin,
    values: readonly number[],
  ): readonly number[] | undefined {
    const source = `${attributes['service.instance.id']}\n${scope}\n${start}`;
    const before = sources.get(source);
    sources.delete(source);
    sources.set(source, values);
    if (sources.size > SOURCES) sources.delete(sources.keys().next().value as string);
    return before;
  }

  #told(series: Series, point: MetricPoint): void {
    this.#changed.add(series);
    for (const exemplar of point.exemplars) {
      if (this.#exemplars.length >= EXEMPLARS) return;
      this.#exemplars.push({ ...exemplar, series: series.id });
    }
  }

  /** The series, or why there is none. */
  #seriesOf(family: MetricFamily, labels: Labels, width = 1): Series | string {
    const key = `${family.type}\n${family.name}\n${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known.totals.length === width ? known : 'a metric of two kinds by one name';
    const bytes = SERIES_BYTES + key.length * 2 + width * 8 * (SOURCES + 1);
    const id = this.#bytes + bytes <= BYTES ? this.#history.seriesOf(family, labels) : undefined;
    const counts = this.#countsOf(family.name);
    if (id === undefined) {
      counts.refused += 1;
      return 'more series than are kept, or a metric of two kinds by one name';
    }
    counts.count += 1;
    this.#bytes += bytes;
    const series = { id, totals: new Array<number>(width).fill(0), sources: new Map() };
    this.#series.set(key, series);
    return series;
  }

  #countsOf(name: string): { count: number; refused: number } {
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    const counts = { count: 0, refused: 0 };
    if (this.#counts.size < FAMILIES) this.#counts.set(name, counts);
    return counts;
  }

  /** What the name said first: later bounds are told by those. */
  #familyOf(
    { name, unit, description }: MetricAbout,
    type: MetricFamily['type'],
    bounds?: readonly number[],
    suffix?: string,
  ): MetricFamily {
    // A summary's counters have its own name, and an ending.
    const written = suffix === undefined ? metricName(name, unit, type) : metricName(name, unit, 'histogram') + suffix;
    const key = `${type}\n${written}`;
    const known = this.#families.get(key);
    if (known !== undefined) return known;
    const unitWritten = unitName(unit);
    const family: MetricFamily = {
      name: written,
      type,
      help: description.slice(0, HELP),
      ...(unitWritten !== undefined && { unit: unitWritten }),
      ...(bounds !== undefined && { bounds }),
    };
    if (this.#families.size < FAMILIES) this.#families.set(key, family);
    return family;
  }
}

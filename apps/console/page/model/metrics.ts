/** The last hour of all metrics, thinned with age as the server thins it. */
import type { MetricFamily, MetricSeries, MetricsUpdate } from './wire.ts';

const MINUTE = 60_000;
export const HISTORY_MS: number = 60 * MINUTE;
const SERIES_LIMIT = 10_000;
const EXEMPLARS_A_SERIES = 40;
/** Numbers in all samples together, at 8 bytes each. */
const NUMBER_LIMIT = 4_000_000;
/** How close two samples may be that are older than `age`, both in milliseconds. */
const THINNING = [
  { age: 15 * MINUTE, step: 60_000 },
  { age: 5 * MINUTE, step: 10_000 },
] as const;

export interface Exemplar {
  readonly value: number;
  readonly time: number;
  readonly traceId: string;
  readonly spanId: string;
}

/** `[value]` of a counter or gauge; `[sum, count, …cumulative counts by bound]` of a histogram. */
export type Sample = readonly number[];

export class Series {
  readonly id: number;
  readonly family: MetricFamily;
  readonly labels: Readonly<Record<string, string>>;
  /** It was not there when the page came: what it counts, it counts from 0. */
  readonly late: boolean;
  times: number[] = [];
  samples: Sample[] = [];
  exemplars: Exemplar[] = [];

  constructor({ id, labels }: MetricSeries, family: MetricFamily, late: boolean) {
    this.id = id;
    this.family = family;
    this.labels = labels;
    this.late = late;
  }

  get last(): Sample | undefined {
    return this.samples.at(-1);
  }

  /** The place of the last sample at or before a moment; -1 before the first. */
  indexAt(time: number): number {
    let [low, high] = [0, this.times.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] as number) <= time) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** What was true at a moment; undefined where nobody knows. */
  at(time: number): Sample | undefined {
    return this.samples[this.indexAt(time)];
  }

  /**
   * By how much each number rose from one moment to another, where a count that fell began again at 0; undefined where
   * there are no two moments to compare.
   */
  rise(from: number, to: number): number[] | undefined {
    let at = this.indexAt(from);
    const end = this.indexAt(to);
    if (end < 0) return undefined;
    let before = this.samples[at];
    if (before === undefined) {
      if (this.late) before = (this.samples[0] as Sample).map(() => 0);
      else {
        at = 0;
        before = this.samples[0] as Sample;
        if (end === 0) return undefined;
      }
    }
    const counted = this.family.type === 'histogram' ? 1 : 0;
    const risen = before.map(() => 0);
    for (let next = at + 1; next <= end; next += 1) {
      const now = this.samples[next] as Sample;
      const again = (now[counted] ?? 0) < (before[counted] ?? 0);
      for (let place = 0; place < risen.length; place += 1) {
        risen[place] = (risen[place] as number) + (now[place] ?? 0) - (again ? 0 : (before[place] ?? 0));
      }
      before = now;
    }
    return risen;
  }
}

export class Metrics {
  version = 0;
  /** Of the newest update, and of the first that is held; 0 before there is any. */
  newest = 0;
  oldest = 0;
  readonly families = new Map<string, MetricFamily>();
  readonly #series = new Map<number, Series>();
  readonly #byFamily = new Map<string, Series[]>();
  #numbers = 0;
  #thinned = 0;
  #keepMs: number = HISTORY_MS;

  get seriesCount(): number {
    return this.#series.size;
  }

  add({ time, families = [], series = [], values, exemplars = [] }: MetricsUpdate): void {
    for (const family of families) this.families.set(family.name, family);
    for (const one of series) this.#addSeries(one);
    for (const [id = -1, ...sample] of values) this.#addSample(id, time, sample);
    for (const { series: id, ...exemplar } of exemplars) {
      const found = this.#series.get(id);
      if (found === undefined) continue;
      found.exemplars.push(exemplar);
      if (found.exemplars.length > EXEMPLARS_A_SERIES) found.exemplars.shift();
    }
    if (this.oldest === 0) this.oldest = time;
    this.newest = Math.max(this.newest, time);
    if (this.newest - this.#thinned >= MINUTE || this.#numbers > NUMBER_LIMIT) this.#thin();
    this.version += 1;
  }

  clear(): void {
    this.families.clear();
    this.#series.clear();
    this.#byFamily.clear();
    [this.newest, this.oldest, this.#numbers, this.#thinned] = [0, 0, 0, 0];
    this.#keepMs = HISTORY_MS;
    this.version += 1;
  }

  of(family: string): readonly Series[] {
    return this.#byFamily.get(family) ?? [];
  }

  /** The first of these that there is, by its whole name or by its end (`…_requests_total` of any namespace). */
  find(...names: string[]): string | undefined {
    for (const name of names) {
      if (this.families.has(name)) return name;
      for (const other of this.families.keys()) if (other.endsWith(`_${name}`)) return other;
    }
    return undefined;
  }

  /** The sum of the newest values of a family; of those of a histogram their counts. Undefined where there is none. */
  now(family: string | undefined, labels: Readonly<Record<string, string>> = {}): number | undefined {
    let sum: number | undefined;
    for (const one of family === undefined ? [] : this.of(family)) {
      if (!hasLabels(one, labels)) continue;
      const value = one.last?.[one.family.type === 'histogram' ? 1 : 0];
      if (value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  }

  #addSeries(one: MetricSeries): void {
    const family = this.families.get(one.family);
    if (family === undefined || this.#series.has(one.id) || this.#series.size >= SERIES_LIMIT) return;
    const late = this.oldest > 0 && this.newest - this.oldest > 0;
    const made = new Series(one, family, late);
    this.#series.set(one.id, made);
    const others = this.#byFamily.get(family.name);
    if (others === undefined) this.#byFamily.set(family.name, [made]);
    else others.push(made);
  }

  #addSample(id: number, time: number, sample: number[]): void {
    const found = this.#series.get(id);
    if (found === undefined || sample.length === 0) return;
    // What comes again after a break is not counted twice.
    if (time < (found.times.at(-1) ?? 0)) return;
    found.times.push(time);
    found.samples.push(sample);
    this.#numbers += sample.length + 1;
  }

  #thin(): void {
    if (this.#numbers > NUMBER_LIMIT) this.#keepMs = Math.max(5 * MINUTE, this.#keepMs / 2);
    this.#thinned = this.newest;
    this.oldest = Math.max(this.oldest, this.newest - this.#keepMs);
    this.#numbers = 0;
    for (const series of this.#series.values()) {
      thin(series, this.newest, this.#keepMs);
      for (const sample of series.samples) this.#numbers += sample.length + 1;
    }
  }
}

function hasLabels({ labels }: Series, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => (labels[name] ?? '') === value);
}

/** The last sample before what is kept stays, since a value holds until the next one. */
function thin(series: Series, now: number, keepMs: number): void {
  const times: number[] = [];
  const samples: Sample[] = [];
  for (let at = 0; at < series.times.length; at += 1) {
    const time = series.times[at] as number;
    const next = series.times[at + 1];
    if (next !== undefined && next < now - keepMs) continue;
    const step = THINNING.find(({ age }) => now - time > age)?.step ?? 0;
    const before = times.at(-1);
    // Of each step the last sample is kept, so that what follows rises from where it ended.
    if (before !== undefined && step > 0 && Math.floor(before / step) === Math.floor(time / step)) {
      times.pop();
      samples.pop();
    }
    times.push(time);
    samples.push(series.samples[at] as Sample);
  }
  series.times = times;
  series.samples = samples;
  series.exemplars = series.exemplars.filter(({ time }) => time >= now - keepMs);
}

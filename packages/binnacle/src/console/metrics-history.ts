/**
 * The last hour of metrics, at a resolution that thins with age: every moment holds the values that changed since the
 * one before, and moments that grow old are put together, the later value of a series winning. So the oldest one always
 * says all that was known at the beginning.
 */
import type { MetricFamily, MetricSeries, MetricsUpdate } from './wire.ts';

export interface MetricsBounds {
  /** Series that are kept; further ones are left out, and counted. */
  readonly series: number;
  /** Of moments, families and series, as counted here. */
  readonly bytes: number;
}

export type Exemplar = NonNullable<MetricsUpdate['exemplars']>[number];

/** Where a reader stands. */
export interface MetricsCursor {
  /** Families and series that it knows, as many of the first. */
  families: number;
  series: number;
  /** The last moment that it was told whole. */
  moment: number;
  /** Series of the next one that it was told. */
  within: number;
}

/** From which age on, in milliseconds, moments that fall into the same so many milliseconds are put together. */
const TIERS: readonly { readonly age: number; readonly step: number }[] = [
  { age: 60 * 60_000, step: Number.POSITIVE_INFINITY },
  { age: 20 * 60_000, step: 60_000 },
  { age: 5 * 60_000, step: 10_000 },
];
/** The most of one update: series, and numbers of their values. */
const UPDATE_SERIES = 500;
const UPDATE_NUMBERS = 10_000;
/** Numbers of one series: a histogram with more bounds is left out. */
const MOST_NUMBERS = 1000;
/** Exemplars of a series in one moment. */
const EXEMPLARS = 4;
/** Bytes that are counted for an exemplar, and for a family, a series or a moment beside its texts and numbers. */
const EXEMPLAR_BYTES = 200;
const ENTRY_BYTES = 200;

interface Moment {
  readonly number: number;
  readonly time: number;
  /** Series, and their values one after another. */
  readonly ids: Uint32Array;
  readonly values: Float64Array;
  readonly exemplars: readonly Exemplar[];
}

export class MetricsHistory {
  readonly bounds: MetricsBounds;
  /** Moments that were put together for want of room, and series that were left out. */
  evicted = 0;
  #bytes = 0;
  readonly #families: MetricFamily[] = [];
  readonly #familyNames = new Map<string, MetricFamily>();
  readonly #series: MetricSeries[] = [];
  readonly #byKey = new Map<string, number>();
  /** Numbers of each series, and what they were last. */
  readonly #widths: number[] = [];
  readonly #last: Float64Array[] = [];
  /** The oldest first. */
  #moments: Moment[] = [];
  #number = 0;

  constructor(bounds: MetricsBounds) {
    this.bounds = bounds;
  }

  /** Series that are held. */
  get count(): number {
    return this.#series.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Moments that are held. */
  get moments(): number {
    return this.#moments.length;
  }

  /** The time of the latest moment, in Unix milliseconds. */
  get latest(): number | undefined {
    return this.#moments.at(-1)?.time;
  }

  /**
   * The number of a series, which its first use makes; undefined, and counted, past the bound. Whoever asks often keeps
   * it. A family is what its name said first; one of another type or other bounds by the same name is left out.
   */
  seriesOf(family: MetricFamily, labels: Readonly<Record<string, string>>): number | undefined {
    const key = `${family.name}\n${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
    const before = this.#familyNames.get(family.name);
    const isOther = before !== undefined && !isAlike(before, family);
    const known = this.#byKey.get(key);
    if (known !== undefined && !isOther) return known;
    const width = family.type === 'histogram' ? 2 + (family.bounds?.length ?? 0) : 1;
    const bytes = ENTRY_BYTES + key.length * 4 + width * 8;
    const isTooMuch = this.#series.length >= this.bounds.series || bytes > this.bounds.bytes / 100;
    if (isTooMuch || width > MOST_NUMBERS || isOther) {
      this.evicted += 1;
      return undefined;
    }
    if (before === undefined) this.#addFamily(family);
    const id = this.#series.length;
    this.#series.push({ id, family: family.name, labels });
    this.#byKey.set(key, id);
    this.#widths.push(width);
    this.#last.push(new Float64Array(width).fill(Number.NaN));
    this.#bytes += bytes;
    return id;
  }

  /**
   * Takes the values of a moment, in `MetricsUpdate`'s form; those that did not change need not be among them. A value
   * with a number that is not finite, or of another length than its series', is left out. A moment of another's time, or
   * from before it (a clock that was set back), becomes one with it.
   */
  record(time: number, values: readonly (readonly number[])[], exemplars: readonly Exemplar[] = []): void {
    const changed = values.filter((value) => this.#isChange(value));
    const known = exemplars.filter(({ series }) => this.#series[series] !== undefined);
    let moment = this.#pack(time, changed, known);
    this.#bytes += bytesOf(moment);
    while ((this.#moments.at(-1)?.time ?? Number.NEGATIVE_INFINITY) >= time)
      moment = this.#merged(this.#moments.pop() as Moment, moment);
    this.#moments.push(moment);
    this.#thin(time);
    while (this.#bytes > this.bounds.bytes && this.#moments.length > 1) {
      this.#mergeAt(0);
      this.evicted += 1;
    }
  }

  /** A reader that was told nothing. */
  begin(): MetricsCursor {
    return { families: 0, series: 0, moment: 0, within: 0 };
  }

  /** What a reader is to be told next, and moves it on; undefined where there is nothing new. */
  next(cursor: MetricsCursor): MetricsUpdate | undefined {
    const names = this.#nextNames(cursor);
    if (names !== undefined) return names;
    const moment = this.#moments.find(({ number }) => number > cursor.moment);
    if (moment === undefined) return undefined;
    const values: number[][] = [];
    let at = 0;
    let numbers = 0;
    let index = 0;
    for (; index < moment.ids.length && values.length < UPDATE_SERIES && numbers < UPDATE_NUMBERS; index += 1) {
      const id = moment.ids[index] as number;
      const width = this.#widths[id] as number;
      if (index >= cursor.within) {
        values.push([id, ...moment.values.subarray(at, at + width)]);
        numbers += width;
      }
      at += width;
    }
    const isWhole = index === moment.ids.length;
    cursor.within = isWhole ? 0 : index;
    if (!isWhole) return { time: moment.time, values };
    cursor.moment = moment.number;
    return { time: moment.time, values, ...(moment.exemplars.length > 0 && { exemplars: moment.exemplars }) };
  }

  /** Whether a reader from an earlier connection may go on from there. */
  canResume({ families, series, moment }: Omit<MetricsCursor, 'within'>): boolean {
    return families <= this.#families.length && series <= this.#series.length && moment <= this.#number;
  }

  #nextNames(cursor: MetricsCursor): MetricsUpdate | undefined {
    if (cursor.families === this.#families.length && cursor.series === this.#series.length) return undefined;
    const families = this.#families.slice(cursor.families, cursor.families + UPDATE_SERIES);
    cursor.families += families.length;
    // A series is told of after its family.
    const isAll = cursor.families === this.#families.length;
    const series = isAll ? this.#series.slice(cursor.series, cursor.series + UPDATE_SERIES) : [];
    cursor.series += series.length;
    return {
      time: this.#moments[0]?.time ?? 0,
      ...(families.length > 0 && { families }),
      ...(series.length > 0 && { series }),
      values: [],
    };
  }

  #addFamily(family: MetricFamily): void {
    this.#families.push(family);
    this.#familyNames.set(family.name, family);
    this.#bytes += ENTRY_BYTES + (family.name.length + family.help.length) * 2 + (family.bounds?.length ?? 0) * 8;
  }

  #isChange(value: readonly number[]): boolean {
    const last = this.#last[value[0] as number];
    if (last === undefined || value.length !== last.length + 1) return false;
    let changed = false;
    for (let i = 0; i < last.length; i += 1) {
      const number = value[i + 1] as number;
      if (!Number.isFinite(number)) return false;
      if (number !== last[i]) changed = true;
    }
    if (changed) last.set(value.slice(1));
    return changed;
  }

  #pack(time: number, values: readonly (readonly number[])[], exemplars: readonly Exemplar[]): Moment {
    const ids = new Uint32Array(values.length);
    const packed = new Float64Array(values.reduce((sum, value) => sum + value.length - 1, 0));
    let at = 0;
    values.forEach((value, index) => {
      ids[index] = value[0] as number;
      packed.set(value.slice(1), at);
      at += value.length - 1;
    });
    this.#number += 1;
    return { number: this.#number, time, ids, values: packed, exemplars };
  }

  /** Two moments as one: the later one's values, and those of the earlier one that it has none of. */
  #merged(earlier: Moment, later: Moment): Moment {
    const told = new Set(later.ids);
    const kept: { readonly index: number; readonly at: number; readonly width: number }[] = [];
    let at = 0;
    let size = later.values.length;
    earlier.ids.forEach((id, index) => {
      const width = this.#widths[id] as number;
      if (!told.has(id)) {
        kept.push({ index, at, width });
        size += width;
      }
      at += width;
    });
    const ids = new Uint32Array(kept.length + later.ids.length);
    const values = new Float64Array(size);
    let to = 0;
    kept.forEach(({ index, at: from, width }, place) => {
      ids[place] = earlier.ids[index] as number;
      values.set(earlier.values.subarray(from, from + width), to);
      to += width;
    });
    ids.set(later.ids, kept.length);
    values.set(later.values, to);
    const merged = { ...later, ids, values, exemplars: latestOf(earlier.exemplars, later.exemplars) };
    this.#bytes += bytesOf(merged) - bytesOf(earlier) - bytesOf(later);
    return merged;
  }

  #mergeAt(index: number): void {
    const [earlier, later] = this.#moments.slice(index, index + 2) as [Moment, Moment];
    this.#moments.splice(index, 2, this.#merged(earlier, later));
  }

  /** Puts neighbours together that are old enough, and fall into the same time. */
  #thin(now: number): void {
    for (let index = this.#moments.length - 2; index >= 0; index -= 1) {
      const [earlier, later] = this.#moments.slice(index, index + 2) as [Moment, Moment];
      const tier = TIERS.find(({ age }) => now - later.time >= age);
      if (tier !== undefined && Math.floor(earlier.time / tier.step) === Math.floor(later.time / tier.step))
        this.#mergeAt(index);
    }
  }
}

function bytesOf({ ids, values, exemplars }: Moment): number {
  return ENTRY_BYTES + ids.byteLength + values.byteLength + exemplars.length * EXEMPLAR_BYTES;
}

function latestOf(earlier: readonly Exemplar[], later: readonly Exemplar[]): readonly Exemplar[] {
  if (earlier.length === 0) return later;
  const counts = new Map<number, number>();
  return [...earlier, ...later]
    .reverse()
    .filter(({ series }) => {
      const count = (counts.get(series) ?? 0) + 1;
      counts.set(series, count);
      return count <= EXEMPLARS;
    })
    .reverse();
}

function isAlike({ type, bounds = [] }: MetricFamily, other: MetricFamily): boolean {
  const { bounds: others = [] } = other;
  return (
    type === other.type && bounds.length === others.length && bounds.every((bound, index) => bound === others[index])
  );
}

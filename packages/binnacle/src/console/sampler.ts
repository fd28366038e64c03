/** Looks at the registry every two seconds, and hands what changed to the history. */
import type { Cell, Family } from '../metrics/family.ts';
import type { GuestFamily } from '../metrics/guests.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Clock } from '../signals.ts';
import { seriesOfGuest } from './guest-series.ts';
import { parseLabels } from './labels.ts';
import type { Exemplar, MetricsHistory } from './metrics-history.ts';
import type { MetricFamily } from './wire.ts';

/** The time between two looks, in milliseconds. */
export const SAMPLE_MS = 2000;
/** Of a series that is left out. */
const NONE = -1;
/** Series of guests whose numbers are remembered. */
const GUESTS = 4000;
/** The base unit at the end of a metric's name (https://prometheus.io/docs/practices/naming/#base-units). */
const UNIT = /_(seconds|bytes|ratio|usd|meters|volts|amperes|joules|grams|celsius)(?:_total)?$/;

export interface SamplerOptions {
  readonly registry: Pick<Registry, 'look'>;
  readonly history: MetricsHistory;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #cells = new WeakMap<Cell, number>();
  readonly #guests = new Map<string, number>();
  readonly #families = new WeakMap<Family, MetricFamily>();
  /** Exemplars up to here were told. */
  #toldUntil = 0;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Looks now, and from now on. */
  async start(): Promise<void> {
    await this.sample();
    if (this.#closed) return;
    this.#cancel = this.#options.clock.setTimer(() => void this.start(), SAMPLE_MS);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  /** One look. Never rejects. */
  async sample(): Promise<void> {
    const { registry, history, clock, onFault } = this.#options;
    try {
      const { families, guests } = await registry.look();
      const exemplars: Exemplar[] = [];
      const values = [
        ...families.flatMap((family) => this.#readFamily(family, exemplars)),
        ...guests.flatMap((guest) => this.#readGuest(guest)),
      ];
      this.#toldUntil = exemplars.reduce((latest, { time }) => Math.max(latest, time), this.#toldUntil);
      history.record(clock.wall(), values, exemplars);
    } catch (error) {
      onFault(error);
    }
  }

  #readFamily(family: Family, exemplars: Exemplar[]): number[][] {
    const values: number[][] = [];
    for (const cell of family.cells()) {
      const series = this.#numberOf(family, cell);
      if (series === NONE) continue;
      if (family.kind !== 'histogram') {
        values.push([series, cell.value]);
        continue;
      }
      values.push(toHistogram(series, cell));
      for (const exemplar of cell.exemplars ?? []) {
        if (exemplar === undefined || exemplar.at <= this.#toldUntil) continue;
        const { value, at, traceId, spanId } = exemplar;
        exemplars.push({ series, value, time: at, traceId, spanId });
      }
    }
    return values;
  }

  #readGuest(guest: GuestFamily): number[][] {
    return seriesOfGuest(guest).flatMap(({ family, labels, value }) => {
      const key = `${family.name}\n${JSON.stringify(labels)}`;
      let series = this.#guests.get(key);
      if (series === undefined) {
        if (this.#guests.size >= GUESTS) return [];
        series = this.#options.history.seriesOf(family, labels) ?? NONE;
        this.#guests.set(key, series);
      }
      return series === NONE ? [] : [[series, ...value]];
    });
  }

  #numberOf(family: Family, cell: Cell): number {
    const known = this.#cells.get(cell);
    if (known !== undefined) return known;
    const made = this.#options.history.seriesOf(this.#familyOf(family), parseLabels(cell.labels)) ?? NONE;
    this.#cells.set(cell, made);
    return made;
  }

  #familyOf(family: Family): MetricFamily {
    const known = this.#families.get(family);
    if (known !== undefined) return known;
    const { name, kind, help, buckets } = family;
    const unit = UNIT.exec(name)?.[1];
    const made: MetricFamily = {
      name,
      type: kind,
      help,
      ...(unit !== undefined && { unit }),
      ...(kind === 'histogram' && { bounds: buckets }),
    };
    this.#families.set(family, made);
    return made;
  }
}

function toHistogram(series: number, { sum, counts }: Cell): number[] {
  const value = [series, sum, 0];
  let count = 0;
  // The last bucket, `+Inf`, is the count.
  counts.forEach((inBucket, index) => {
    count += inBucket;
    if (index < counts.length - 1) value.push(count);
  });
  value[2] = count;
  return value;
}

/**
 * One metric and its series. A label set is resolved once to a series; recording is then a few additions. Past the
 * budget new label sets fold into one series whose labels are all `_other`, so that no caller can grow the memory.
 */
import { TraceFlags } from '@opentelemetry/api';
import type { AcrossWorkers, Kind } from '../catalogue.ts';
import { keptAlone } from '../random.ts';
import type { Labels, LabelValue, Metric, Series, SpanIds } from '../signals.ts';

export const OTHER = '_other';

/** What counters and gauges share instead of buckets of their own. */
const NO_COUNTS = new Float64Array(0);

/** A bucket's exemplar stays for so long, in milliseconds: scrapes are further apart. */
const EXEMPLAR_MS = 1000;

/** The span that an observation of a bucket was of: one that was sampled, of the last second that had any. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What a family is made from. */
export interface FamilyOptions {
  readonly kind: Kind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Ascending upper bounds without `+Inf`; histograms only. */
  readonly buckets?: readonly number[];
  /** How many label sets are kept apart. */
  readonly maxSeries: number;
  /** What a scrape over several workers makes of a gauge: the sum unless told. */
  readonly workers?: AcrossWorkers | undefined;
  /** Called for each look-up that folds. */
  readonly onFold: () => void;
}

/** One series: its labels, already written, and its value. */
export class Cell implements Series {
  /** `a="x",b="y"`, escaped, without empty values. */
  readonly labels: string;
  value: number = 0;
  sum: number = 0;
  /** Observations by bucket (not cumulative), the last one `+Inf`. Empty unless a histogram. */
  readonly counts: Float64Array;
  /** By bucket, once there are any. */
  exemplars: (Exemplar | undefined)[] | undefined;
  readonly #kind: Kind;
  readonly #bounds: readonly number[];

  constructor(kind: Kind, labels: string, bounds: readonly number[]) {
    this.#kind = kind;
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = kind === 'histogram' ? new Float64Array(bounds.length + 1) : NO_COUNTS;
  }

  /** Adds to a counter or a gauge. A counter never goes down, and nothing that is not finite is added. */
  inc(value = 1): void {
    if (Number.isFinite(value) && (value >= 0 || this.#kind === 'gauge')) this.value += value;
  }

  dec(value = 1): void {
    this.inc(-value);
  }

  set(value: number): void {
    if (this.#kind === 'gauge' && typeof value === 'number') this.value = value;
  }

  /**
   * Adds one observation to the first bucket whose bound it does not pass (`le`). The span it is of becomes that
   * bucket's exemplar, where its trace is sampled: another one would lead to no trace.
   */
  observe(value: number, exemplar?: SpanIds): void {
    if (this.#kind !== 'histogram' || !Number.isFinite(value)) return;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
    if (exemplar !== undefined && (exemplar.traceFlags & TraceFlags.SAMPLED) !== 0) this.#keep(bucket, value, exemplar);
  }

  /** Begins at 0 again. */
  reset(): void {
    this.value = 0;
    this.sum = 0;
    this.counts.fill(0);
    this.exemplars = undefined;
  }

  #keep(bucket: number, value: number, { traceId, spanId, endedAt }: SpanIds): void {
    const at = endedAt ?? Date.now();
    this.exemplars ??= new Array<Exemplar | undefined>(this.counts.length).fill(undefined);
    const before = this.exemplars[bucket];
    if (before !== undefined && at - before.at < EXEMPLAR_MS && at >= before.at) return;
    this.exemplars[bucket] = { traceId: keptAlone(traceId), spanId: keptAlone(spanId), value, at };
  }
}

/** A metric with all its series. */
export class Family<L extends string = string> implements Metric<L> {
  readonly kind: Kind;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly buckets: readonly number[];
  readonly maxSeries: number;
  readonly workers: AcrossWorkers;
  readonly #cells: Map<string, Cell> = new Map();
  readonly #onFold: () => void;
  #other: Cell | undefined;

  constructor(options: FamilyOptions) {
    checkFamily(options);
    this.kind = options.kind;
    this.name = options.name;
    this.help = options.help;
    this.labelNames = [...options.labels] as L[];
    this.buckets = [...(options.buckets ?? [])];
    this.maxSeries = options.maxSeries;
    this.workers = options.workers ?? 'sum';
    this.#onFold = options.onFold;
  }

  get size(): number {
    return this.#cells.size;
  }

  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  /** The series of a label set; past the budget, the folded one. */
  bind(labels: Labels<L>): Cell {
    const key = this.#key(labels);
    const found = this.#cells.get(key);
    if (found !== undefined) return found;
    if (this.labelNames.length > 0 && this.#cells.size >= this.maxSeries) return this.#fold();
    return this.#add(key, labels);
  }

  /** Forgets a series: of a worker that is gone. Whoever still holds it tells it to nobody. */
  remove(labels: Labels<L>): void {
    const key = this.#key(labels);
    if (this.#other !== undefined && this.#cells.get(key) === this.#other) this.#other = undefined;
    this.#cells.delete(key);
  }

  /** The folded series is the one whose labels are all `_other`, whoever binds it first. */
  #fold(): Cell {
    this.#onFold();
    if (this.#other === undefined) {
      const labels = Object.fromEntries(this.labelNames.map((name) => [name, OTHER])) as Labels<L>;
      const key = this.#key(labels);
      this.#other = this.#cells.get(key) ?? this.#add(key, labels);
    }
    return this.#other;
  }

  #add(key: string, labels: Labels<L>): Cell {
    const cell = new Cell(this.kind, writeLabels(this.labelNames, labels), this.buckets);
    this.#cells.set(key, cell);
    return cell;
  }

  /** Each value behind its length (told apart up to 65,535 characters), so that no value can look like two. */
  #key(labels: Labels<L>): string {
    const names = this.labelNames;
    let key = '';
    for (let i = 0; i < names.length; i += 1) {
      const value = toText(labels[names[i] as L]);
      key += String.fromCharCode(value.length) + value;
    }
    return key;
  }
}

/** A label's value as text. What has no text (a caller without types) is left out rather than thrown about. */
function toText(value: LabelValue | null | undefined): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  try {
    return String(value);
  } catch {
    return '';
  }
}

/** Labels as the exposition writes them; an empty value is an absent label. */
export function writeLabels(
  names: readonly string[],
  labels: Readonly<Record<string, LabelValue | undefined>>,
): string {
  let text = '';
  for (const name of names) {
    const value = toText(labels[name]);
    if (value === '') continue;
    text += `${text === '' ? '' : ','}${name}="${escapeLabel(value)}"`;
  }
  return text;
}

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (char) => ESCAPED[char] as string) : value;
}

/** A wrong definition is a mistake in the program: it throws where it is written. */
function checkFamily({ kind, name, help, labels, buckets = [], maxSeries }: FamilyOptions): void {
  if (typeof name !== 'string' || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
    throw new TypeError(`metric "${name}": a name is letters, digits, "_" and ":", not starting with a digit`);
  }
  // OpenMetrics knows no other counters, and promtool asks for it in the text format.
  if (kind === 'counter' && !/._total$/.test(name)) {
    throw new TypeError(`metric ${name}: the name of a counter ends in "_total"`);
  }
  if (typeof help !== 'string') throw new TypeError(`metric ${name}: help must be a text`);
  for (const label of labels) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith('__') || (kind === 'histogram' && label === 'le')) {
      throw new TypeError(
        `metric ${name}: label "${label}" must be letters, digits and "_", without a leading "__", and not le`,
      );
    }
  }
  if (new Set(labels).size !== labels.length) throw new TypeError(`metric ${name}: a label is named twice`);
  if (
    kind === 'histogram' &&
    (buckets.length === 0 ||
      !buckets.every((bound, i) => Number.isFinite(bound) && bound > (buckets[i - 1] ?? -Infinity)))
  ) {
    throw new TypeError(`metric ${name}: buckets must be finite numbers, each above the one before`);
  }
  if (!(maxSeries >= 1)) throw new TypeError(`metric ${name}: maxSeries must be at least 1`);
}

/** All metrics of one `observe`: the catalogue's, the user's own, and guests merged into the scrape. */
import { bucketSets, type Definition, definitions, type MetricKey } from '../catalogue.ts';
import type { Faults, Outage } from '../faults.ts';
import type { BoundCounter, Meters } from '../signals.ts';
import { expose, type Format } from './exposition.ts';
import { Family, type FamilyOptions } from './family.ts';
import { type GuestFamily, type GuestRegistry, patientGuest, readGuests } from './guests.ts';
import {
  checkWorkers,
  type GaugeOptions,
  type HistogramOptions,
  type InstrumentOptions,
  type Instruments,
  toInstrument,
} from './instrument.ts';

const DEFAULT_MAX_SERIES = 1000;
const DEFAULT_BUCKETS: readonly number[] = bucketSets.http.slice(0, 14);

export interface RegistryOptions {
  /** Prefix of namespaced metrics, without the underscore. */
  readonly namespace: string;
  readonly faults: Faults;
  /** Budgets by metric name, where 1,000 label sets are not right. */
  readonly maxSeries?: Readonly<Record<string, number>>;
  /** Called before anything is read: records what has ended. */
  readonly settle?: (() => void) | undefined;
}

/** Reads values for a scrape, or for a look in between, after which the next scrape tells what it would have told anyway. */
export type ReadBefore = (isLook: boolean) => void;

/** What a scrape is written from. */
export interface View {
  readonly families: readonly Family[];
  readonly guests: readonly GuestFamily[];
}

export interface Registry extends Instruments {
  /** The catalogue's metrics. */
  readonly meters: Meters;
  /** Defines a metric that is not in the main table (process metrics). */
  define(definition: Definition): Family;
  /** Called before each scrape, for values that are read rather than told. A throw is a fault, not a failed scrape. */
  beforeScrape(read: ReadBefore): void;
  /** Merges another registry (prom-client's) into the scrape. */
  guest(registry: GuestRegistry): void;
  /** Reads what is read rather than told, and the guests: all that a scrape writes. */
  read(): Promise<View>;
  /** The same for somebody who looks in between: what is told since the last scrape, this tells since the last look. */
  look(): Promise<View>;
  /** The metrics as they are now; nothing is read for it. */
  families(): Family[];
  /** Counters and histograms begin at 0 again; gauges, which tell what is, stay. For tests of users'. */
  reset(): void;
  /** The whole exposition, in chunks between which the event loop is free. */
  scrape(format: Format): AsyncIterable<string>;
}

export function createRegistry(options: RegistryOptions): Registry {
  const families = new Map<string, Family>();
  const readers: ReadBefore[] = [];
  /** Each as it is asked, by itself. */
  const guests = new Map<GuestRegistry, GuestRegistry>();
  const broken = options.faults.outage('binnacle');
  const all = (): Family[] => {
    options.settle?.();
    return [...families.values()];
  };

  const add = (family: Omit<FamilyOptions, 'maxSeries' | 'onFold'> & { maxSeries?: number | undefined }): Family => {
    if (families.has(family.name)) throw new TypeError(`metric ${family.name} is already defined`);
    const made = new Family({
      ...family,
      maxSeries: options.maxSeries?.[family.name] ?? family.maxSeries ?? DEFAULT_MAX_SERIES,
      onFold: countFolds(family.name, () => meters.seriesFolded),
    });
    families.set(family.name, made);
    // What has no labels and counts is there at 0 from the start, so that its first increase is seen as one.
    if (family.labels.length === 0 && family.kind !== 'gauge') made.bind({});
    return made;
  };
  const define = (definition: Definition): Family => {
    const prefix = definition.namespaced && options.namespace !== '' ? `${options.namespace}_` : '';
    const { kind, help, labels, buckets, workers } = definition;
    return add({
      kind,
      help,
      labels,
      workers,
      name: prefix + definition.name,
      buckets: buckets && bucketSets[buckets],
    });
  };
  const meters = Object.fromEntries(
    (Object.keys(definitions) as MetricKey[]).map((key) => [key, define(definitions[key])]),
  ) as unknown as Meters;
  const scrapeDuration = meters.scrapeDuration.bind({});
  type Kind = FamilyOptions['kind'];
  const own = (kind: Kind, { labels = [], ...rest }: GaugeOptions<string>, buckets?: readonly number[]) => {
    checkWorkers(rest.name, labels, rest.workers);
    const family = add({ ...rest, kind, labels, ...(buckets && { buckets }) });
    if (labels.length === 0) family.bind({});
    return toInstrument(family);
  };

  const read = async (isLook = false): Promise<View> => {
    const mine = all();
    if (readers.map((one) => runReader(one, isLook, broken)).every(Boolean)) broken.up();
    countSeries(families, meters);
    const visitors = await readGuests([...guests.values()], (name) => isTaken(name, families), options.faults);
    return { families: mine, guests: visitors };
  };

  return {
    meters,
    define,
    counter: (from: InstrumentOptions<string>) => own('counter', from),
    gauge: (from: GaugeOptions<string>) => own('gauge', from),
    histogram: (from: HistogramOptions<string>) => own('histogram', from, from.buckets ?? DEFAULT_BUCKETS),
    beforeScrape: (one) => void readers.push(one),
    read: () => read(),
    look: () => read(true),
    families: all,
    guest(registry) {
      if (!guests.has(registry)) guests.set(registry, patientGuest(registry));
    },
    reset: () => reset(all()),
    async *scrape(format) {
      const start = performance.now();
      const view = await read();
      yield* expose(view.families, view.guests, format);
      scrapeDuration.set((performance.now() - start) / 1000);
    },
  } as Registry;
}

/** The counter of folds may be over its own budget: it must not count itself without end. */
function countFolds(metric: string, counter: () => Meters['seriesFolded']): () => void {
  let folded: BoundCounter | undefined;
  return () => {
    if (metric === definitions.seriesFolded.name) return;
    folded ??= counter().bind({ metric });
    folded.inc();
  };
}

function countSeries(families: ReadonlyMap<string, Family>, { series }: Meters): void {
  const counted = [...families.values()].map((family) => ({ family, cell: series.bind({ metric: family.name }) }));
  for (const { family, cell } of counted) cell.set(family.size);
}

function reset(families: readonly Family[]): void {
  for (const family of families) {
    if (family.kind !== 'gauge') for (const cell of family.cells()) cell.reset();
  }
}

/** Names of ours, and those that a histogram of ours writes. */
function isTaken(name: string, families: ReadonlyMap<string, Family>): boolean {
  const histogram = families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return families.has(name) || histogram?.kind === 'histogram';
}

function runReader(read: ReadBefore, isLook: boolean, broken: Outage): boolean {
  try {
    read(isLook);
    return true;
  } catch (error) {
    broken.down('A metric could not be read; the scrape goes on without it', { error });
    return false;
  }
}

/** The whole of several workers' metrics. What they tell is added up as it comes; what was counted is never lost again. */
import { definitions } from '../../catalogue.ts';
import { Family } from '../family.ts';
import type { View } from '../registry.ts';
import { Gauges } from './gauges.ts';
import { NoSink, type Sink } from './sinks.ts';
import { type Place, type Whole, WholeFamily, WholeGuest, wholeLabels } from './whole-family.ts';
import { type FamilyNote, figureAt, type Slice } from './wire.ts';

/** Series of one worker that are kept apart, budgets or not: a guest's have none. */
const SOURCE_SERIES = 200_000;

export interface AggregateOptions {
  /** Budgets by name, where the workers' own are not right for the whole. */
  readonly maxSeries: Readonly<Record<string, number>>;
  /** Called where series of a metric have no place in the whole: another one has its name, or there are too many. */
  onLeftOut(name: string): void;
}

/** One worker's reports, in the order in which it sent them. */
export interface Source {
  /** Adds a slice. Throws on one that makes no sense; the source is of no more use then. */
  apply(slice: Slice): void;
  /** Its gauges go, one a step; what it counted stays. */
  leave(): Iterable<void>;
}

export class Aggregate {
  readonly #options: AggregateOptions;
  readonly #families: Map<string, Whole> = new Map();
  readonly #gauges: Gauges = new Gauges();
  #sources = 0;

  constructor(options: AggregateOptions) {
    this.#options = options;
  }

  source(place: Place): Source {
    const { onLeftOut } = this.#options;
    return new WholeSource((note) => this.#whole(note), onLeftOut, place, this.#sources++);
  }

  /** Writes gauges that changed, one a step; to be done before a view is taken. */
  settle(): Iterable<void> {
    return this.#gauges.settle();
  }

  view(): View {
    const wholes = [...this.#families.values()];
    return {
      families: wholes.flatMap((whole) => (whole instanceof WholeFamily ? [whole.family] : [])),
      guests: wholes.flatMap((whole) => (whole instanceof WholeGuest ? [whole.guest] : [])),
    };
  }

  /** The metric of a note; undefined where another one has its name. */
  #whole(note: FamilyNote): Whole | undefined {
    const found = this.#families.get(note.name);
    if (found === undefined) {
      const made = this.#make(note);
      this.#families.set(note.name, made);
      return made;
    }
    if (isSame(found.note, note)) return found;
    this.#options.onLeftOut(note.name);
    return undefined;
  }

  #make(note: FamilyNote): Whole {
    if (note.guest) return new WholeGuest(note, this.#gauges);
    const maxSeries = this.#options.maxSeries[note.name] ?? note.maxSeries;
    return new WholeFamily(note, this.#gauges, maxSeries, () => this.#folded(note.name));
  }

  /** Counts a fold of the whole's among those of the workers. */
  #folded(metric: string): void {
    const { name, help, kind, labels } = definitions.seriesFolded;
    if (metric === name) return;
    const note: FamilyNote = {
      ...{ name, help, kind, labels, buckets: [], maxSeries: 1000, workers: 'sum', guest: false },
    };
    const whole = this.#whole(note);
    if (whole instanceof WholeFamily) whole.family.bind({ metric }).inc();
  }
}

function isSame(one: FamilyNote, other: FamilyNote): boolean {
  const shape = (note: FamilyNote): unknown => [note.kind, note.guest, note.workers, wholeLabels(note), note.buckets];
  return JSON.stringify(shape(one)) === JSON.stringify(shape(other));
}

/** A source's metric: what becomes of its series. */
interface Known {
  readonly note: FamilyNote;
  readonly whole: Whole | undefined;
}

class WholeSource implements Source {
  readonly #wholeOf: (note: FamilyNote) => Whole | undefined;
  readonly #onLeftOut: (name: string) => void;
  readonly #place: Place;
  readonly #order: number;
  readonly #known: Known[] = [];
  readonly #sinks: Map<number, Sink> = new Map();

  constructor(
    wholeOf: (note: FamilyNote) => Whole | undefined,
    onLeftOut: (name: string) => void,
    place: Place,
    order: number,
  ) {
    this.#wholeOf = wholeOf;
    this.#onLeftOut = onLeftOut;
    this.#place = place;
    this.#order = order;
  }

  apply({ families, series, figures, exemplars, gone }: Slice): void {
    for (const note of families) this.#known.push({ note, whole: this.#wholeOf(note) });
    for (const id of gone) {
      this.#sinks.get(id)?.drop();
      this.#sinks.delete(id);
    }
    for (let at = 0; at < series.length; at += 3) this.#meet(series[at], series[at + 1], series[at + 2]);
    for (let at = 0; at < figures.length; ) {
      const sink = this.#sinks.get(figureAt(figures, at));
      if (sink === undefined) throw new TypeError('a report tells of a series that it never named');
      at = sink.take(figures, at + 1);
    }
    for (const note of exemplars) this.#sinks.get(note[0])?.exemplar(note);
  }

  #meet(id: unknown, family: unknown, labels: unknown): void {
    const known = this.#known[family as number];
    if (typeof id !== 'number' || known === undefined || typeof labels !== 'string') {
      throw new TypeError('a report names a series of no metric');
    }
    const room = this.#sinks.size < SOURCE_SERIES;
    const sink = room ? known.whole?.sink(labels, this.#place, this.#order) : undefined;
    if (sink === undefined) this.#onLeftOut(known.note.name);
    this.#sinks.set(id, sink ?? new NoSink(known.note.kind === 'histogram' && !known.note.guest));
  }

  *leave(): Generator<void> {
    for (const [id, sink] of this.#sinks) {
      this.#sinks.delete(id);
      sink.drop();
      yield;
    }
  }
}

/** A metric of the catalogue's that whoever gathers tells of itself. */
export function ownFamily(key: 'series' | 'scrapeDuration' | 'workersGathered' | 'workerReportAge'): Family {
  return new Family({ ...definitions[key], buckets: [], maxSeries: Number.MAX_SAFE_INTEGER, onFold() {} });
}

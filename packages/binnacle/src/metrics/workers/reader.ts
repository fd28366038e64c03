/**
 * Reads metrics as slices of what changed since the last reading. Counters and histograms are told by what was added,
 * so that a listener needs nothing but to add, and what a worker counted stays when the worker is gone.
 */
import type { AcrossWorkers } from '../../catalogue.ts';
import type { Cell, Exemplar, Family } from '../family.ts';
import type { GuestFamily } from '../guests.ts';
import type { View } from '../registry.ts';
import {
  type ExemplarNote,
  type FamilyNote,
  type Figure,
  isCumulative,
  SLICE_CHARACTERS,
  type Slice,
  toFigure,
} from './wire.ts';

/** Series looked at for one slice, changed or not. */
const SLICE_SERIES = 5000;
/** Exemplars told in one pass; the others are told in the next ones. */
const PASS_EXEMPLARS = 1000;
/** About how many characters a number takes, with the comma behind it. */
const NUMBER_CHARACTERS = 12;

export interface Pass {
  /** Gauges and guests too. */
  readonly whole: boolean;
  readonly exemplars: boolean;
}

export interface ReaderOptions {
  /** A thread does not tell what is of its process. */
  readonly thread?: boolean;
  /** For whoever is to write the scrape: nothing is left to be put together. */
  readonly final?: boolean;
}

/** What was last told of a series. */
interface Told {
  /** -1 for one that is too long to be told. */
  readonly id: number;
  pass: number;
  /** The value, or a histogram's buckets and its sum. */
  readonly values: number[];
  exemplars: (Exemplar | undefined)[] | undefined;
}

interface Track {
  readonly index: number;
  readonly series: Map<string, Told>;
}

interface Draft {
  families: FamilyNote[];
  series: Figure[];
  figures: Figure[];
  exemplars: ExemplarNote[];
  gone: number[];
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #tracks: Map<string, Track> = new Map();
  readonly #freeIds: number[] = [];
  #nextId = 0;
  #pass = 0;
  #exemplarsLeft = 0;
  #steps: Iterator<void> = [][Symbol.iterator]();
  #draft: Draft = newDraft();
  #characters = 0;

  constructor(options: ReaderOptions = {}) {
    this.#options = options;
  }

  /** Begins a pass over a view; one that was not read to its end is given up, and nothing of it is lost. */
  begin(view: View, pass: Pass): void {
    this.#pass += 1;
    this.#exemplarsLeft = pass.exemplars ? PASS_EXEMPLARS : 0;
    this.#steps = this.#walk(view, pass);
  }

  /** The next slice, of about 32,768 characters at most; `done` with the last one. */
  next(): { slice: Slice; done: boolean } {
    let done = false;
    for (let looked = 0; looked < SLICE_SERIES && this.#characters < SLICE_CHARACTERS && !done; looked += 1) {
      done = this.#steps.next().done === true;
    }
    const slice = this.#draft;
    this.#draft = newDraft();
    this.#characters = 0;
    return { slice, done };
  }

  *#walk({ families, guests }: View, { whole }: Pass): Generator<void> {
    for (const family of families) {
      if ((!whole && family.kind === 'gauge') || this.#leavesOut(family.workers)) continue;
      if (family.size === 0 && !this.#tracks.has(family.name)) continue;
      const track = this.#trackOf(family.name, family);
      for (const cell of family.cells()) {
        this.#cell(track, family, cell);
        yield;
      }
      if (family.kind === 'gauge') yield* this.#sweep(track);
    }
    if (!whole) return;
    for (const guest of guests) yield* this.#guest(guest);
  }

  #leavesOut(workers: AcrossWorkers): boolean {
    if (this.#options.final) return false;
    return workers === 'omit' || (workers === 'process' && this.#options.thread === true);
  }

  #trackOf(name: string, family: Family | GuestFamily): Track {
    const found = this.#tracks.get(name);
    if (found !== undefined) return found;
    const track: Track = { index: this.#tracks.size, series: new Map() };
    this.#tracks.set(name, track);
    const note = 'samples' in family ? guestNote(family) : familyNote(family);
    this.#draft.families.push(this.#options.final ? finalNote(note) : note);
    this.#characters += JSON.stringify(note).length;
    return track;
  }

  #toldOf(track: Track, labels: string, width: number): Told {
    const found = track.series.get(labels);
    if (found !== undefined) {
      found.pass = this.#pass;
      return found;
    }
    const tooLong = labels.length > SLICE_CHARACTERS;
    const id = tooLong ? -1 : (this.#freeIds.pop() ?? this.#nextId++);
    const told: Told = { id, pass: this.#pass, values: new Array<number>(width).fill(0), exemplars: undefined };
    track.series.set(labels, told);
    if (!tooLong) {
      this.#draft.series.push(id, track.index, labels);
      this.#characters += labels.length + 2 * NUMBER_CHARACTERS;
    }
    return told;
  }

  #cell(track: Track, family: Family, cell: Cell): void {
    if (family.kind !== 'histogram') {
      const told = this.#toldOf(track, cell.labels, 1);
      if (family.kind === 'gauge') this.#set(told, cell.value);
      else this.#add(told, Math.max(0, cell.value - (told.values[0] as number)));
      return;
    }
    const told = this.#toldOf(track, cell.labels, cell.counts.length + 1);
    if (told.id < 0) return;
    this.#histogram(told, cell);
    if (this.#exemplarsLeft > 0 && cell.exemplars !== undefined) this.#exemplars(told, cell.exemplars);
  }

  #set(told: Told, value: number): void {
    if (told.id < 0 || Object.is(value, told.values[0])) return;
    this.#tell(told.id, toFigure(value));
    told.values[0] = value;
  }

  #add(told: Told, added: number): void {
    if (told.id < 0 || added === 0 || Number.isNaN(added)) return;
    this.#tell(told.id, toFigure(added));
    // What the listener has now, to the last bit: what was rounded is made good with the next one.
    told.values[0] = (told.values[0] as number) + added;
  }

  #histogram(told: Told, { counts, sum }: Cell): void {
    const buckets: number[] = [];
    const { values } = told;
    for (let i = 0; i < counts.length; i += 1) {
      const added = (counts[i] as number) - (values[i] as number);
      if (!(added > 0)) continue;
      buckets.push(i, added);
      values[i] = counts[i] as number;
    }
    const last = values[counts.length] as number;
    const added = sum - last;
    if (buckets.length === 0 && !(Math.abs(added) > 0)) return;
    this.#tell(told.id, toFigure(added), buckets.length / 2, ...buckets);
    values[counts.length] = last + added;
  }

  #tell(...figures: Figure[]): void {
    for (const figure of figures) this.#draft.figures.push(figure);
    this.#characters += figures.length * NUMBER_CHARACTERS;
  }

  #exemplars(told: Told, exemplars: readonly (Exemplar | undefined)[]): void {
    told.exemplars ??= new Array<Exemplar | undefined>(exemplars.length).fill(undefined);
    for (let i = 0; i < exemplars.length && this.#exemplarsLeft > 0; i += 1) {
      const one = exemplars[i];
      if (one === undefined || one === told.exemplars[i]) continue;
      told.exemplars[i] = one;
      this.#exemplarsLeft -= 1;
      this.#draft.exemplars.push([told.id, i, one.traceId, one.spanId, one.value, one.at]);
      this.#characters += one.traceId.length + one.spanId.length + 4 * NUMBER_CHARACTERS;
    }
  }

  *#guest(guest: GuestFamily): Generator<void> {
    if (guest.aggregator === 'omit' && !this.#options.final) return;
    const track = this.#trackOf(guest.name, guest);
    // A host may reset its registry: what it counts from then on is added to what it had counted.
    let reset = false;
    for (const { suffix, labels, value } of guest.samples) {
      const told = this.#toldOf(track, `${suffix} ${labels}`, 1);
      if (isCumulative(guest.kind, suffix)) {
        // Only a sum may fall by itself, where values below 0 are observed.
        reset ||= suffix !== '_sum' && value < (told.values[0] as number);
        if (reset) told.values[0] = 0;
        this.#add(told, value - (told.values[0] as number));
      } else this.#set(told, value);
      yield;
    }
    if (guest.kind === 'gauge') yield* this.#sweep(track);
  }

  /** Tells of the series that are no more. */
  *#sweep({ series }: Track): Generator<void> {
    for (const [labels, told] of series) {
      if (told.pass === this.#pass) continue;
      series.delete(labels);
      if (told.id < 0) continue;
      this.#draft.gone.push(told.id);
      this.#freeIds.push(told.id);
      this.#characters += NUMBER_CHARACTERS;
      yield;
    }
  }
}

function newDraft(): Draft {
  return { families: [], series: [], figures: [], exemplars: [], gone: [] };
}

function familyNote({ name, help, kind, labelNames, buckets, maxSeries, workers }: Family): FamilyNote {
  return { name, help, kind, labels: labelNames, buckets, maxSeries, workers, guest: false };
}

/** Nothing is put together or folded again by whoever writes the scrape. */
function finalNote(note: FamilyNote): FamilyNote {
  return { ...note, workers: 'sum', maxSeries: Number.MAX_SAFE_INTEGER };
}

const MERGED: readonly AcrossWorkers[] = ['sum', 'max', 'min', 'average', 'first', 'omit'];

function guestNote({ name, help, kind, aggregator }: GuestFamily): FamilyNote {
  const workers = MERGED.find((one) => one === aggregator) ?? 'sum';
  return { name, help, kind, labels: [], buckets: [], maxSeries: 0, workers, guest: true };
}

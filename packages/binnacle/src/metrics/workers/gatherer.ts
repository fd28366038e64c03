/**
 * Gathers what workers report, in the primary of a cluster or in the main thread. It pulls: so no more arrives in a turn
 * of the event loop than was asked for, and a worker that hangs is asked once and then served from what it told last.
 */
import { randomUUID } from 'node:crypto';
import type { Faults, Outage } from '../../faults.ts';
import type { Family } from '../family.ts';
import type { Registry, View } from '../registry.ts';
import { Aggregate, ownFamily, type Source } from './aggregate.ts';
import { readLabels } from './labels.ts';
import { Peer } from './peer.ts';
import { type Pass, Reader } from './reader.ts';
import { atOnce, inSlices } from './slices.ts';
import { createTurns, type Turns, within } from './turns.ts';
import type { Place } from './whole-family.ts';
import type { Downward, Upward } from './wire.ts';

/** How long a scrape waits for workers, in milliseconds. */
export const GATHER_MS = 1000;
/** How often what was counted is fetched between scrapes: so much of it a worker that is killed takes with it. */
const REPORT_MS = 1000;
/** Workers asked at once, and how long one of them may keep the others waiting, in milliseconds. */
const AT_ONCE = 2;
const TURN_MS = 100;

/** The way to one reporter. */
export interface Link {
  readonly key: string;
  readonly kind: keyof Place;
  /** Sends without ever throwing. */
  send(message: Downward): void;
}

export interface GathererOptions {
  /** The metrics of the process itself, the first of the sources. */
  readonly own: Registry | undefined;
  readonly faults: Faults;
  readonly maxSeries: Readonly<Record<string, number>>;
  /** The whole that this gatherer's own process is part of, for a worker that asks. */
  view(exemplars: boolean): Promise<View>;
}

interface Joined {
  readonly link: Link;
  readonly peer: Peer;
  answer: { readonly ask: number; readonly reader: Reader; readonly startedAt: number } | undefined;
}

/** Everything that exists once somebody reports. */
interface State {
  readonly aggregate: Aggregate;
  readonly own: { readonly reader: Reader; readonly source: Source } | undefined;
  readonly computed: { readonly duration: Family; readonly gathered: Family };
}

export class Gatherer {
  readonly #id: string = randomUUID();
  readonly #options: GathererOptions;
  readonly #joined: Map<string, Joined> = new Map();
  readonly #turns: Turns = createTurns(AT_ONCE, TURN_MS);
  readonly #late: Outage;
  #state: State | undefined;
  #gathering: Promise<void> | undefined;
  #reading: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: GathererOptions) {
    this.#options = options;
    this.#late = options.faults.outage('binnacle');
  }

  /** True once a worker has reported; its counts are kept from then on. */
  get active(): boolean {
    return this.#state !== undefined;
  }

  /** Hears a message of a link. */
  hear(link: Link, message: Upward): void {
    if (this.#closed) return;
    if (message.type === 'hello') link.send({ type: 'welcome', gatherer: this.#id });
    else if (message.gatherer !== this.#id) return;
    else if (message.type === 'join') this.#join(link);
    else this.#hearJoined(this.#joined.get(link.key), message);
  }

  #hearJoined(joined: Joined | undefined, message: Exclude<Upward, { type: 'hello' }>): void {
    if (joined === undefined) return;
    if (message.type === 'slice') joined.peer.report(message);
    else if (message.type === 'leave') this.gone(joined.link.key);
    else if (message.type === 'ask') void this.#answer(joined, message.ask, message.exemplars);
    else if (message.type === 'more' && joined.answer?.ask === message.ask) this.#part(joined);
  }

  /** A link is no more: all it told has been heard. */
  gone(key: string): void {
    const joined = this.#joined.get(key);
    if (joined === undefined) return;
    this.#joined.delete(key);
    void joined.peer.leave();
    this.#tellLate();
  }

  #join(link: Link): void {
    if (this.#joined.has(link.key)) return;
    this.#state ??= this.#begin();
    const { aggregate } = this.#state;
    const place = this.#placeFor(link.kind);
    const source = aggregate.source(place);
    const peer = new Peer({
      ...{ place, source, turns: this.#turns, gatherer: this.#id },
      send: (message) => link.send(message),
      onNonsense: (error) => {
        const message = `The report of ${nameOf(place)} makes no sense; it is left out of the scrape`;
        this.#options.faults.once(`workers:nonsense:${link.key}`, 'binnacle', message, { error });
        this.#joined.delete(link.key);
      },
    });
    this.#joined.set(link.key, { link, peer, answer: undefined });
    this.#schedule(0);
  }

  #begin(): State {
    const { own, maxSeries, faults } = this.#options;
    const aggregate = new Aggregate({
      maxSeries,
      onLeftOut: (name) => {
        const why = 'workers define it differently, or it has too many series';
        const message = `Series of ${name} are left out of the scrape over all workers: ${why}`;
        faults.once(`workers:left-out:${name}`, 'binnacle', message);
      },
    });
    return {
      aggregate,
      own: own && { reader: new Reader(), source: aggregate.source({ worker: '', thread: '' }) },
      computed: { duration: ownFamily('scrapeDuration'), gathered: ownFamily('workersGathered') },
    };
  }

  /** The lowest number that is free, so that one who takes another's place goes on with its series. */
  #placeFor(kind: keyof Place): Place {
    const taken = new Set([...this.#joined.values()].map(({ peer }) => peer.place[kind]));
    let number = 1;
    while (taken.has(String(number))) number += 1;
    return { worker: '', thread: '', [kind]: String(number) };
  }

  /** Everything that is known, fresh where workers answer in time. Scrapes at once share one gathering. */
  async gather(exemplars: boolean, waitMs: number = GATHER_MS): Promise<View> {
    this.#gathering ??= this.#gather({ whole: true, exemplars }, waitMs).finally(() => {
      this.#gathering = undefined;
    });
    await this.#gathering;
    return this.#view();
  }

  async #gather(pass: Pass, waitMs: number): Promise<void> {
    const peers = [...this.#joined.values()].map(({ peer }) => peer).filter((peer) => !peer.late);
    const answers = Promise.all(peers.map((peer) => peer.read(pass, waitMs / 2)));
    await Promise.all([this.readOwn(pass), within(waitMs, answers)]);
    for (const peer of peers) peer.late = peer.isSilentFor(waitMs / 2);
    this.#tellLate();
    if (this.#state !== undefined) await inSlices(this.#state.aggregate.settle());
  }

  #tellLate(): void {
    const late = [...this.#joined.values()].filter(({ peer }) => peer.late).map(({ peer }) => nameOf(peer.place));
    if (late.length === 0) this.#late.up('All workers answer scrapes again');
    else this.#late.down('A worker does not answer; scrapes go on with what it told last', { workers: late });
  }

  /** Takes in what the process itself counted, and with a whole pass what it reads. */
  readOwn(pass: Pass): Promise<void> {
    const { own } = this.#options;
    if (this.#state?.own === undefined || own === undefined) return Promise.resolve();
    const { reader, source } = this.#state.own;
    this.#reading = this.#reading.then(async () => {
      const view = pass.whole ? await own.read() : { families: own.families(), guests: [] };
      reader.begin(view, pass);
      await inSlices(slicesOf(reader, source), 1);
    });
    return this.#reading;
  }

  /** The same of what was counted alone, at once: for an end. */
  readOwnAtOnce(): void {
    const { own } = this.#options;
    if (this.#state?.own === undefined || own === undefined) return;
    const { reader, source } = this.#state.own;
    reader.begin({ families: own.families(), guests: [] }, { whole: false, exemplars: false });
    atOnce(slicesOf(reader, source));
  }

  /** What is known now, without asking. */
  known(): View {
    return this.#state?.aggregate.view() ?? { families: [], guests: [] };
  }

  #view(): View {
    if (this.#state === undefined) return this.known();
    const { computed } = this.#state;
    const { families, guests } = this.known();
    computed.gathered.bind({}).set(1);
    computed.duration.bind({});
    const ages = ownFamily('workerReportAge');
    const series = ownFamily('series');
    const now = performance.now();
    for (const { peer } of this.#joined.values()) ages.bind({ ...peer.place }).set((now - peer.heardAt) / 1000);
    // A worker tells of its threads.
    const told = families.find(({ name }) => name === ages.name);
    for (const { labels, value } of told?.cells() ?? []) ages.bind(readLabels(labels)).set(value);
    const all = [...families.filter((one) => one !== told), computed.gathered, computed.duration, ages, series];
    for (const { name } of all) series.bind({ metric: name });
    for (const { name, size } of all) series.bind({ metric: name }).set(size);
    return { families: all, guests };
  }

  /** Tells how long a scrape of this gatherer's took, in seconds. */
  scraped(seconds: number): void {
    this.#state?.computed.duration.bind({}).set(seconds);
  }

  /** A worker was asked for the whole: it gets it a part at a time, and writes it out itself. */
  async #answer(joined: Joined, ask: number, exemplars: boolean): Promise<void> {
    const startedAt = performance.now();
    const view = await this.#options.view(exemplars).catch(() => undefined);
    // Without an answer the worker's scrape fails, rather than telling of fewer than all.
    if (view === undefined || this.#closed) return;
    const reader = new Reader({ final: true });
    reader.begin(view, { whole: true, exemplars });
    joined.answer = { ask, reader, startedAt };
    this.#part(joined);
  }

  #part(joined: Joined): void {
    if (joined.answer === undefined) return;
    const { ask, reader, startedAt } = joined.answer;
    const { slice, done } = reader.next();
    if (done) {
      joined.answer = undefined;
      this.scraped((performance.now() - startedAt) / 1000);
    }
    joined.link.send({ type: 'part', gatherer: this.#id, ask, done, slice });
  }

  /** Fetches what was counted, again and again while there are workers. */
  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#closed || this.#joined.size === 0) return;
    this.#timer = setTimeout(() => {
      const peers = [...this.#joined.values()].map(({ peer }) => peer).filter((peer) => !peer.busy);
      const pass: Pass = { whole: false, exemplars: false };
      void within(REPORT_MS, Promise.all(peers.map((peer) => peer.read(pass, 0)))).then(() => {
        this.#timer = undefined;
        this.#schedule(REPORT_MS);
      });
    }, ms);
    this.#timer.unref();
  }

  /** Workers look for another gatherer, or tell of themselves alone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { link, peer } of this.#joined.values()) {
      link.send({ type: 'bye', gatherer: this.#id });
      peer.leaveAtOnce();
    }
    this.#joined.clear();
  }
}

function* slicesOf(reader: Reader, source: Source): Generator<void> {
  for (let done = false; !done; ) {
    const next = reader.next();
    source.apply(next.slice);
    done = next.done;
    yield;
  }
}

function nameOf({ worker, thread }: Place): string {
  return worker === '' ? `thread ${thread}` : `worker ${worker}`;
}

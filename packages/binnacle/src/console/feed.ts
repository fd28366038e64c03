/** What one page is to be told next, taken from the store where it stands: one event at a time, none of them large. */
import { type Cursor, idOf } from './cursor.ts';
import type { Ring } from './ring.ts';
import type { Store } from './store.ts';
import type { ConsoleEventName, Skipped } from './wire.ts';

/** The most of one event: records, bytes of them, and milliseconds that reading them may take. */
const EVENT_RECORDS = 500;
const EVENT_BYTES = 256 * 1024;
const EVENT_MS = 4;
/** Records between two looks at the time. */
const LOOK_EVERY = 16;

type Records = 'spans' | 'logs' | 'chunks' | 'health';
/** What is told of the present: the last of each is enough. */
type Moment = 'live' | 'telemetry';

export class Feed {
  readonly #store: Store;
  readonly #cursor: Cursor;
  readonly #moments = new Map<Moment, string>();
  readonly #skipped = new Map<Skipped['signal'], number>();
  readonly #sources: readonly (() => string | undefined)[];
  #turn = 0;

  constructor(store: Store, cursor: Cursor) {
    this.#store = store;
    this.#cursor = cursor;
    // In turn, so that a long log keeps nothing else from being shown.
    this.#sources = [
      () => this.#nextMoment('live'),
      () => this.#nextMoment('telemetry'),
      () => this.#nextSkipped(),
      () => this.#nextOne('health'),
      () => this.#nextSlice('chunks'),
      () => this.#nextSlice('spans'),
      () => this.#nextMetrics(),
      () => this.#nextSlice('logs'),
    ];
  }

  /** Tells what is, in the place of what was to be told before. */
  tell(moment: Moment, json: string): void {
    this.#moments.set(moment, json);
  }

  /** The next event; undefined where there is nothing new. */
  next(): string | undefined {
    for (let tried = 0; tried < this.#sources.length; tried += 1) {
      const source = this.#sources[this.#turn] as () => string | undefined;
      this.#turn = (this.#turn + 1) % this.#sources.length;
      const event = source();
      if (event !== undefined) return event;
    }
    return undefined;
  }

  /** An event, from which a page that comes again may go on. */
  event(name: ConsoleEventName, json: string): string {
    return `id: ${idOf(this.#store, this.#cursor)}\nevent: ${name}\ndata: ${json}\n\n`;
  }

  #nextMoment(name: Moment): string | undefined {
    const json = this.#moments.get(name);
    this.#moments.delete(name);
    return json === undefined ? undefined : this.event(name, json);
  }

  #nextSkipped(): string | undefined {
    for (const [signal, count] of this.#skipped) {
      this.#skipped.delete(signal);
      return this.event('skipped', JSON.stringify({ signal, count } satisfies Skipped));
    }
    return undefined;
  }

  #nextMetrics(): string | undefined {
    const update = this.#store.metrics.next(this.#cursor.metrics);
    return update === undefined ? undefined : this.event('metrics', JSON.stringify(update));
  }

  /** One record by itself. */
  #nextOne(name: 'health'): string | undefined {
    let found: string | undefined;
    this.#cursor[name] = this.#store[name].read(this.#cursor[name], (json) => {
      if (found !== undefined) return false;
      found = json;
      return true;
    });
    return found === undefined ? undefined : this.event(name, found);
  }

  #nextSlice(name: Records): string | undefined {
    const ring = this.#store[name];
    this.#passOver(name, ring);
    const records: string[] = [];
    let bytes = 0;
    let looked = 0;
    const until = performance.now() + EVENT_MS;
    this.#cursor[name] = ring.read(this.#cursor[name], (json, number) => {
      looked += 1;
      if (records.length === EVENT_RECORDS || (looked % LOOK_EVERY === 0 && performance.now() > until)) return false;
      const record = name === 'logs' ? `{"seq":${number},${json.slice(1)}` : json;
      const size = Buffer.byteLength(record) + 1;
      if (size > EVENT_BYTES) {
        this.#skip(name, 1);
        return true;
      }
      if (bytes + size > EVENT_BYTES) return false;
      bytes += size;
      records.push(record);
      return true;
    });
    return records.length === 0 ? undefined : this.event(name, `[${records.join(',')}]`);
  }

  /** Past what the store let go before this page was told of it. */
  #passOver(name: Records, ring: Ring): void {
    const missed = ring.first - this.#cursor[name];
    if (missed <= 0) return;
    this.#skip(name, missed);
    this.#cursor[name] = ring.first;
  }

  #skip(name: Records, count: number): void {
    if (name === 'spans' || name === 'logs') this.#skipped.set(name, (this.#skipped.get(name) ?? 0) + count);
  }
}

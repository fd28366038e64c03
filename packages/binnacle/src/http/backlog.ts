/**
 * What has ended and is not written down yet. Metrics, spans and lines of many requests are written one after another:
 * of each by itself, all that code would come to a processor whose caches hold the service's own.
 */
import type { RequestSpan, Signals } from '../signals.ts';
import { Ended } from './ended.ts';
import type { Exchange } from './exchange.ts';
import type { Kind } from './kind.ts';

/** The longest that an ending waits, in milliseconds, as long as the event loop turns. */
const LONGEST_MS = 10;

export class Backlog {
  readonly #signals: Signals;
  readonly #onFault: (error: unknown) => void;
  readonly #places: Ended[];
  readonly #timer: NodeJS.Timeout;
  #count = 0;
  #isClosed = false;
  /** When the first of those that wait ended, by the clock. */
  #since = 0;
  #isSettling = false;

  /** Writes down at most `atOnce` endings at a time. Made outside of any request: its timer is of none. */
  constructor(signals: Signals, atOnce: number, onFault: (error: unknown) => void) {
    this.#signals = signals;
    this.#onFault = onFault;
    this.#places = Array.from({ length: atOnce }, () => new Ended());
    this.#timer = setTimeout(() => this.settle(), LONGEST_MS).unref();
  }

  /** An exchange has ended. `notes` is what its line says besides; undefined where no line of its kind is written. */
  add(exchange: Exchange, kind: Kind, span: RequestSpan | undefined, notes: string | undefined): void {
    const endedAt = Math.floor(this.#signals.clock.wall());
    if (this.#isSettling) {
      this.#writeDown([new Ended().take(exchange, kind, span, notes, endedAt)], 1);
      return;
    }
    const now = exchange.startedAt + exchange.durationMs;
    if (this.#count === 0) {
      this.#since = now;
      this.#timer.refresh();
    }
    (this.#places[this.#count] as Ended).take(exchange, kind, span, notes, endedAt);
    this.#count += 1;
    // By the clock too: a process that computes without pause lets no timer fire.
    const isDue = this.#count === this.#places.length || now - this.#since >= LONGEST_MS;
    if (isDue || this.#isClosed) this.settle();
  }

  /** From now on each ending is written down at once: who ends after the end is on the way out. */
  close(): void {
    this.settle();
    this.#isClosed = true;
  }

  /** Writes down what has ended until now, in its order. Never throws; nothing, while that is under way. */
  settle(): void {
    if (this.#count === 0 || this.#isSettling) return;
    this.#isSettling = true;
    this.#writeDown(this.#places, this.#count);
    this.#count = 0;
    this.#isSettling = false;
  }

  #writeDown(places: readonly Ended[], count: number): void {
    for (let i = 0; i < count; i += 1) this.#guard(recordMetrics, places[i] as Ended);
    for (let i = 0; i < count; i += 1) this.#guard(writeSpan, places[i] as Ended);
    for (let i = 0; i < count; i += 1) this.#guard(writeLine, places[i] as Ended);
  }

  #guard(write: (ended: Ended, signals: Signals) => void, ended: Ended): void {
    try {
      write(ended, this.#signals);
    } catch (error) {
      this.#onFault(error);
    }
  }
}

function recordMetrics(ended: Ended, { meters }: Signals): void {
  const { kind, ids, firstByteMs, streamEvents } = ended;
  if (kind === undefined) return;
  kind.duration.observe(ended.durationMs / 1000, ids);
  kind.requestSize.observe(ended.requestBytes);
  kind.responseSize.observe(ended.responseBytes);
  if (firstByteMs !== undefined) kind.firstByte.observe(firstByteMs / 1000, ids);
  if (streamEvents === undefined) return;
  meters.httpStreamEvents.bind({ http_route: kind.of.route }).inc(streamEvents);
  meters.httpStreamGap.bind({ http_route: kind.of.route }).observe((ended.longestGapMs ?? 0) / 1000);
}

function writeSpan(ended: Ended, { spans }: Signals): void {
  const { kind } = ended;
  if (ended.hasSpan && kind?.span !== undefined) spans.requests?.write(kind.span, ended, ended);
}

function writeLine(ended: Ended): void {
  if (ended.hasLine) ended.kind?.line?.write(ended);
}

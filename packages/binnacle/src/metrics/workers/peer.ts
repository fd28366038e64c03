/** One worker as its gatherer sees it: what it has told, and how long ago. */
import type { Source } from './aggregate.ts';
import type { Pass } from './reader.ts';
import { atOnce, inSlices } from './slices.ts';
import type { Turns } from './turns.ts';
import type { Place } from './whole-family.ts';
import type { Downward, Upward } from './wire.ts';

export type Report = Extract<Upward, { type: 'slice' }>;

export interface PeerOptions {
  readonly place: Place;
  readonly source: Source;
  readonly turns: Turns;
  /** Sends without ever throwing; what cannot be sent is lost with the worker. */
  send(message: Downward): void;
  readonly gatherer: string;
  /** Called with what made no sense in a report, once. */
  onNonsense(error: unknown): void;
}

export class Peer {
  readonly place: Place;
  /** When the last pass ended, in monotonic milliseconds. */
  heardAt: number = performance.now();
  /** It let a deadline pass, and is not waited for again before it has answered. */
  late: boolean = false;
  readonly #options: PeerOptions;
  #pass = 0;
  #answered: ((report: Report | undefined) => void) | undefined;
  /** When what is outstanding was asked, in monotonic milliseconds. */
  #askedAt = 0;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #ended = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.place = options.place;
  }

  /** True while it is asked. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** True where one question stays without an answer for so long; many that are answered in turn may take longer. */
  isSilentFor(ms: number): boolean {
    return this.#answered !== undefined && performance.now() - this.#askedAt >= ms;
  }

  /** Reads all that is new, after what is under way. At most one message at a time is waited for. */
  read(pass: Pass, waitMs: number): Promise<void> {
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      await this.#read(pass, waitMs);
      this.#waiting -= 1;
    });
    return this.#work;
  }

  async #read(pass: Pass, waitMs: number): Promise<void> {
    this.#pass += 1;
    for (let first = true; !this.#ended; first = false) {
      const giveBack = await this.#options.turns.take();
      const report = await this.#pull(pass, first, waitMs);
      giveBack();
      if (report === undefined) return;
      if (report.done) break;
    }
    this.heardAt = performance.now();
  }

  #pull({ whole, exemplars }: Pass, first: boolean, waitMs: number): Promise<Report | undefined> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve(undefined);
      this.#answered = resolve;
      this.#askedAt = performance.now();
      const { gatherer, send } = this.#options;
      send({ type: 'pull', gatherer, pass: this.#pass, first, whole, exemplars, waitMs });
    });
  }

  /** Takes a slice in, asked for or not. */
  report(report: Report): void {
    if (this.#ended) return;
    try {
      this.#options.source.apply(report.slice);
    } catch (error) {
      this.#options.onNonsense(error);
      void this.leave();
      return;
    }
    if (report.pass !== this.#pass) return;
    this.late = false;
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(report);
  }

  /** It is gone: nothing more is waited for, its gauges go. */
  leave(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#ended = true;
    this.late = false;
    this.#answered?.(undefined);
    return inSlices(this.#options.source.leave());
  }

  /** The same at once, for an end. */
  leaveAtOnce(): void {
    this.#ended = true;
    this.#answered?.(undefined);
    atOnce(this.#options.source.leave());
  }
}

/** Reports a worker's metrics to whoever gathers, and asks it for the whole when the scrape comes to this worker. */
import type { View } from '../registry.ts';
import { Aggregate } from './aggregate.ts';
import { type Pass, Reader } from './reader.ts';
import { inSlices } from './slices.ts';
import { within, withResolvers } from './turns.ts';
import type { Downward, Upward } from './wire.ts';

/**
 * How long a gatherer may take to make itself known to a new worker, and to answer a scrape whole, in milliseconds.
 * Scrapes wait for the former only that long after the start: where nothing gathers, they are not delayed later.
 */
const WELCOME_MS = 2000;
const ANSWER_MS = 5000;
const LOST = 'whoever gathered is gone';
/** Slices that a worker sends unasked at its end. */
const LAST_SLICES = 64;

export interface ReporterOptions {
  /** Sends without ever throwing. */
  send(message: Upward): void;
  /** What there is to report, read for a pass. */
  prepare(pass: Pass, waitMs: number): Promise<View>;
  /** What was counted until now, at once. */
  last(): View;
  readonly thread: boolean;
}

type Part = Extract<Downward, { type: 'part' }>;
type Pull = Extract<Downward, { type: 'pull' }>;

export class Reporter {
  readonly #options: ReporterOptions;
  #reader: Reader;
  #gatherer: string | undefined;
  /** Once a gatherer was found there is no going back to the figures of this worker alone: counters would fall. */
  #found = false;
  #welcomed: () => void = () => {};
  readonly #welcome: Promise<void>;
  readonly #startedAt: number = performance.now();
  #asks = 0;
  #asking: Promise<View> | undefined;
  #part: ((part: Part | undefined) => void) | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#reader = new Reader({ thread: options.thread });
    this.#welcome = new Promise((resolve) => {
      this.#welcomed = resolve;
    });
  }

  /** Makes itself known. To be called again where the way to the gatherer is a new one. */
  hello(): void {
    this.#options.send({ type: 'hello' });
  }

  hear(message: Downward): void {
    if (message.type === 'who') {
      if (this.#gatherer === undefined) this.hello();
    } else if (message.type === 'welcome') this.#join(message.gatherer);
    else if (message.gatherer !== this.#gatherer) return;
    else if (message.type === 'pull') this.#report(message).catch(() => {});
    else if (message.type === 'part') this.#part?.(message);
    else if (message.type === 'bye') this.lost();
  }

  /** The gatherer is no more: another one gets everything from the beginning. */
  lost(): void {
    this.#gatherer = undefined;
    this.#reader = new Reader({ thread: this.#options.thread });
    this.#part?.(undefined);
  }

  #join(gatherer: string): void {
    if (this.#gatherer !== undefined) return;
    this.#gatherer = gatherer;
    this.#found = true;
    this.#options.send({ type: 'join', gatherer });
    this.#welcomed();
  }

  async #report({ gatherer, pass, first, whole, exemplars, waitMs }: Pull): Promise<void> {
    const reader = this.#reader;
    if (first) {
      const view = await this.#options.prepare({ whole, exemplars }, waitMs);
      if (reader !== this.#reader) return;
      reader.begin(view, { whole, exemplars });
    }
    this.#options.send({ type: 'slice', gatherer, pass, ...reader.next() });
  }

  /**
   * The whole, from the gatherer. Undefined where nothing gathers; throws where it does and does not answer in time.
   */
  async whole(exemplars: boolean): Promise<View | undefined> {
    const left = WELCOME_MS - (performance.now() - this.#startedAt);
    if (!this.#found && !(left > 0 && (await within(left, this.#welcome)))) return undefined;
    this.#asking ??= this.#ask(exemplars).finally(() => {
      this.#asking = undefined;
      this.#part = undefined;
    });
    return this.#asking;
  }

  async #ask(exemplars: boolean): Promise<View> {
    const ask = ++this.#asks;
    const aggregate = new Aggregate({ maxSeries: {}, onLeftOut() {} });
    const source = aggregate.source({ worker: '', thread: '' });
    const { promise, resolve, reject } = withResolvers<void>();
    this.#part = (part) => {
      if (part === undefined) return reject(new Error(LOST));
      if (part.ask !== ask) return;
      try {
        source.apply(part.slice);
      } catch (error) {
        return reject(error);
      }
      if (part.done) resolve();
      else this.#options.send({ type: 'more', gatherer: part.gatherer, ask });
    };
    if (this.#gatherer === undefined) reject(new Error(LOST));
    else this.#options.send({ type: 'ask', gatherer: this.#gatherer, ask, exemplars });
    if (!(await within(ANSWER_MS, promise))) throw new Error(`no answer within ${ANSWER_MS} ms`);
    await promise;
    await inSlices(aggregate.settle());
    return aggregate.view();
  }

  /** Sends what was counted and is not told yet, at the end of the worker. As much as goes out at once. */
  flush(): void {
    const gatherer = this.#gatherer;
    if (gatherer === undefined) return;
    this.#reader.begin(this.#options.last(), { whole: false, exemplars: false });
    for (let sent = 0; sent < LAST_SLICES; sent += 1) {
      const next = this.#reader.next();
      this.#options.send({ type: 'slice', gatherer, pass: 0, ...next });
      if (next.done) return;
    }
  }

  /** Tells the last and leaves. */
  leave(): void {
    this.flush();
    if (this.#gatherer !== undefined) this.#options.send({ type: 'leave', gatherer: this.#gatherer });
    this.lost();
  }
}

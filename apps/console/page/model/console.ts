/** All that the page knows: each event goes to where it belongs, and whoever looks is told. */
import { Moments } from './history.ts';
import { Logs } from './logs.ts';
import { Metrics } from './metrics.ts';
import { Spans } from './spans.ts';
import type { ConsoleEventName, ConsoleEvents, Hello, Skipped } from './wire.ts';

export type Signal = Skipped['signal'];

export class Console {
  version = 0;
  hello: Hello | undefined;
  /** The store began afresh while the page was open: what was shown before is gone. */
  restarted = false;
  skipped: Record<Signal, number> = { spans: 0, logs: 0, metrics: 0 };
  readonly spans: Spans = new Spans();
  readonly logs: Logs = new Logs();
  readonly metrics: Metrics = new Metrics();
  readonly moments: Moments = new Moments();
  readonly #listeners = new Set<() => void>();
  /** How far the server's clock is ahead of this one, in milliseconds. */
  #ahead = 0;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The server's time, so that what runs there has the age that it has. */
  now(): number {
    return this.#now() + this.#ahead;
  }

  /** @returns what ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** @param size of the data, in UTF-16 units of JSON */
  apply<K extends ConsoleEventName>(name: K, data: ConsoleEvents[K], size: number): void {
    this.#appliers[name](data, size);
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }

  forgetRestart(): void {
    this.restarted = false;
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }

  readonly #appliers: { readonly [K in ConsoleEventName]: (data: ConsoleEvents[K], size: number) => void } = {
    hello: (hello) => this.#begin(hello),
    spans: (spans, size) => this.spans.add(spans, size),
    logs: (lines, size) => this.logs.add(lines, size),
    metrics: (update) => this.metrics.add(update),
    live: (moment) => this.moments.setLive(moment),
    chunks: (chunks) => this.spans.addChunks(chunks),
    health: (moment) => this.moments.setHealth(moment),
    telemetry: (moment) => this.moments.setTelemetry(moment),
    skipped: ({ signal, count }) => {
      this.skipped = { ...this.skipped, [signal]: (this.skipped[signal] ?? 0) + count };
    },
  };

  #begin(hello: Hello): void {
    const isOther = this.hello !== undefined && this.hello.instance !== hello.instance;
    if (isOther) this.restarted = true;
    // All that the store holds follows: what the page has would be there twice.
    if (isOther || !hello.resumed) this.#clear();
    this.hello = hello;
    this.#ahead = hello.now - this.#now();
  }

  #clear(): void {
    this.spans.clear();
    this.logs.clear();
    this.metrics.clear();
    this.moments.clear();
    this.skipped = { spans: 0, logs: 0, metrics: 0 };
  }
}

/**
 * Watches one answer leave: first byte, bytes, events and gaps. The instance's own `write`, `end`, `flushHeaders` and
 * `destroy` are wrapped; no class is patched.
 */
import type { ServerResponse } from 'node:http';
import { type EventCounter, eventCounterFor } from './events.ts';

export interface ResponseWatch {
  /** When the first byte left, by the clock; undefined while none did. */
  readonly firstByteAt: number | undefined;
  /** Bytes of the body so far. */
  readonly bytes: number;
  /** Events so far; undefined when the answer is no stream of events. */
  readonly events: number | undefined;
  onNextPiece(listener: (now: number) => void): void;
  /** The longest time without an event so far, in milliseconds, up to `now`. */
  longestGap(now: number): number;
  /** True when the server itself tore the answer down. */
  readonly destroyed: boolean;
}

/** Codes whose answers have no body, whatever is written. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

type Write = (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
type End = (chunk?: unknown, encoding?: unknown, callback?: unknown) => ServerResponse;

/** Starts watching. `now` is monotonic milliseconds. */
export function watchResponse(res: ServerResponse, isHead: boolean, now: () => number): ResponseWatch {
  const watch = new Watch(res, isHead, now);
  const { write, end, flushHeaders, destroy } = res as unknown as {
    write: Write;
    end: End;
    flushHeaders: () => void;
    destroy: ServerResponse['destroy'];
  };
  // What stands in for a response (`inject`'s) may end by a `write` of its own: it is the same bytes.
  let ending = false;
  Object.assign(res, {
    write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
      if (!ending) watch.pass(chunk, encoding);
      return write.call(res, chunk, encoding, callback);
    },
    end(chunk?: unknown, encoding?: unknown, callback?: unknown): ServerResponse {
      watch.pass(typeof chunk === 'function' ? undefined : chunk, encoding);
      watch.finish();
      ending = true;
      try {
        return end.call(res, chunk, encoding, callback);
      } finally {
        ending = false;
      }
    },
    flushHeaders(): void {
      watch.pass(undefined, undefined);
      flushHeaders.call(res);
    },
    destroy(error?: Error): ServerResponse {
      // Node, and whoever pipes into the answer, destroy it once its socket is gone: that was the client.
      if (res.req?.socket?.destroyed !== true) watch.destroyed = true;
      return destroy.call(res, error);
    },
  });
  return watch;
}

class Watch implements ResponseWatch {
  firstByteAt: number | undefined;
  bytes = 0;
  events: number | undefined;
  destroyed = false;
  readonly #res: ServerResponse;
  readonly #isHead: boolean;
  readonly #now: () => number;
  #counter: EventCounter | undefined;
  #lastEventAt = 0;
  #waiting: ((now: number) => void)[] = [];
  #gap = 0;

  constructor(res: ServerResponse, isHead: boolean, now: () => number) {
    this.#res = res;
    this.#isHead = isHead;
    this.#now = now;
  }

  pass(chunk: unknown, encoding: unknown): void {
    if (this.firstByteAt === undefined) this.#open();
    if (!isBody(chunk) || this.#isHead || BODILESS.has(this.#res.statusCode)) return;
    if (this.#waiting.length > 0) for (const listener of this.#waiting.splice(0)) listener(this.#now());
    this.bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, toEncoding(encoding)) : chunk.byteLength;
    if (this.#counter !== undefined) this.#count(this.#counter.feed(chunk));
  }

  /** Calls back once, when the next piece of the body passes. */
  onNextPiece(listener: (now: number) => void): void {
    this.#waiting.push(listener);
  }

  /** The last byte was handed over. */
  finish(): void {
    if (this.#counter !== undefined) this.#count(this.#counter.end());
  }

  #count(events: number): void {
    if (events === 0) return;
    const now = this.#now();
    this.events = (this.events ?? 0) + events;
    this.#gap = Math.max(this.#gap, now - this.#lastEventAt);
    this.#lastEventAt = now;
  }

  longestGap(now: number): number {
    return Math.max(this.#gap, now - this.#lastEventAt);
  }

  /** What kind of answer it is can be told once, when its first byte leaves: its headers are complete then. */
  #open(): void {
    this.firstByteAt = this.#now();
    this.#lastEventAt = this.firstByteAt;
    const type = this.#res.getHeader('content-type');
    if (typeof type !== 'string' || this.#res.hasHeader('content-encoding')) return;
    this.#counter = eventCounterFor(type);
    if (this.#counter !== undefined) this.events = 0;
  }
}

function isBody(chunk: unknown): chunk is string | Uint8Array {
  return typeof chunk === 'string' || chunk instanceof Uint8Array;
}

function toEncoding(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

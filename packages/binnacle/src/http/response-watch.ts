/**
 * Watches one answer leave: first byte, bytes, events and gaps. The instance's own `write`, `end`, `writeHead`,
 * `flushHeaders` and `destroy` are wrapped; no class is patched. The wrappers are the same functions for all answers,
 * and find what they wrap beside the answer: closures for each would cost more than all they do.
 */
import { Buffer } from 'node:buffer';
import { ServerResponse } from 'node:http';
import { type EventCounter, eventCounterFor } from './events.ts';

const WATCH: unique symbol = Symbol('binnacle.watch');

type Write = (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
type End = (chunk?: unknown, encoding?: unknown, callback?: unknown) => ServerResponse;
type WriteHead = (status: number, ...rest: unknown[]) => ServerResponse;

/** An answer as its wrappers see it. */
type Watched = ServerResponse & { [WATCH]: ResponseWatch };
type Methods = {
  write: Write;
  end: End;
  writeHead: WriteHead;
  flushHeaders: () => void;
  destroy: ServerResponse['destroy'];
};

/** Starts watching. `now` is monotonic milliseconds; the answer gets `requestId` as its `x-request-id`, unless it has one. */
export function watchResponse(
  res: ServerResponse,
  isHead: boolean,
  now: () => number,
  requestId: string,
): ResponseWatch {
  const watch = new ResponseWatch(originalOf(res as unknown as Methods), isHead, now, requestId);
  const methods = res as unknown as Methods;
  (res as Watched)[WATCH] = watch;
  methods.write = write;
  methods.end = end as End;
  methods.flushHeaders = flushHeaders;
  methods.destroy = destroy;
  // HTTP/2 answers take their headers in other ways as well.
  if (res.req?.httpVersionMajor === 2) res.setHeader('x-request-id', requestId);
  else methods.writeHead = writeHead as WriteHead;
  return watch;
}

function write(this: unknown, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  const watch = (this as Watched)[WATCH];
  // What stands in for a response (`inject`'s) may end by a `write` of its own: it is the same bytes.
  if (!watch.ending) watch.pass(this as Watched, chunk, encoding);
  return watch.original.write.call(this, chunk, encoding, callback);
}

function end(this: unknown, chunk?: unknown, encoding?: unknown, callback?: unknown): ServerResponse {
  const watch = (this as Watched)[WATCH];
  watch.pass(this as Watched, typeof chunk === 'function' ? undefined : chunk, encoding);
  watch.finish();
  watch.ending = true;
  try {
    return watch.original.end.call(this, chunk, encoding, callback);
  } finally {
    watch.ending = false;
  }
}

function flushHeaders(this: unknown): void {
  const watch = (this as Watched)[WATCH];
  watch.pass(this as Watched, undefined, undefined);
  watch.original.flushHeaders.call(this);
}

function destroy(this: unknown, error?: Error): ServerResponse {
  const { [WATCH]: watch, req } = this as Watched;
  // Node, and whoever pipes into the answer, destroy it once its socket is gone: that was the client.
  if (req?.socket?.destroyed !== true) watch.destroyed = true;
  return watch.original.destroy.call(this as ServerResponse, error);
}

function writeHead(this: unknown, status: number, reason?: unknown, headers?: unknown): ServerResponse {
  const res = this as Watched;
  const watch = res[WATCH];
  const at = typeof reason === 'string' ? 1 : 0;
  const given = at === 0 ? (reason ?? headers) : headers;
  // What is given here wins over what was set before.
  if (!isPlain(given) || res.headersSent || res.getHeaderNames().length > 0) {
    if (!res.headersSent && !res.hasHeader(REQUEST_ID)) res.setHeader(REQUEST_ID, watch.requestId);
    return watch.original.writeHead.call(res, status, reason, headers);
  }
  // Without headers set before, Node takes these as they are, and tells nobody of them: one that is set here makes it
  // merge them, for more.
  const pairs = watch.readHead(given);
  // Whoever wraps Node's own may know headers as an object alone.
  const all = watch.original.writeHead === NODES_WRITE_HEAD ? pairs : objectOf(pairs);
  return at === 0
    ? watch.original.writeHead.call(res, status, all)
    : watch.original.writeHead.call(res, status, reason, all);
}

const NODES_WRITE_HEAD = ServerResponse.prototype.writeHead as unknown as WriteHead;

/** Headers as names and values, one after another. */
function objectOf(pairs: readonly unknown[]): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (let i = 0; i < pairs.length; i += 2) headers[pairs[i] as string] = pairs[i + 1];
  return headers;
}

const REQUEST_ID = 'x-request-id';
const CONTENT_TYPE = 'content-type';
const CONTENT_ENCODING = 'content-encoding';

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is known of one answer; it does not hold it. */
export class ResponseWatch {
  /** When the first byte left, by the clock; undefined while none did. */
  firstByteAt: number | undefined;
  /** Bytes of the body so far. */
  bytes = 0;
  /** Events so far; undefined when the answer is no stream of events. */
  events: number | undefined;
  /** True when the server itself tore the answer down. */
  destroyed = false;
  /** True while `end` runs. */
  ending = false;
  readonly requestId: string;
  /** The methods that were there before. */
  readonly original: Methods;
  readonly #isHead: boolean;
  readonly #now: () => number;
  #counter: EventCounter | undefined;
  #lastEventAt = 0;
  #waiting: ((now: number) => void)[] | undefined;
  #gap = 0;
  /** Of the headers that `writeHead` was given alone. */
  #type: unknown;
  #encoding: unknown;

  constructor(original: Methods, isHead: boolean, now: () => number, requestId: string) {
    this.original = original;
    this.#isHead = isHead;
    this.#now = now;
    this.requestId = requestId;
  }

  /** Reads headers that the answer itself will not tell of; gives them in a row, with the request's id among them. */
  readHead(headers: Readonly<Record<string, unknown>>): unknown[] {
    // In a row, since Node takes it as it is: a copy of the object would cost more, here and there.
    const names = Object.keys(headers);
    const pairs: unknown[] = new Array(2 + names.length * 2);
    pairs[0] = REQUEST_ID;
    pairs[1] = this.requestId;
    let to = 2;
    let hasId = false;
    for (const name of names) {
      const value = headers[name];
      pairs[to++] = name;
      pairs[to++] = value;
      if (name === CONTENT_TYPE) this.#type = value;
      if (name.length !== REQUEST_ID.length && name.length !== CONTENT_ENCODING.length) continue;
      const lower = name.toLowerCase();
      if (lower === REQUEST_ID) hasId = true;
      else if (lower === CONTENT_TYPE) this.#type = value;
      else if (lower === CONTENT_ENCODING) this.#encoding = value;
    }
    return hasId ? pairs.slice(2) : pairs;
  }

  pass(res: ServerResponse, chunk: unknown, encoding: unknown): void {
    if (this.firstByteAt === undefined) this.#open(res);
    if (!isBody(chunk) || this.#isHead || isBodiless(res.statusCode)) return;
    if (this.#waiting !== undefined) this.#tellWaiting(this.#waiting);
    this.bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, toEncoding(encoding)) : chunk.byteLength;
    if (this.#counter !== undefined) this.#count(this.#counter.feed(chunk));
  }

  /** Calls back once, when the next piece of the body passes. */
  onNextPiece(listener: (now: number) => void): void {
    this.#waiting ??= [];
    this.#waiting.push(listener);
  }

  /** The last byte was handed over. */
  finish(): void {
    if (this.#counter !== undefined) this.#count(this.#counter.end());
  }

  /** The longest time without an event so far, in milliseconds, up to `now`. */
  longestGap(now: number): number {
    return Math.max(this.#gap, now - this.#lastEventAt);
  }

  #tellWaiting(waiting: readonly ((now: number) => void)[]): void {
    this.#waiting = undefined;
    for (const listener of waiting) listener(this.#now());
  }

  #count(events: number): void {
    if (events === 0) return;
    const now = this.#now();
    this.events = (this.events ?? 0) + events;
    this.#gap = Math.max(this.#gap, now - this.#lastEventAt);
    this.#lastEventAt = now;
  }

  /** What kind of answer it is can be told once, when its first byte leaves: its headers are complete then. */
  #open(res: ServerResponse): void {
    this.firstByteAt = this.#now();
    this.#lastEventAt = this.firstByteAt;
    const type = this.#type ?? res.getHeader(CONTENT_TYPE);
    if (typeof type !== 'string' || this.#encoding !== undefined || res.hasHeader(CONTENT_ENCODING)) return;
    this.#counter = eventCounterFor(type);
    if (this.#counter !== undefined) this.events = 0;
  }
}

/** Answers of one class have the same methods, as a rule: they are looked up once for all of them. */
let latest: Methods | undefined;

function originalOf({ write, end, writeHead, flushHeaders, destroy }: Methods): Methods {
  if (
    latest === undefined ||
    latest.write !== write ||
    latest.end !== end ||
    latest.writeHead !== writeHead ||
    latest.flushHeaders !== flushHeaders ||
    latest.destroy !== destroy
  )
    latest = { write, end, writeHead, flushHeaders, destroy };
  return latest;
}

/** Whether answers of a code have no body, whatever is written. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

function isBody(chunk: unknown): chunk is string | Uint8Array {
  return typeof chunk === 'string' || chunk instanceof Uint8Array;
}

function toEncoding(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

/**
 * The pages that are open, each with one stream of Server-Sent Events: first all that is held, then what happens, at
 * most five times a second. A page that reads slowly is told less, and how much that was; nothing is kept for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { runInScope } from '../context.ts';
import type { Clock } from '../signals.ts';
import { beginning, cursorOf } from './cursor.ts';
import { Feed } from './feed.ts';
import { headerOf, SAFE_HEADERS } from './headers.ts';
import type { ConsoleOptions } from './server.ts';
import type { Hello } from './wire.ts';

/** Pages at once. */
export const MOST_PAGES = 8;
/** The time between two tellings of what happens, in milliseconds. */
const TICK_MS = 200;
/** Of them, one in so many tells of the telemetry itself. */
const TELEMETRY_EVERY = 10;
/** A silent stream says that it is alive so often, and one whose reader takes nothing for so long is ended. */
const HEARTBEAT_MS = 15_000;
const STALLED_MS = 60_000;
/** Events that a stream which is ended may still tell, and bytes that may wait before each. */
const LAST_EVENTS = 20;
const LAST_BYTES = 512 * 1024;
/** How long a stream that was ended may take to leave, in milliseconds. */
const GOODBYE_MS = 500;
/** How long a page waits before it comes again, in milliseconds. */
const RETRY_MS = 2000;

export type PagesOptions = Pick<ConsoleOptions, 'store' | 'about' | 'live' | 'telemetry'> & { readonly clock: Clock };

export class Pages {
  readonly #options: PagesOptions;
  readonly #pages = new Set<Page>();
  #cancel: (() => void) | undefined;
  #ticks = 0;
  #closed = false;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pages.size;
  }

  get isFull(): boolean {
    return this.#closed || this.#pages.size >= MOST_PAGES;
  }

  /** Opens a page's stream, from where `after` says, if that can still be told. */
  open(req: IncomingMessage, res: ServerResponse, after: string | undefined): void {
    const { store, about, clock } = this.#options;
    const known = after === undefined ? undefined : cursorOf(after, store);
    const feed = new Feed(store, known ?? beginning(store));
    const page = new Page(req, res, feed, clock);
    this.#pages.add(page);
    res.once('close', () => {
      page.gone = true;
      this.#pages.delete(page);
    });
    // Of an answer that broke off while it was written to: it closes, and nobody else is to hear of it.
    res.on('error', () => {});
    const hello: Hello = { instance: store.instance, ...about, now: clock.wall(), resumed: known !== undefined };
    page.begin(feed.event('hello', JSON.stringify(hello)));
    this.#tellMoments([page], true);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    for (const page of this.#pages) page.end();
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#closed || this.#pages.size === 0) return;
    const tick = (): void => {
      this.#cancel = undefined;
      try {
        this.#tick();
      } catch {
        // A turn that cannot be told is left out: nothing of it may reach the host.
      }
      this.#arm();
    };
    // Of no request: it goes on when that of the page which happened to start it has ended.
    this.#cancel = runInScope({ otel: ROOT_CONTEXT }, () => this.#options.clock.setTimer(tick, TICK_MS));
  }

  #tick(): void {
    if (this.#pages.size === 0) return;
    this.#ticks += 1;
    for (const page of this.#pages) page.look();
    this.#tellMoments(this.#pages, this.#ticks % TELEMETRY_EVERY === 0);
  }

  /** What is, made once for all pages. */
  #tellMoments(pages: Iterable<Page>, withTelemetry: boolean): void {
    const { live, telemetry } = this.#options;
    const moment = live?.();
    const isNow = moment && JSON.stringify({ requests: moment.requests, total: moment.total });
    const telling = withTelemetry ? telemetry?.() : undefined;
    for (const page of pages) {
      // The same again says nothing: what runs is shown to run by the page.
      if (moment !== undefined && page.lastLive !== isNow) page.feed.tell('live', JSON.stringify(moment));
      page.lastLive = isNow;
      if (telling !== undefined) page.feed.tell('telemetry', JSON.stringify(telling));
      page.pump();
    }
  }
}

class Page {
  readonly feed: Feed;
  lastLive: string | undefined;
  gone = false;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  #blockedSince: number | undefined;
  #pumps = false;
  #wroteAt: number;

  constructor(req: IncomingMessage, res: ServerResponse, feed: Feed, clock: Clock) {
    this.#req = req;
    this.#res = res;
    this.feed = feed;
    this.#clock = clock;
    this.#wroteAt = clock.now();
  }

  begin(hello: string): void {
    const { httpVersionMajor } = this.#req;
    this.#res.writeHead(200, {
      ...SAFE_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      // So that the connection goes with the stream, and a server that closes is not held up by it.
      ...(httpVersionMajor < 2 && { connection: 'close' }),
    });
    this.#write(`retry: ${RETRY_MS}\n\n${hello}`);
  }

  /** Sees to a stream that is silent, or whose reader is, and to one whose server has stopped listening. */
  look(): void {
    const now = this.#clock.now();
    if (this.#blockedSince !== undefined && now - this.#blockedSince > STALLED_MS) this.#res.destroy();
    else if (isClosing(this.#req)) this.end();
    else if (this.#blockedSince === undefined && now - this.#wroteAt > HEARTBEAT_MS) this.#write(':\n\n');
  }

  /** Tells what there is, an event at a time, with the event loop free in between, for as long as it is taken. */
  pump(): void {
    if (this.#pumps || this.gone || this.#blockedSince !== undefined) return;
    const event = this.feed.next();
    if (event === undefined) return;
    this.#write(event);
    this.#pumps = true;
    setImmediate(() => {
      this.#pumps = false;
      try {
        this.pump();
      } catch {
        // What it holds cannot be told; it begins anew, or stays away.
        this.#res.destroy();
      }
    });
  }

  /** Tells the last there is, unless its reader is far behind, and ends. */
  end(): void {
    if (this.gone) return;
    for (let left = LAST_EVENTS; left > 0 && this.#res.writableLength < LAST_BYTES; left -= 1) {
      const event = this.feed.next();
      if (event === undefined) break;
      this.#write(event);
    }
    this.gone = true;
    this.#res.end();
    // Nobody waits for a reader that does not read.
    const cancel = this.#clock.setTimer(() => this.#res.destroy(), GOODBYE_MS);
    this.#res.once('close', cancel);
  }

  #write(text: string): void {
    if (this.gone) return;
    this.#wroteAt = this.#clock.now();
    if (this.#res.write(text) || this.#blockedSince !== undefined) return;
    this.#blockedSince = this.#clock.now();
    this.#res.once('drain', () => {
      this.#blockedSince = undefined;
      this.pump();
    });
  }
}

/** The server takes no more connections: a page that stays would keep it, and its process, from ending. */
function isClosing({ socket }: IncomingMessage): boolean {
  return (socket as { server?: { listening?: boolean } }).server?.listening === false;
}

/** Where a page that comes again stood: browsers send a header by themselves, a script may write it into the URL. */
export function lastEventOf(req: IncomingMessage): string | undefined {
  return headerOf(req, 'last-event-id') ?? new URLSearchParams(req.url?.split('?')[1]).get('after') ?? undefined;
}

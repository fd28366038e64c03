/**
 * One HTTP exchange, from the request's first byte to the answer's last, with one ending that every signal reads.
 * Framework-neutral: adapters say the route and run their handlers within it.
 */
import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Attributes, Context } from '@opentelemetry/api';
import { type Carrier, type Ending, type Outcome, type RequestInHand, runInScope, type Scope } from '../context.ts';
import { roundMs } from '../duration.ts';
import type { EndedRequest, RequestSpan, Running, Series, SpanIds, Work } from '../signals.ts';
import { bindToExchange } from './bound.ts';
import { type Connection, connectionOf } from './connection.ts';
import { type Cut, cutBy } from './cut.ts';
import { beginSpan, type ExchangeSpan, type SpannedExchange } from './exchange-span.ts';
import { refuseRequest } from './refusal.ts';
import { type ResponseWatch, watchResponse } from './response-watch.ts';
import type { AboutPath, HttpServer } from './server.ts';

/** Why an exchange's signal was aborted. */
export class ExchangeAborted extends Error {
  override readonly cause: 'client_disconnect' | 'shutdown';
  /** What frameworks answer with, where it reaches them. */
  readonly statusCode = 503;
  constructor(cause: 'client_disconnect' | 'shutdown') {
    super(cause === 'shutdown' ? 'the service is shutting down' : 'the client went away');
    this.name = 'AbortError';
    this.cause = cause;
  }
}

/** The status label of a client that went away (nginx's convention). */
export const CLIENT_CLOSED_REQUEST = 499;

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'QUERY',
]);
export const UNMATCHED = '__unmatched__';

/**
 * The one that ended last, which lets go of its request and answer once another has ended: V8 throws away what it compiled
 * for a kind of object when it finds none of them.
 */
let latest: Exchange | undefined;

export class Exchange implements Carrier, Scope, SpannedExchange, EndedRequest, Work, Running {
  readonly request: RequestInHand;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As in `network.protocol.version`. */
  readonly protocol: string;
  /** The path, without query. */
  readonly path: string;
  /** Not traced, and its closing line is DEBUG (`OTEL_NODE_EXCLUDED_URLS`). */
  readonly excluded: boolean;
  readonly isProbe: boolean;
  /** A reader of the telemetry itself (the console), which it does not count. */
  readonly isOwn: boolean;
  readonly startedAt: number;
  route: string = UNMATCHED;
  isMatched = false;
  requestBytes = 0;
  /** Let in; false for work that came after the gate was closed, which `refuse` answers. */
  readonly admitted: boolean;
  readonly watch: ResponseWatch;
  readonly connection: Connection;
  /** Its neighbours among those that are open on the connection; the connection's to write. */
  before: Exchange | undefined;
  after: Exchange | undefined;
  place: number | undefined;
  /** The series that counts it while it is open. */
  active: Series | undefined;
  readonly #span: ExchangeSpan;
  readonly #server: HttpServer;
  /** Both until it has ended: what an idle connection keeps of its last request holds neither. */
  #req: IncomingMessage | undefined;
  #res: ServerResponse | undefined;
  #sentStatus: number | undefined;
  #controller: AbortController | undefined;
  #closing: Record<string, unknown> | undefined;
  #declared: Declared | undefined;
  #ending: Ending | undefined;
  #listeners: ((ending: Ending) => void)[] | undefined;
  #told = false;
  #spanTold = false;

  /** `about` is what its path says, unless whoever takes it in knows better. */
  constructor(server: HttpServer, req: IncomingMessage, res: ServerResponse, about?: AboutPath) {
    const { signals } = server;
    this.#server = server;
    this.#req = req;
    this.#res = res;
    this.connection = connectionOf(req);
    this.startedAt = signals.clock.now();
    this.method = METHODS.has(req.method as string) ? (req.method as string) : '_OTHER';
    this.scheme = this.connection.isEncrypted ? 'https' : 'http';
    this.protocol = req.httpVersion === '2.0' ? '2' : req.httpVersion;
    this.path = pathOf(req.url ?? '/');
    const { isExcluded, isProbe, isOwn } = about ?? server.about(this.path);
    this.excluded = isExcluded;
    this.isProbe = isProbe;
    this.isOwn = isOwn;
    this.admitted = isProbe || !server.gate.closed;
    this.request = server.describe(req, this);
    this.#span = beginSpan(signals.spans, signals.spans.extract(req.headers), this, this.excluded);
    // A page's stream is as long as a day: its events are not counted, which would read each of its bytes.
    const countsNothing = req.method === 'HEAD' || isOwn;
    this.watch = watchResponse(res, countsNothing, signals.clock.now, this.request.requestId);
    bindToExchange(this, req, res);
    this.#countBody(req);
  }

  /** The framework has the request: with a host's SDK, its span of the request becomes this one's, or one is made. */
  join(): void {
    this.#span.join();
  }

  get running(): Running {
    return this;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Fields that the closing line will say. */
  get closing(): Record<string, unknown> {
    this.#closing ??= {};
    return this.#closing;
  }

  /** The same, where there are any. */
  get noted(): Record<string, unknown> | undefined {
    return this.#closing;
  }

  get otel(): Context {
    return this.#span.context;
  }

  get ids(): SpanIds | undefined {
    return this.#span.ids;
  }

  /** The code that was sent, or undefined while none was. */
  get sentStatus(): number | undefined {
    const res = this.#res;
    if (res === undefined) return this.#sentStatus;
    return res.headersSent ? res.statusCode : undefined;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get durationMs(): number {
    return this.#ending?.durationMs ?? 0;
  }

  get firstByteAt(): number | undefined {
    return this.watch.firstByteAt;
  }

  get firstByteMs(): number | undefined {
    const { firstByteAt } = this.watch;
    return firstByteAt === undefined ? undefined : firstByteAt - this.startedAt;
  }

  get responseBytes(): number {
    return this.watch.bytes;
  }

  get streamEvents(): number | undefined {
    return this.watch.events;
  }

  /** The longest time without an event, in milliseconds; undefined when the answer was no stream of events. */
  get longestGapMs(): number | undefined {
    if (this.watch.events === undefined || this.#ending === undefined) return undefined;
    return roundMs(this.watch.longestGap(this.startedAt + this.#ending.durationMs));
  }

  /** Says the route's template; the span is renamed by it. */
  matched(route: string | undefined): void {
    if (route === undefined || route === '') return;
    this.route = route;
    this.isMatched = true;
    this.#span.matched(route);
  }

  spanName(): string {
    return this.isMatched ? `${this.method} ${this.route}` : this.method;
  }

  spanAttributes(): Attributes {
    const attributes: Attributes = {
      'http.request.method': this.method,
      'url.scheme': this.scheme,
      'url.path': this.path,
      'network.protocol.version': this.protocol,
    };
    if (this.isMatched) attributes['http.route'] = this.route;
    if (this.request.ip !== undefined) attributes['client.address'] = this.request.ip;
    if (this.method === '_OTHER') attributes['http.request.method_original'] = String(this.#req?.method).slice(0, 32);
    return attributes;
  }

  /** Runs `work` with this request in hand. */
  run<T>(work: () => T): T {
    return runInScope(this, work);
  }

  declare(outcome: Outcome, errorType?: string): void {
    if (this.#ending !== undefined || (this.#declared !== undefined && this.#declared.outcome !== 'success')) return;
    this.#declared = { outcome, errorType, streamed: this.#res?.headersSent === true };
  }

  whenSettled(listener: (ending: Ending) => void): void {
    if (this.#told) {
      listener(this.#ending as Ending);
      return;
    }
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  onNextPiece(listener: (now: number) => void): void {
    this.watch.onNextPiece(listener);
  }

  /** The service shuts down: the work is told to end, and ends `cancelled`. */
  abort(): void {
    this.declare('cancelled', 'shutdown');
    this.#cancel('shutdown');
  }

  /** Answers work that was not let in: 503, to be tried elsewhere. */
  refuse(): void {
    if (this.#res !== undefined) refuseRequest(this.#res, this.request.requestId);
  }

  /** Tears the answer down, after `abort` was not heeded. */
  destroy(): void {
    this.declare('cancelled', 'shutdown');
    this.#res?.destroy();
  }

  /** The whole answer has left. */
  left(): void {
    this.#settle(true);
  }

  /** The connection is gone. */
  lost(): void {
    this.#settle(false);
  }

  #countBody(req: IncomingMessage): void {
    const { 'transfer-encoding': coding, 'content-length': length } = req.headers;
    const isAnnounced = coding !== undefined || (length !== undefined && Number(length) > 0);
    // HTTP/2 need not announce a body.
    if (!isAnnounced && req.httpVersionMajor < 2) return;
    // `data` listeners would start the flow; Node's parser hands each piece of the body to `push`.
    const push = req.push;
    req.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk instanceof Uint8Array) this.requestBytes += chunk.byteLength;
      else if (typeof chunk === 'string') this.requestBytes += Buffer.byteLength(chunk, encoding);
      return push.call(req, chunk, encoding);
    };
  }

  #cancel(cause: 'client_disconnect' | 'shutdown'): void {
    this.#controller ??= new AbortController();
    if (!this.#controller.signal.aborted) this.#controller.abort(new ExchangeAborted(cause));
  }

  #settle(finished: boolean): void {
    const req = this.#req;
    const res = this.#res;
    if (this.#ending !== undefined || req === undefined || res === undefined) return;
    const durationMs = roundMs(this.#server.signals.clock.now() - this.startedAt);
    const ending = this.#decide(cutBy(req, res, finished, this.watch.destroyed), durationMs);
    this.#ending = ending;
    if (ending.errorType !== 'client_disconnect') {
      // Nobody is there any more to answer to.
      if (ending.errorType === 'timeout' && !finished) this.#cancel('client_disconnect');
      this.#tell(ending);
      return;
    }
    // The work hears of it first and ends within this turn, so that its phases and calls are in the closing line.
    this.#cancel('client_disconnect');
    if (this.#span.endsWithEvent) this.#server.guard(() => void this.endSpan());
    setImmediate(() => this.#tell(ending));
  }

  #tell(ending: Ending): void {
    this.#told = true;
    const listeners = this.#listeners;
    if (listeners !== undefined) {
      this.#listeners = undefined;
      this.run(() => {
        for (const listener of listeners) this.#server.guard(() => listener(ending));
      });
    }
    this.#server.record(this, ending);
    latest?.letGo();
    latest = this;
  }

  /** Of its request and answer. */
  letGo(): void {
    this.#sentStatus = this.sentStatus;
    this.#req = undefined;
    this.#res = undefined;
  }

  /** Ends its span, once; gives what is yet to be written of it. */
  endSpan(): RequestSpan | undefined {
    if (this.#spanTold || this.#ending === undefined) return undefined;
    this.#spanTold = true;
    return this.#span.end(this.#ending);
  }

  #decide(cut: Cut | undefined, durationMs: number): Ending {
    const declared = this.#declared;
    const httpStatus = this.sentStatus;
    const failed = declared !== undefined && declared.outcome !== 'success';
    if (failed)
      return { outcome: declared.outcome, errorType: errorTypeOf(declared, httpStatus), httpStatus, durationMs };
    switch (cut) {
      case 'client':
        return { outcome: 'cancelled', errorType: 'client_disconnect', httpStatus: CLIENT_CLOSED_REQUEST, durationMs };
      case 'timeout':
        // Node answers a request that did not come in time by itself, with 408.
        return { outcome: 'timeout', errorType: 'timeout', httpStatus: httpStatus ?? 408, durationMs };
      case 'server':
        return { outcome: 'error', errorType: 'stream_error', httpStatus, durationMs };
    }
    const isError = httpStatus !== undefined && httpStatus >= 500;
    return {
      outcome: isError ? 'error' : 'success',
      errorType: isError ? String(httpStatus) : '',
      httpStatus,
      durationMs,
    };
  }
}

/** The path of a request's target, without query, decoded as routers decode it; of an absolute one (RFC 9112, 3.2.2) too. */
export function pathOf(target: string): string {
  const path = target.charCodeAt(0) === SLASH ? target : target.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
  const bare = cutAt(cutAt(path, '#'), '?') || '/';
  if (!bare.includes('%')) return bare;
  try {
    return decodeURI(bare);
  } catch {
    return bare;
  }
}

function cutAt(text: string, mark: string): string {
  const end = text.indexOf(mark);
  return end === -1 ? text : text.slice(0, end);
}

const SLASH = 47;

/** How the work said that it ended; `streamed` when the headers had left by then. */
interface Declared {
  readonly outcome: Outcome;
  readonly errorType: string | undefined;
  readonly streamed: boolean;
}

/** An answer with an error code says the code; a stream whose headers were fine says what cut it. */
function errorTypeOf({ outcome, errorType, streamed }: Declared, sent: number | undefined): string {
  if (errorType !== undefined) return errorType;
  if (sent !== undefined && sent >= 400) return String(sent);
  if (outcome !== 'error') return outcome;
  return streamed ? 'stream_error' : '';
}

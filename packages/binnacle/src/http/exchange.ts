/**
 * One HTTP exchange, from the request's first byte to the answer's last, with one ending that every signal reads.
 * Framework-neutral: adapters say the route and run their handlers within it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Context, isSpanContextValid, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { getRPCMetadata, type RPCMetadata, RPCType, suppressTracing } from '@opentelemetry/core';
import {
  activeContext,
  bindToScope,
  type Carrier,
  type Ending,
  type Outcome,
  type RequestInHand,
  runInScope,
  type Scope,
} from '../context.ts';
import { roundMs } from '../duration.ts';
import { cutBy } from './cut.ts';
import { refuseRequest } from './refusal.ts';
import { type ResponseWatch, watchResponse } from './response-watch.ts';
import type { HttpServer } from './server.ts';

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

export class Exchange implements Carrier {
  readonly request: RequestInHand;
  readonly closing: Record<string, unknown> = {};
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The path, without query. */
  readonly path: string;
  /** Not traced, and its closing line is DEBUG (`OTEL_NODE_EXCLUDED_URLS`). */
  readonly excluded: boolean;
  readonly startedAt: number;
  route: string = UNMATCHED;
  requestBytes = 0;
  /** Let in; false for work that came after the gate was closed, which `refuse` answers. */
  readonly admitted: boolean;
  readonly watch: ResponseWatch;
  /** Binnacle's own, or that of the host's SDK where it has made one for this request. */
  span: Span | undefined;
  #ownsSpan = true;
  #spanTold = false;
  /** What the host's HTTP instrumentation keeps of this request. */
  #rpc: RPCMetadata | undefined;
  readonly #server: HttpServer;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #scope: { -readonly [K in keyof Scope]: Scope[K] };
  #controller: AbortController | undefined;
  #declared: Declared | undefined;
  #ending: Ending | undefined;
  #listeners: ((ending: Ending) => void)[] = [];
  #told = false;

  constructor(server: HttpServer, req: IncomingMessage, res: ServerResponse) {
    this.#server = server;
    this.#req = req;
    this.#res = res;
    this.startedAt = server.signals.clock.now();
    this.method = METHODS.has(req.method ?? '') ? (req.method as string) : '_OTHER';
    this.scheme = 'encrypted' in req.socket && req.socket.encrypted ? 'https' : 'http';
    this.path = pathOf(req.url ?? '/');
    this.excluded = server.isExcluded(this.path);
    this.admitted = !server.gate.closed || server.isProbe(this.path);
    this.request = server.describe(req, this);
    const parent = server.signals.spans.extract(req.headers);
    // A host's SDK starts its span once the server's listeners are called: what it made is joined then.
    if (!this.excluded && !server.signals.spans.hosted) this.span = this.#startSpan(parent);
    this.#scope = { request: this.request, otel: this.excluded ? suppressTracing(parent) : this.#spanned(parent) };
    this.watch = watchResponse(res, req.method === 'HEAD', server.signals.clock.now);
    this.#listen();
  }

  /** The framework has the request: with a host's SDK, its span of the request becomes this one's, or one is made. */
  join(): void {
    if (this.span !== undefined || this.excluded) return;
    const active = activeContext();
    this.#rpc = getRPCMetadata(active);
    // Below it, a framework's own instrumentation may have made another span the active one.
    const hosts = this.#rpc?.type === RPCType.HTTP ? this.#rpc.span : trace.getSpan(active);
    this.#ownsSpan =
      hosts === undefined || hosts.spanContext().isRemote === true || !isSpanContextValid(hosts.spanContext());
    this.span = this.#ownsSpan ? this.#startSpan(this.#scope.otel) : hosts;
    this.#scope.otel = this.#ownsSpan ? this.#spanned(this.#scope.otel) : active;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The code that was sent, or undefined while none was. */
  get sentStatus(): number | undefined {
    return this.#res.headersSent ? this.#res.statusCode : undefined;
  }

  get socket(): Socket {
    return this.#req.socket;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Says the route's template; the span is renamed by it. */
  matched(route: string | undefined): void {
    if (route === undefined || route === '') return;
    this.route = route;
    this.span?.setAttribute('http.route', route);
    if (this.#ownsSpan) this.span?.updateName(`${this.method} ${route}`);
    // So frameworks tell the host's HTTP instrumentation, which names its span and labels its metrics by it.
    else if (this.#rpc !== undefined) this.#rpc.route ??= route;
  }

  /** The longest time without an event, in milliseconds; undefined when the answer was no stream of events. */
  get longestGapMs(): number | undefined {
    if (this.watch.events === undefined || this.#ending === undefined) return undefined;
    return roundMs(this.watch.longestGap(this.startedAt + this.#ending.durationMs));
  }

  /** Runs `work` with this request in hand. */
  run<T>(work: () => T): T {
    return runInScope(this.#scope, work);
  }

  declare(outcome: Outcome, errorType?: string): void {
    if (this.#ending !== undefined || (this.#declared !== undefined && this.#declared.outcome !== 'success')) return;
    this.#declared = { outcome, errorType, streamed: this.#res.headersSent };
  }

  whenSettled(listener: (ending: Ending) => void): void {
    if (this.#told) listener(this.#ending as Ending);
    else this.#listeners.push(listener);
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
    refuseRequest(this.#res, this.request.requestId);
  }

  /** Tears the answer down, after `abort` was not heeded. */
  destroy(): void {
    this.declare('cancelled', 'shutdown');
    this.#res.destroy();
  }

  /** The connection is gone. */
  lost(): void {
    this.#settle(false);
  }

  #spanned(parent: Context): Context {
    return this.span === undefined ? parent : trace.setSpan(parent, this.span);
  }

  #startSpan(parent: Context): Span {
    const { spans } = this.#server.signals;
    const attributes: Record<string, string> = {
      'http.request.method': this.method,
      'url.scheme': this.scheme,
      'url.path': this.path,
      'network.protocol.version': this.#req.httpVersion === '2.0' ? '2' : this.#req.httpVersion,
    };
    if (this.request.ip !== undefined) attributes['client.address'] = this.request.ip;
    if (this.method === '_OTHER') attributes['http.request.method_original'] = String(this.#req.method).slice(0, 32);
    return spans.start(this.method, SpanKind.SERVER, attributes, parent);
  }

  #listen(): void {
    const req = this.#req;
    bindToScope(req, this.#scope);
    bindToScope(this.#res, this.#scope);
    this.#res.once('finish', () => this.#settle(true));
    this.#res.once('close', () => this.#settle(false));
    // HTTP/2 need not announce a body.
    const announced = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0;
    if (!announced && req.httpVersionMajor < 2) return;
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
    if (this.#ending !== undefined) return;
    const durationMs = roundMs(this.#server.signals.clock.now() - this.startedAt);
    this.#ending = { ...this.#decide(finished), durationMs };
    if (this.#ending.errorType !== 'client_disconnect') {
      // Nobody is there any more to answer to.
      if (this.#ending.errorType === 'timeout' && !finished) this.#cancel('client_disconnect');
      this.#tell();
      return;
    }
    // The work hears of it first and ends within this turn, so that its phases and calls are in the closing line.
    this.#cancel('client_disconnect');
    // A host's span ends within this turn, by a listener of the same event.
    if (!this.#ownsSpan) this.#server.guard(() => this.#endSpan(this.#ending as Ending));
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#told = true;
    this.run(() => {
      const ending = this.#ending as Ending;
      for (const listener of this.#listeners.splice(0)) this.#server.guard(() => listener(ending));
      this.#server.guard(() => this.#endSpan(ending));
      this.#server.guard(() => this.#server.record(this, ending));
    });
  }

  #decide(finished: boolean): Omit<Ending, 'durationMs'> {
    const declared = this.#declared;
    const sent = this.sentStatus;
    const cut = cutBy(this.#req, this.#res, finished, this.watch.destroyed);
    const status = sent === undefined ? {} : { httpStatus: sent };
    const failed = declared !== undefined && declared.outcome !== 'success';
    if (cut === 'client' && !failed) {
      return { outcome: 'cancelled', errorType: 'client_disconnect', httpStatus: CLIENT_CLOSED_REQUEST };
    }
    if (failed) return { outcome: declared.outcome, errorType: errorTypeOf(declared, sent), ...status };
    // Node answers a request that did not come in time by itself, with 408.
    if (cut === 'timeout') return { outcome: 'timeout', errorType: 'timeout', httpStatus: sent ?? 408 };
    if (cut === 'server') return { outcome: 'error', errorType: 'stream_error', ...status };
    const code = sent ?? 0;
    return { outcome: code >= 500 ? 'error' : 'success', errorType: code >= 500 ? String(code) : '', ...status };
  }

  #endSpan(ending: Ending): void {
    const span = this.span;
    if (span === undefined || this.#spanTold) return;
    this.#spanTold = true;
    const sent = this.sentStatus;
    if (this.watch.firstByteAt !== undefined) span.addEvent('first_byte', this.watch.firstByteAt);
    if (sent !== undefined) span.setAttribute('http.response.status_code', sent);
    if (this.request.sessionId !== undefined) span.setAttribute('session.id', this.request.sessionId);
    if (ending.errorType !== '') span.setAttribute('error.type', ending.errorType);
    if (ending.errorType === 'client_disconnect') span.addEvent('client_disconnect');
    if (ending.outcome === 'error' || ending.outcome === 'timeout') span.setStatus({ code: SpanStatusCode.ERROR });
    if (this.#ownsSpan) span.end();
  }
}

/** The path of a request's target, without query, decoded as routers decode it; of an absolute one (RFC 9112, 3.2.2) too. */
export function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] || '/';
  if (!path.includes('%')) return path;
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

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

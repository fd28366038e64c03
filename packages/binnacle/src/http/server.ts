/** The HTTP server's side: begins exchanges and writes down how each ended. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ending, RequestInHand } from '../context.ts';
import { roundMs } from '../duration.ts';
import { closingFields } from '../endings.ts';
import type { TrustProxy } from '../settings.ts';
import type { Series, Signals } from '../signals.ts';
import { createAddressOf } from './address.ts';
import type { Backlog } from './backlog.ts';
import { exchangeOf } from './bound.ts';
import { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { createKinds, type Kind, levelOf } from './kind.ts';
import { requestIdFrom } from './request-id.ts';

export interface HttpServerOptions {
  readonly signals: Signals;
  readonly excludedUrls: readonly RegExp[];
  readonly trustProxy: TrustProxy;
  /** The logger of the closing line. */
  readonly logger: string;
  /** Paths that answer during a shutdown too. */
  readonly probes: ReadonlySet<string>;
  /** Whether a path is the console's, which is a probe that nothing counts; absent where it is not answered here. */
  readonly owns?: ((path: string) => boolean) | undefined;
  /** Who is asking, for `user_id`, from the framework's own request. */
  user?(request: object): string | undefined;
  readonly gate: Gate;
  readonly backlog: Backlog;
  /** Where a listener that throws is told. */
  readonly onFault: (error: unknown) => void;
}

/** What an exchange needs of its server. */
export interface HttpServer {
  readonly signals: Signals;
  readonly gate: Gate;
  /** The exchange of an answer: begun now, or the one begun before. */
  begin(req: IncomingMessage, res: ServerResponse, about?: AboutPath): Exchange;
  /** The id that a request's exchange has, or will have. */
  requestIdOf(req: IncomingMessage): string;
  /** Begins exchanges of a listener as Node announces them, before any framework's code; gives the way to stop. */
  watch(listener: object): () => void;
  about(path: string): AboutPath;
  /** Whether anybody says who the user is. */
  readonly identifies: boolean;
  /** Asks who the user is, once the framework knows. */
  identify(exchange: Exchange, request: object): void;
  describe(req: IncomingMessage, exchange: Exchange | undefined): RequestInHand;
  /** The exchange of a request that has begun. */
  exchangeOf(req: object): Exchange | undefined;
  record(exchange: Exchange, ending: Ending): void;
  guard(work: () => void): void;
}

const MAX_USER_ID = 128;
/** Node's own channel, published before a server's `request` event. */
const REQUEST_START = 'http.server.request.start';

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { signals } = options;
  const addressOf = createAddressOf(options.trustProxy);
  const { gate } = options;
  const requestIds = createRequestIds();
  const kindOf = createKinds(options);
  const activeOf = createActiveSeries(signals);
  const guard = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      options.onFault(error);
    }
  };

  const open = (req: IncomingMessage, res: ServerResponse, about?: AboutPath): Exchange => {
    const known = exchangeOf(req);
    if (known !== undefined) return known;
    const exchange = new Exchange(server, req, res, about);
    // What is refused is not waited for: a steady stream of it would keep a shutdown from ever being idle.
    if (exchange.admitted && !exchange.isProbe) gate.enter(exchange);
    exchange.connection.add(exchange);
    if (!exchange.isOwn) {
      exchange.active = activeOf(exchange);
      exchange.active.inc();
    }
    return exchange;
  };
  const server: HttpServer = {
    signals,
    gate,
    guard,
    begin(req, res, about) {
      const exchange = open(req, res, about);
      exchange.join();
      return exchange;
    },
    requestIdOf: (req) => exchangeOf(req)?.request.requestId ?? requestIds.of(req),
    watch(listener) {
      const onStart = (message: unknown): void => {
        const start = message as { request: IncomingMessage; response: ServerResponse; server: object };
        if (start.server !== listener) return;
        // Not by `guard`: a function made for each request would cost more than what it does.
        try {
          open(start.request, start.response);
        } catch (error) {
          options.onFault(error);
        }
      };
      subscribe(REQUEST_START, onStart);
      return () => void unsubscribe(REQUEST_START, onStart);
    },
    about: createAbout(options),
    identifies: options.user !== undefined,
    identify: (exchange, request) =>
      guard(() => {
        const user = options.user?.(request);
        if (user !== undefined) exchange.request.userId = String(user).slice(0, MAX_USER_ID);
      }),
    describe(req, exchange) {
      const requestId = requestIds.take(req);
      const ip = addressOf(exchange?.connection.peer ?? req.socket.remoteAddress, req.headers['x-forwarded-for']);
      return exchange === undefined ? { requestId, ip } : { requestId, ip, carrier: exchange };
    },
    exchangeOf,
    record(exchange, ending) {
      try {
        gate.leave(exchange);
        exchange.connection.remove(exchange);
        if (exchange.isOwn) {
          exchange.run(() => writeClosingLine(exchange, ending, options));
          return;
        }
        exchange.active?.dec();
        tellAll(exchange, ending, kindOf(exchange, ending), options);
      } catch (error) {
        options.onFault(error);
      }
    },
  };
  return server;
}

/** Ids of requests; those asked for before there is an exchange, by a framework that knows them first, are kept for it. */
function createRequestIds(): { of(req: IncomingMessage): string; take(req: IncomingMessage): string } {
  const early = new WeakMap<IncomingMessage, string>();
  let hasEarly = false;
  const make = (req: IncomingMessage): string => requestIdFrom(req.headers['x-request-id']);
  return {
    of(req) {
      const id = early.get(req) ?? make(req);
      early.set(req, id);
      hasEarly = true;
      return id;
    },
    take: (req) => (hasEarly ? early.get(req) : undefined) ?? make(req),
  };
}

/** Paths are asked for again and again: what was found of so many is remembered. */
const PATHS = 500;
const LONGEST_PATH = 100;

export interface AboutPath {
  /** Not traced, and its closing line is DEBUG. */
  readonly isExcluded: boolean;
  /** Answers during a shutdown too. */
  readonly isProbe: boolean;
  /** Not counted. */
  readonly isOwn: boolean;
}

/** Of the console's paths. */
export const OWN: AboutPath = { isExcluded: true, isProbe: true, isOwn: true };

function createAbout({ excludedUrls, probes, owns }: HttpServerOptions): (path: string) => AboutPath {
  const known = new Map<string, AboutPath>();
  return (path) => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const isExcluded = excludedUrls.some((pattern) => pattern.test(path));
    const about = owns?.(path) ? OWN : { isExcluded, isProbe: probes.has(path), isOwn: false };
    if (path.length > LONGEST_PATH) return about;
    if (known.size >= PATHS) known.clear();
    known.set(path, about);
    return about;
  };
}

/** The series of requests in hand, by method and scheme. */
function createActiveSeries({ meters }: Signals): (exchange: Exchange) => Series {
  const known = { http: new Map<string, Series>(), https: new Map<string, Series>() };
  return ({ method, scheme }) => {
    const found = known[scheme].get(method);
    if (found !== undefined) return found;
    const series = meters.httpActive.bind({ http_request_method: method, url_scheme: scheme });
    known[scheme].set(method, series);
    return series;
  };
}

/** Has every signal told of an ending: by the backlog, but for a line that has to be put together. */
function tellAll(exchange: Exchange, ending: Ending, kind: Kind, options: HttpServerOptions): void {
  const { line } = kind;
  const isLogged = line === undefined || line.isEnabled();
  const notes = isLogged ? line?.notes(exchange, exchange.noted) : undefined;
  options.backlog.add(exchange, kind, exchange.endSpan(), notes);
  if (isLogged && notes === undefined) exchange.run(() => writeClosingLine(exchange, ending, options));
}

/** Puts the closing line of a request together, which says everything about it. */
function writeClosingLine(exchange: Exchange, ending: Ending, { signals, logger }: HttpServerOptions): void {
  const { watch, request, firstByteMs } = exchange;
  const streamed =
    watch.events === undefined ? {} : { stream_events: watch.events, longest_gap_ms: exchange.longestGapMs };
  const prefix = request.sessionId === undefined ? '' : `[${request.sessionId}] `;
  const own = {
    duration_ms: ending.durationMs,
    status: ending.outcome,
    ...(ending.httpStatus !== undefined && { http_status: ending.httpStatus }),
    method: exchange.method,
    route: exchange.route,
    ...(ending.errorType !== '' && { error_type: ending.errorType }),
    ...(firstByteMs !== undefined && { first_byte_ms: roundMs(firstByteMs) }),
    request_bytes: exchange.requestBytes,
    response_bytes: watch.bytes,
    ...streamed,
  };
  const fields = closingFields(own, exchange.noted ?? {});
  signals.write(levelOf(exchange, ending), logger, `${prefix}Request completed`, fields);
}

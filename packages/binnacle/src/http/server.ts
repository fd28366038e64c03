/** The HTTP server's side: begins exchanges and writes down how each ended. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Carrier, Ending, RequestInHand } from '../context.ts';
import { roundMs } from '../duration.ts';
import { CLOSING_LEVELS, closingFields } from '../endings.ts';
import type { TrustProxy } from '../settings.ts';
import type { Series, Signals } from '../signals.ts';
import { createAddressOf } from './address.ts';
import { watchConnection } from './cut.ts';
import { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { requestIdFrom } from './request-id.ts';

export interface HttpServerOptions {
  readonly signals: Signals;
  readonly excludedUrls: readonly RegExp[];
  readonly trustProxy: TrustProxy;
  /** The logger of the closing line. */
  readonly logger: string;
  /** Paths that answer during a shutdown too. */
  readonly probes: ReadonlySet<string>;
  /** Who is asking, for `user_id`, from the framework's own request. */
  user?(request: object): string | undefined;
  readonly gate: Gate;
  /** Where a listener that throws is told. */
  readonly onFault: (error: unknown) => void;
}

/** What an exchange needs of its server. */
export interface HttpServer {
  readonly signals: Signals;
  readonly gate: Gate;
  /** The exchange of an answer: begun now, or the one begun before. */
  begin(req: IncomingMessage, res: ServerResponse): Exchange;
  /** The id that a request's exchange has, or will have. */
  requestIdOf(req: IncomingMessage): string;
  /** Begins exchanges of a listener as Node announces them, before any framework's code; gives the way to stop. */
  watch(listener: object): () => void;
  isExcluded(path: string): boolean;
  isProbe(path: string): boolean;
  /** Asks who the user is, once the framework knows. */
  identify(exchange: Exchange, request: object): void;
  describe(req: IncomingMessage, carrier: Carrier | undefined): RequestInHand;
  /** The exchange of a request that has begun. */
  exchangeOf(req: object): Exchange | undefined;
  record(exchange: Exchange, ending: Ending): void;
  guard(work: () => void): void;
}

interface RouteSeries {
  readonly duration: Series;
  readonly firstByte: Series;
  readonly requestSize: Series;
  readonly responseSize: Series;
}

const ROUTE_SERIES_LIMIT = 4000;
const MAX_USER_ID = 128;
/** Node's own channel, published before a server's `request` event. */
const REQUEST_START = 'http.server.request.start';

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { signals } = options;
  const { meters } = signals;
  const exchanges = new WeakMap<object, Exchange>();
  const addressOf = createAddressOf(options.trustProxy);
  const { gate } = options;
  const requestIds = new WeakMap<IncomingMessage, string>();
  const seriesOf = createRouteSeries(signals);
  const openOn = createConnections();
  const guard = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      options.onFault(error);
    }
  };

  const open = (req: IncomingMessage, res: ServerResponse): Exchange => {
    const known = exchanges.get(req);
    if (known !== undefined) return known;
    const exchange = new Exchange(server, req, res);
    exchanges.set(req, exchange);
    // What is refused is not waited for: a steady stream of it would keep a shutdown from ever being idle.
    if (exchange.admitted && !server.isProbe(exchange.path)) gate.enter(exchange);
    openOn(req.socket).add(exchange);
    meters.httpActive.bind({ http_request_method: exchange.method, url_scheme: exchange.scheme }).inc();
    guard(() => res.setHeader('x-request-id', exchange.request.requestId));
    return exchange;
  };
  const server: HttpServer = {
    signals,
    gate,
    guard,
    begin(req, res) {
      const exchange = open(req, res);
      exchange.join();
      return exchange;
    },
    requestIdOf(req) {
      const id = requestIds.get(req) ?? requestIdFrom(req.headers['x-request-id']);
      requestIds.set(req, id);
      return id;
    },
    watch(listener) {
      const onStart = (message: unknown): void => {
        const start = message as { request: IncomingMessage; response: ServerResponse; server: object };
        if (start.server === listener) guard(() => void open(start.request, start.response));
      };
      subscribe(REQUEST_START, onStart);
      return () => void unsubscribe(REQUEST_START, onStart);
    },
    isExcluded: (path) => options.excludedUrls.some((pattern) => pattern.test(path)),
    isProbe: (path) => options.probes.has(path),
    identify: (exchange, request) =>
      guard(() => {
        const user = options.user?.(request);
        if (user !== undefined) exchange.request.userId = String(user).slice(0, MAX_USER_ID);
      }),
    describe: (req, carrier) => ({
      requestId: server.requestIdOf(req),
      ip: addressOf(req.socket.remoteAddress, req.headers['x-forwarded-for']),
      ...(carrier && { carrier }),
    }),
    exchangeOf: (req) => exchanges.get(req),
    record(exchange, ending) {
      gate.leave(exchange);
      openOn(exchange.socket).delete(exchange);
      meters.httpActive.bind({ http_request_method: exchange.method, url_scheme: exchange.scheme }).dec();
      recordMetrics(exchange, ending, seriesOf, signals);
      writeClosingLine(exchange, ending, options);
    },
  };
  return server;
}

/**
 * The open exchanges of each connection. Node tells an answer that its connection closed only while it is that answer's
 * turn; those that wait behind it in a pipeline would stay open for good.
 */
function createConnections(): (socket: Socket) => Set<Exchange> {
  const connections = new WeakMap<Socket, Set<Exchange>>();
  return (socket) => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const open = new Set<Exchange>();
    connections.set(socket, open);
    const lose = (): void => {
      for (const exchange of [...open]) exchange.lost();
    };
    watchConnection(socket, lose);
    socket.once('close', lose);
    return open;
  };
}

function recordMetrics(
  exchange: Exchange,
  ending: Ending,
  seriesOf: (exchange: Exchange, ending: Ending) => RouteSeries,
  { meters }: Signals,
): void {
  const series = seriesOf(exchange, ending);
  const { watch } = exchange;
  const exemplar = exchange.span?.spanContext();
  series.duration.observe(ending.durationMs / 1000, exemplar);
  series.requestSize.observe(exchange.requestBytes);
  series.responseSize.observe(watch.bytes);
  if (watch.firstByteAt !== undefined)
    series.firstByte.observe((watch.firstByteAt - exchange.startedAt) / 1000, exemplar);
  if (watch.events === undefined) return;
  meters.httpStreamEvents.bind({ http_route: exchange.route }).inc(watch.events);
  meters.httpStreamGap.bind({ http_route: exchange.route }).observe((exchange.longestGapMs ?? 0) / 1000);
}

/** Resolves the label sets of a route once, however often it answers. */
function createRouteSeries({ meters }: Signals): (exchange: Exchange, ending: Ending) => RouteSeries {
  const known = new Map<string, RouteSeries>();
  return (exchange, ending) => {
    const status = ending.httpStatus ?? '';
    const key = `${exchange.method} ${exchange.scheme} ${status} ${ending.errorType} ${exchange.route}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const labels = {
      http_request_method: exchange.method,
      url_scheme: exchange.scheme,
      http_route: exchange.route,
      http_response_status_code: status,
      error_type: ending.errorType,
    };
    const series = {
      duration: meters.httpDuration.bind(labels),
      firstByte: meters.httpFirstByte.bind(labels),
      requestSize: meters.httpRequestSize.bind(labels),
      responseSize: meters.httpResponseSize.bind(labels),
    };
    if (known.size < ROUTE_SERIES_LIMIT) known.set(key, series);
    return series;
  };
}

/** The one closing line of a request, which says everything about it. */
function writeClosingLine(exchange: Exchange, ending: Ending, { signals, logger }: HttpServerOptions): void {
  const { watch, request } = exchange;
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
    ...(watch.firstByteAt !== undefined && { first_byte_ms: roundMs(watch.firstByteAt - exchange.startedAt) }),
    request_bytes: exchange.requestBytes,
    response_bytes: watch.bytes,
    ...streamed,
  };
  const level = exchange.excluded ? 'DEBUG' : CLOSING_LEVELS[ending.outcome];
  signals.write(level, logger, `${prefix}Request completed`, closingFields(own, exchange.closing));
}

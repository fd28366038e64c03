/** What exchanges that end alike have in common, resolved and compiled once for each route and ending. */
import type { Ending } from '../context.ts';
import { CLOSING_LEVELS } from '../endings.ts';
import type { CompiledLine, CompiledSpan, Level, RequestKind, Series, Signals } from '../signals.ts';
import type { Exchange } from './exchange.ts';

export interface Kind {
  readonly of: RequestKind;
  readonly excluded: boolean;
  readonly duration: Series;
  readonly firstByte: Series;
  readonly requestSize: Series;
  readonly responseSize: Series;
  /** Absent where spans are made from their start. */
  readonly span: CompiledSpan | undefined;
  /** Absent where each line has to be put together. */
  readonly line: CompiledLine | undefined;
}

/** Kinds that are remembered; routes are templates, so that a service has far fewer. */
const LIMIT = 4000;

export function levelOf({ excluded }: Pick<Exchange, 'excluded'>, { outcome }: Pick<Ending, 'outcome'>): Level {
  return excluded ? 'DEBUG' : CLOSING_LEVELS[outcome];
}

export function createKinds(options: {
  readonly signals: Signals;
  readonly logger: string;
}): (exchange: Exchange, ending: Ending) => Kind {
  const routes = new Map<string, Kind[]>();
  let size = 0;
  return (exchange, ending) => {
    const known = routes.get(exchange.route);
    // A loop: a function made for `find` would be made for each request.
    if (known !== undefined) for (const kind of known) if (isOf(kind, exchange, ending)) return kind;
    const made = compile(exchange, ending, options);
    if (size >= LIMIT) return made;
    size += 1;
    if (known === undefined) routes.set(exchange.route, [made]);
    else known.push(made);
    return made;
  };
}

function isOf({ of, excluded }: Kind, exchange: Exchange, ending: Ending): boolean {
  return (
    of.httpStatus === ending.httpStatus &&
    of.method === exchange.method &&
    of.errorType === ending.errorType &&
    of.outcome === ending.outcome &&
    of.sentStatus === exchange.sentStatus &&
    of.protocol === exchange.protocol &&
    of.scheme === exchange.scheme &&
    of.isMatched === exchange.isMatched &&
    excluded === exchange.excluded
  );
}

function compile(
  exchange: Exchange,
  { outcome, errorType, httpStatus }: Ending,
  { signals, logger }: { readonly signals: Signals; readonly logger: string },
): Kind {
  const { method, scheme, protocol, route, isMatched, sentStatus, excluded } = exchange;
  const of = { method, scheme, protocol, route, isMatched, sentStatus, outcome, errorType, httpStatus };
  const labels = {
    http_request_method: method,
    url_scheme: scheme,
    http_route: route,
    http_response_status_code: httpStatus ?? '',
    error_type: errorType,
  };
  const { meters, spans, closingLine } = signals;
  return {
    of,
    excluded,
    duration: meters.httpDuration.bind(labels),
    firstByte: meters.httpFirstByte.bind(labels),
    requestSize: meters.httpRequestSize.bind(labels),
    responseSize: meters.httpResponseSize.bind(labels),
    span: spans.requests?.compile(of),
    line: closingLine?.(levelOf(exchange, { outcome }), logger, of),
  };
}

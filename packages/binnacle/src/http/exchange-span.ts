/** The span of an exchange: Binnacle's own, or that of a host's SDK where it has made one for this request. */
import { type Context, isSpanContextValid, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { getRPCMetadata, type RPCMetadata, RPCType, suppressTracing } from '@opentelemetry/core';
import { activeContext, type Ending, type RequestInHand } from '../context.ts';
import type { RequestSpan, SpanIds, SpanOwner, Spans } from '../signals.ts';

/** What a span is told of its exchange. */
export interface SpannedExchange extends SpanOwner {
  readonly request: RequestInHand;
  readonly sentStatus: number | undefined;
  /** By the clock; undefined while none left. */
  readonly firstByteAt: number | undefined;
}

export interface ExchangeSpan {
  /** Ids to tell in lines and exemplars; undefined where there is no span. */
  readonly ids: SpanIds | undefined;
  /** The context within it. */
  readonly context: Context;
  /** The framework has the request. */
  join(): void;
  matched(route: string): void;
  /** Tells how the exchange ended, once; gives what is yet to be written. */
  end(ending: Ending): RequestSpan | undefined;
  /** Whether it ends with its event, and may be told nothing after that. */
  readonly endsWithEvent: boolean;
}

/** Begins the span of a request by what its headers carry. */
export function beginSpan(spans: Spans, parent: Context, exchange: SpannedExchange, excluded: boolean): ExchangeSpan {
  if (excluded) return new NoSpan(suppressTracing(parent));
  if (spans.requests === undefined) return new FullSpan(spans, parent, exchange);
  return new LateSpan(spans.requests.begin(parent, exchange), exchange);
}

class NoSpan implements ExchangeSpan {
  readonly ids = undefined;
  readonly endsWithEvent = false;
  readonly context: Context;
  constructor(context: Context) {
    this.context = context;
  }
  join(): void {}
  matched(): void {}
  end(): undefined {}
}

/** A span that is made only if somebody asks for it. */
class LateSpan implements ExchangeSpan {
  readonly ids: RequestSpan;
  readonly endsWithEvent = false;
  readonly #exchange: SpannedExchange;

  constructor(span: RequestSpan, exchange: SpannedExchange) {
    this.ids = span;
    this.#exchange = exchange;
  }

  get context(): Context {
    return this.ids.context;
  }

  join(): void {}

  matched(route: string): void {
    const { made } = this.ids;
    if (made !== undefined) nameByRoute(made, this.#exchange, route);
  }

  end(ending: Ending): RequestSpan | undefined {
    const { ids } = this;
    const { made } = ids;
    if (made !== undefined) {
      tellEnding(made, this.#exchange, ending);
      made.end(ids.endTime(ending.durationMs));
    }
    return ids.settle(ending.durationMs) ? ids : undefined;
  }
}

/** A span from its start. A host's SDK starts its own once the server's listeners are called: it is joined then. */
class FullSpan implements ExchangeSpan {
  context: Context;
  readonly #spans: Spans;
  readonly #exchange: SpannedExchange;
  #span: Span | undefined;
  #isOwn = true;
  #hasEnded = false;
  /** What the host's HTTP instrumentation keeps of this request. */
  #rpc: RPCMetadata | undefined;

  constructor(spans: Spans, parent: Context, exchange: SpannedExchange) {
    this.#spans = spans;
    this.#exchange = exchange;
    this.context = parent;
    if (!spans.hosted) this.#start();
  }

  get ids(): SpanIds | undefined {
    return this.#span?.spanContext();
  }

  get endsWithEvent(): boolean {
    return !this.#isOwn;
  }

  join(): void {
    if (this.#span !== undefined) return;
    const active = activeContext();
    this.#rpc = getRPCMetadata(active);
    // Below it, a framework's own instrumentation may have made another span the active one.
    const hosts = this.#rpc?.type === RPCType.HTTP ? this.#rpc.span : trace.getSpan(active);
    this.#isOwn =
      hosts === undefined || hosts.spanContext().isRemote === true || !isSpanContextValid(hosts.spanContext());
    if (this.#isOwn) {
      this.#start();
      return;
    }
    this.#span = hosts;
    this.context = active;
  }

  matched(route: string): void {
    if (this.#span === undefined) return;
    if (this.#isOwn) nameByRoute(this.#span, this.#exchange, route);
    else this.#span.setAttribute('http.route', route);
    // So frameworks tell the host's HTTP instrumentation, which names its span and labels its metrics by it.
    if (this.#rpc !== undefined) this.#rpc.route ??= route;
  }

  end(ending: Ending): undefined {
    const span = this.#span;
    if (span === undefined || this.#hasEnded) return;
    this.#hasEnded = true;
    tellEnding(span, this.#exchange, ending);
    if (this.#isOwn) span.end();
  }

  #start(): void {
    const exchange = this.#exchange;
    this.#span = this.#spans.start(exchange.spanName(), SpanKind.SERVER, exchange.spanAttributes(), this.context);
    this.context = trace.setSpan(this.context, this.#span);
  }
}

function nameByRoute(span: Span, exchange: SpannedExchange, route: string): void {
  span.setAttribute('http.route', route);
  span.updateName(exchange.spanName());
}

function tellEnding(span: Span, { sentStatus, request, firstByteAt }: SpannedExchange, ending: Ending): void {
  if (firstByteAt !== undefined) span.addEvent('first_byte', firstByteAt);
  if (sentStatus !== undefined) span.setAttribute('http.response.status_code', sentStatus);
  if (request.sessionId !== undefined) span.setAttribute('session.id', request.sessionId);
  if (ending.errorType !== '') span.setAttribute('error.type', ending.errorType);
  if (ending.errorType === 'client_disconnect') span.addEvent('client_disconnect');
  if (ending.outcome === 'error' || ending.outcome === 'timeout') span.setStatus({ code: SpanStatusCode.ERROR });
}

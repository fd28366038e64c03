/**
 * What a subject may say: the narrow interface between what happens (http, ai, work) and what is
 * written down (metrics, logs, traces). Types alone; `observe` hands an implementation to each subject.
 */
import type { Attributes, Context, Span, SpanContext, SpanKind } from '@opentelemetry/api';
import type { MetricKey, MetricLabel } from './catalogue.ts';
import type { Outcome, RequestInHand } from './context.ts';
import type { DrawnIds } from './random.ts';

/** A label's value. Anything but a string is written as `String(value)`. */
export type LabelValue = string | number | boolean;

/** One value for each label name of a metric; an empty string stands for "does not apply". */
export type Labels<L extends string> = Readonly<Record<L, LabelValue>>;

/** A counter of one label set. Negative or non-finite values are ignored. */
export interface BoundCounter {
  inc(value?: number): void;
}

/** A gauge of one label set. */
export interface BoundGauge {
  set(value: number): void;
  inc(value?: number): void;
  dec(value?: number): void;
}

/** A histogram of one label set. Non-finite values are ignored. */
export interface BoundHistogram {
  /** `exemplar` is the span that the value is of; it is kept beside its bucket where the trace is sampled. */
  observe(value: number, exemplar?: SpanIds): void;
}

/** Everything a series can be told; each kind of metric implements its own part, the rest does nothing. */
export interface Series extends BoundCounter, BoundGauge, BoundHistogram {}

/** A metric of the catalogue: `bind` resolves a label set once, so that recording costs no look-up. */
export interface Metric<L extends string> {
  bind(labels: Labels<L>): Series;
}

/** The metrics of the catalogue by key. */
export type Meters = { readonly [K in MetricKey]: Metric<MetricLabel<K>> };

/** Levels as they are written; pino's `warn` is `WARNING`, its `fatal` is `CRITICAL`. */
export type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** Writes one line for a logger by name. Fields follow the contract's log fields. */
export type WriteLine = (level: Level, logger: string, message: string, fields?: Record<string, unknown>) => void;

/** Starts spans; with tracing off it gives spans that record nothing. */
export interface Spans {
  start(name: string, kind: SpanKind, attributes: Attributes, parent: Context): Span;
  /** The context that incoming headers carry, on top of an empty one (W3C trace context and baggage by settings). */
  extract(headers: Readonly<Record<string, string | string[] | undefined>>): Context;
  /** Gives the headers that carry a context on, one at a time. Never throws. */
  inject(context: Context, set: (name: string, value: string) => void): void;
  /** True where the host runs an OpenTelemetry SDK of its own: spans are its, and may be there already. */
  readonly hosted: boolean;
  /** Spans of requests for the price of their bytes; absent where each must be a span from its start (`start`). */
  readonly requests?: RequestSpans | undefined;
}

/** Ids of a span, as an exemplar and a log line tell them. */
export interface SpanIds extends Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'> {
  /** When it ended, in Unix milliseconds, where that is known. */
  readonly endedAt?: number | undefined;
}

/** Whose span it is: says what the span is made of, where somebody asks for it while it runs. */
export interface SpanOwner {
  spanName(): string;
  spanAttributes(): Attributes;
}

/** What all requests that end alike have in common: each signal compiles it once, for many of them. */
export interface RequestKind {
  /** An HTTP method, or `_OTHER`. */
  readonly method: string;
  readonly scheme: string;
  /** As in `network.protocol.version`. */
  readonly protocol: string;
  readonly route: string;
  /** Whether the route is a template of the framework's. */
  readonly isMatched: boolean;
  /** The code that was sent; the ending's own is 499 for a client that went away. */
  readonly sentStatus: number | undefined;
  readonly outcome: Outcome;
  readonly errorType: string;
  readonly httpStatus: number | undefined;
}

/** A request that has ended. Times are milliseconds. */
export interface EndedRequest {
  readonly request: Pick<RequestInHand, 'requestId' | 'sessionId' | 'userId' | 'ip'>;
  readonly path: string;
  readonly ids: SpanIds | undefined;
  readonly durationMs: number;
  /** From the start to the first byte that left. */
  readonly firstByteMs: number | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Of a stream; undefined for any other answer. */
  readonly streamEvents: number | undefined;
  readonly longestGapMs: number | undefined;
}

/** One whose compiled line is to be written. */
export interface EndedWithLine extends EndedRequest {
  /** When it ended, in Unix milliseconds. */
  readonly endedAt: number;
  /** What `CompiledLine.notes` gave for it. */
  readonly notes: string;
}

/** A request's span, which is made only if somebody asks for it; else it is written when it has ended. */
export interface RequestSpan extends SpanIds {
  /** Its ids as they were drawn; undefined where the trace began elsewhere. */
  readonly drawn: DrawnIds | undefined;
  /** The context within it. */
  readonly context: Context;
  /** In Unix milliseconds. */
  readonly startedAt: number;
  readonly parent: SpanContext | undefined;
  /** The span, where it was made: it is told how the request ended, and ends, at `endTime(durationMs)`. */
  readonly made: Span | undefined;
  endTime(durationMs: number): number;
  /** It has ended, and is told nothing more. True where `RequestSpans.write` is to be told of it: of one that was made it is not. */
  settle(durationMs: number): boolean;
}

/** What a request's span is written with, once it has ended. */
export interface EndedSpan extends SpanIds {
  /** Its ids as they were drawn; absent where the trace began elsewhere. */
  readonly drawn?: DrawnIds | undefined;
  /** In Unix milliseconds. */
  readonly startedAt: number;
  readonly parent: SpanContext | undefined;
}

/** What spans of a kind have in common; how it is encoded is its maker's own. */
export interface CompiledSpan {
  readonly kind: RequestKind;
}

export interface RequestSpans {
  begin(parent: Context, owner: SpanOwner): RequestSpan;
  compile(kind: RequestKind): CompiledSpan;
  /** Writes one with all that `kind` and its request say. */
  write(kind: CompiledSpan, span: EndedSpan, ended: EndedRequest): void;
}

/** The closing line of requests of a kind. */
export interface CompiledLine {
  /** Whether such a line is written at all, now. */
  isEnabled(): boolean;
  /**
   * What the line says besides, of what was noted on the way (tokens, cache, breakers); undefined where the line has to
   * be put together, as it says more than those of its kind.
   */
  notes(ended: EndedRequest, noted: Readonly<Record<string, unknown>> | undefined): string | undefined;
  write(ended: EndedWithLine): void;
}

/** A clock: `now` is monotonic milliseconds with fractions, `wall` is Unix milliseconds. */
export interface Clock {
  now(): number;
  wall(): number;
  /** Calls back once after `ms` milliseconds, without keeping the process alive; what it returns calls that off. */
  setTimer(run: () => void, ms: number): () => void;
}

/** What runs, as it may be told meanwhile. Times are the clock's. */
export interface Running {
  readonly request: RequestInHand;
  readonly method: string;
  /** The route's template. */
  readonly route: string;
  readonly startedAt: number;
  readonly ids: SpanIds | undefined;
  readonly responseBytes: number;
  readonly streamEvents: number | undefined;
  readonly firstByteMs: number | undefined;
}

/** Work that a shutdown waits for, and ends when it runs out of time. */
export interface Work {
  /** What it is, where that can be told. */
  readonly running?: Running | undefined;
  /** Where it stands among those inside; theirs to write. */
  place?: number | undefined;
  /** Tells it to end at once. */
  abort(): void;
  /** Tears it down, after `abort` was not heeded. */
  destroy(): void;
}

/** Who is inside: a shutdown waits until all have left. */
export interface Presence {
  enter(work: Work): void;
  leave(work: Work): void;
}

/** Who looks on while things happen: the console, where it is on. None of it throws. */
export interface Onlooker {
  /** A phase of a request begins, at a time of the clock's; what this gives is told its duration. */
  phase(request: RequestInHand, name: string, startedAt: number): (durationMs: number) => void;
  /** When the chunks of a model's answer came, in milliseconds after its operation's start. */
  chunks(span: SpanIds, times: readonly number[]): void;
  /** The state that a breaker is in from now on. */
  breaker(service: string, state: 'closed' | 'open' | 'half_open'): void;
}

/** What `observe` hands to each subject. */
export interface Signals {
  readonly meters: Meters;
  readonly write: WriteLine;
  /** Compiles the closing line of a kind of request; without it, lines are put together one by one. */
  readonly closingLine?: ((level: Level, logger: string, kind: RequestKind) => CompiledLine) | undefined;
  readonly spans: Spans;
  readonly clock: Clock;
  readonly presence: Presence;
  readonly onlooker?: Onlooker | undefined;
  /** Calls back before each scrape, for values that are read rather than told. */
  beforeScrape(read: () => void): void;
}

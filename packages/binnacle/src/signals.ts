/**
 * What a subject may say: the narrow interface between what happens (http, ai, work) and what is
 * written down (metrics, logs, traces). Types alone; `observe` hands an implementation to each subject.
 */
import type { Attributes, Context, Span, SpanContext, SpanKind } from '@opentelemetry/api';
import type { MetricKey, MetricLabel } from './catalogue.ts';

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
  observe(value: number, exemplar?: SpanContext): void;
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
}

/** A clock: `now` is monotonic milliseconds with fractions, `wall` is Unix milliseconds. */
export interface Clock {
  now(): number;
  wall(): number;
  /** Calls back once after `ms` milliseconds, without keeping the process alive; what it returns calls that off. */
  setTimer(run: () => void, ms: number): () => void;
}

/** Work that a shutdown waits for, and ends when it runs out of time. */
export interface Work {
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

/** What `observe` hands to each subject. */
export interface Signals {
  readonly meters: Meters;
  readonly write: WriteLine;
  readonly spans: Spans;
  readonly clock: Clock;
  readonly presence: Presence;
  /** Calls back before each scrape, for values that are read rather than told. */
  beforeScrape(read: () => void): void;
}

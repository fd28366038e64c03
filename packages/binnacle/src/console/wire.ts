/**
 * What the console's page is told: Server-Sent Events of these names, each with JSON data. Types alone, so that the page can
 * import them. Times are Unix milliseconds, with a fraction where the source has one; durations are milliseconds.
 */
export interface ConsoleEvents {
  /** The first event of each connection; all that the store still holds follows, oldest first, then what happens. */
  readonly hello: Hello;
  readonly spans: readonly SpanRecord[];
  readonly logs: readonly LogRecord[];
  readonly metrics: MetricsUpdate;
  /** All that runs now; replaces the one before. */
  readonly live: LiveMoment;
  readonly chunks: readonly ChunkTimes[];
  readonly health: HealthMoment;
  readonly telemetry: TelemetryMoment;
  /** What this page was not told since it, or its network, was too slow, or since the store let it go first. */
  readonly skipped: Skipped;
}

export type ConsoleEventName = keyof ConsoleEvents;

export interface Hello {
  /** Changes with each start of the store: a page that meets another one begins afresh. */
  readonly instance: string;
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  /** Whether it shows the process it runs in, or what others send it by OTLP. */
  readonly mode: 'embedded' | 'standalone';
  readonly now: number;
  /** What was asked to be resumed is resumed: the page keeps what it has. */
  readonly resumed: boolean;
}

export type Attribute = string | number | boolean | null | readonly Attribute[] | { readonly [key: string]: Attribute };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent in a root. */
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly start: number;
  readonly duration: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage?: string;
  readonly attributes: Attributes;
  readonly events?: readonly { readonly name: string; readonly time: number; readonly attributes: Attributes }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  /** `service.name` of its resource. */
  readonly service: string;
  readonly scope?: string;
}

export interface LogRecord {
  /** Counts up by one for each line of a store. */
  readonly seq: number;
  readonly time: number;
  readonly level: 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
  readonly logger: string;
  readonly message: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly service: string;
  /**
   * All the others of the line, as the log's own rules left them (redacted, bounded); not `version` and `environment`,
   * which `hello` tells.
   */
  readonly fields: Attributes;
}

/** A moment with many values comes in several of the same time, each series in one of them. */
export interface MetricsUpdate {
  readonly time: number;
  /** Those not told of before. */
  readonly families?: readonly MetricFamily[];
  readonly series?: readonly MetricSeries[];
  /**
   * The values that changed: `[series, value]` of a counter or gauge; `[series, sum, count, …cumulative counts by bound]` of
   * a histogram, the last of which (`+Inf`) is `count` and left out.
   */
  readonly values: readonly (readonly number[])[];
  readonly exemplars?: readonly {
    readonly series: number;
    readonly value: number;
    readonly time: number;
    readonly traceId: string;
    readonly spanId: string;
  }[];
}

export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly unit?: string;
  /** Upper bounds of a histogram, without `+Inf`. */
  readonly bounds?: readonly number[];
}

export interface MetricSeries {
  /** Its number in `values`, from 0. */
  readonly id: number;
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LiveMoment {
  readonly time: number;
  /** At most 200, the oldest first. */
  readonly requests: readonly LiveRequest[];
  readonly total: number;
}

export interface LiveRequest {
  /** Its `request_id`. */
  readonly id: string;
  readonly method: string;
  /** The route's pattern; never the path, which may name someone. */
  readonly route: string;
  readonly start: number;
  readonly traceId?: string;
  readonly sessionId?: string;
  /** In order; the last one without `duration` runs. */
  readonly phases: readonly { readonly name: string; readonly start: number; readonly duration?: number }[];
  /** Written so far. */
  readonly bytes: number;
  /** Events of a stream so far; 0 of an answer that is none. */
  readonly events: number;
  /** After the start, in ms; absent before it. */
  readonly firstByte?: number;
}

/** When the chunks of a model's answer came, in ms after its operation's start; at most 2,000. */
export interface ChunkTimes {
  readonly traceId: string;
  readonly spanId: string;
  readonly times: readonly number[];
}

export interface HealthMoment {
  readonly time: number;
  /** `/health`'s own report; absent in a standalone console. */
  readonly status?: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: Readonly<
    Record<
      string,
      { readonly status: string; readonly critical: boolean; readonly duration_ms?: number; readonly error?: string }
    >
  >;
  readonly breakers: readonly {
    readonly service: string;
    readonly state: 'closed' | 'open' | 'half_open';
  }[];
  readonly uptime: number;
}

export interface TelemetryMoment {
  readonly time: number;
  /** `endpoint` without user, password and query. */
  readonly exporter: { readonly kind: string; readonly endpoint?: string; readonly up?: boolean };
  readonly spans: Readonly<Record<'exported' | 'dropped' | 'failed' | 'kept', number>>;
  readonly queues: readonly {
    readonly name: string;
    readonly size: number;
    readonly limit?: number;
    readonly bytes?: number;
  }[];
  readonly logs: { readonly dropped: number; readonly withoutContext: number };
  /** The metrics with most series, at most 20. */
  readonly series: readonly {
    readonly metric: string;
    readonly count: number;
    readonly budget: number;
    readonly folded: number;
  }[];
  /** What the console itself holds, and has let go. */
  readonly store: readonly {
    readonly signal: 'spans' | 'logs' | 'metrics';
    readonly count: number;
    readonly bytes: number;
    readonly limitBytes: number;
    readonly evicted: number;
  }[];
}

export interface Skipped {
  readonly signal: 'spans' | 'logs' | 'metrics';
  readonly count: number;
}

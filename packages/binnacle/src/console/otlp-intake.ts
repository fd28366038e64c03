/** What OTLP requests say, put into the console's store: all of a request, or nothing where it is none. */
import type { Clock } from '../signals.ts';
import type { Encoding, Rejected } from './otlp-answer.ts';
import { eachJsonLog } from './otlp-json-logs.ts';
import { eachJsonPoint } from './otlp-json-metrics.ts';
import { eachJsonSpan } from './otlp-json-spans.ts';
import { eachLog, type NewLog } from './otlp-logs.ts';
import { eachPoint, type TakePoint } from './otlp-metrics.ts';
import { SeriesIntake } from './otlp-series.ts';
import { eachSpan } from './otlp-spans.ts';
import type { Store } from './store.ts';
import type { SpanRecord, TelemetryMoment } from './wire.ts';

/** How long values of metrics wait for others of the same moment, in milliseconds. */
const FLUSH_MS = 500;

type Take = (bytes: Uint8Array, encoding: Encoding) => Rejected;

export interface Received {
  readonly spans: number;
  readonly logs: number;
  readonly points: number;
  /** Spans without valid ids. */
  readonly rejected: number;
}

export class OtlpIntake {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #series: SeriesIntake;
  #cancel: (() => void) | undefined;
  #received: Received = { spans: 0, logs: 0, points: 0, rejected: 0 };

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#series = new SeriesIntake(store.metrics);
  }

  /** How a request to a path is taken; undefined where the path is none of OTLP's. Each throws OtlpError. */
  of(path: string): Take | undefined {
    switch (path) {
      case '/v1/traces':
        return (bytes, encoding) => this.#takeSpans(bytes, encoding);
      case '/v1/logs':
        return (bytes, encoding) => this.#takeLogs(bytes, encoding);
      case '/v1/metrics':
        return (bytes, encoding) => this.#takeMetrics(bytes, encoding);
      default:
        return undefined;
    }
  }

  /** What came so far. */
  get received(): Received {
    return this.#received;
  }

  /** The metrics with most series. */
  largest(most: number): TelemetryMoment['series'] {
    return this.#series.largest(most);
  }

  /** Puts the values that wait into the store, and sets no further timer until more come. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#series.flush(this.#clock.wall());
  }

  #takeSpans(bytes: Uint8Array, encoding: Encoding): Rejected {
    const spans: SpanRecord[] = [];
    const take = (span: SpanRecord): unknown => spans.push(span);
    const count = encoding === 'json' ? eachJsonSpan(bytes, take) : eachSpan(bytes, take);
    this.#store.addSpans(spans);
    this.#count({ spans: spans.length, rejected: count });
    return {
      field: 'rejectedSpans',
      count,
      why: 'a span needs a trace id of 16 bytes and a span id of 8, not all zeroes',
    };
  }

  #takeLogs(bytes: Uint8Array, encoding: Encoding): Rejected {
    const logs: NewLog[] = [];
    const take = (log: NewLog): unknown => logs.push(log);
    if (encoding === 'json') eachJsonLog(bytes, this.#clock.wall(), take);
    else eachLog(bytes, this.#clock.wall(), take);
    this.#store.addLogs(logs);
    this.#count({ logs: logs.length });
    return { field: 'rejectedLogRecords', count: 0, why: '' };
  }

  #takeMetrics(bytes: Uint8Array, encoding: Encoding): Rejected {
    const points: Parameters<TakePoint>[] = [];
    const take: TakePoint = (...point) => points.push(point);
    if (encoding === 'json') eachJsonPoint(bytes, take);
    else eachPoint(bytes, take);
    const reasons = points.flatMap((point) => this.#series.take(...point) ?? []);
    if (this.#series.waits) this.#cancel ??= this.#clock.setTimer(() => this.flush(), FLUSH_MS);
    this.#count({ points: points.length - reasons.length });
    return { field: 'rejectedDataPoints', count: reasons.length, why: [...new Set(reasons)].join('; ') };
  }

  #count(more: Partial<Received>): void {
    const { spans, logs, points, rejected } = this.#received;
    this.#received = {
      spans: spans + (more.spans ?? 0),
      logs: logs + (more.logs ?? 0),
      points: points + (more.points ?? 0),
      rejected: rejected + (more.rejected ?? 0),
    };
  }
}

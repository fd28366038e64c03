/** One request that has ended: what is yet to be written of it. A place for one, which is used again and again. */
import type { SpanContext } from '@opentelemetry/api';
import type { DrawnIds } from '../random.ts';
import type { EndedSpan, EndedWithLine, RequestSpan, SpanIds } from '../signals.ts';
import type { Exchange } from './exchange.ts';
import type { Kind } from './kind.ts';

const NO_IDS: SpanIds = { traceId: '', spanId: '', traceFlags: 0 };

/** Holds numbers and texts alone: nothing of what the request held. */
export class Ended implements EndedWithLine, EndedSpan {
  kind: Kind | undefined;
  /** Whether its span is to be written. */
  hasSpan = false;
  /** Whether its line is. */
  hasLine = false;
  notes = '';
  requestId = '';
  sessionId: string | undefined;
  ip: string | undefined;
  path = '';
  traceId = '';
  spanId = '';
  traceFlags = 0;
  drawn: DrawnIds | undefined;
  parent: SpanContext | undefined;
  startedAt = 0;
  endedAt = 0;
  durationMs = 0;
  firstByteMs: number | undefined;
  requestBytes = 0;
  responseBytes = 0;
  streamEvents: number | undefined;
  longestGapMs: number | undefined;

  get request(): this {
    return this;
  }

  get ids(): this | undefined {
    return this.traceId === '' ? undefined : this;
  }

  /** `endedAt` is Unix milliseconds; `notes` is undefined where no line of its kind is to be written. */
  take(
    exchange: Exchange,
    kind: Kind,
    span: RequestSpan | undefined,
    notes: string | undefined,
    endedAt: number,
  ): this {
    const { request, ids = NO_IDS } = exchange;
    this.kind = kind;
    this.hasSpan = span !== undefined;
    this.hasLine = notes !== undefined;
    this.notes = notes ?? '';
    this.requestId = request.requestId;
    this.sessionId = request.sessionId;
    this.ip = request.ip;
    this.path = exchange.path;
    this.traceId = ids.traceId;
    this.spanId = ids.spanId;
    this.traceFlags = ids.traceFlags;
    this.drawn = span?.drawn;
    this.parent = span?.parent;
    this.startedAt = span?.startedAt ?? 0;
    this.endedAt = endedAt;
    this.durationMs = exchange.durationMs;
    this.firstByteMs = exchange.firstByteMs;
    this.requestBytes = exchange.requestBytes;
    this.responseBytes = exchange.responseBytes;
    this.streamEvents = exchange.streamEvents;
    this.longestGapMs = exchange.longestGapMs;
    return this;
  }
}

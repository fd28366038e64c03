/** Spans from OTLP's protobuf (`opentelemetry.proto.trace.v1`) to what the console shows. */
import { eachScoped } from './otlp-envelope.ts';
import { OtlpError } from './otlp-error.ts';
import { CUT, type MutableAttributes, readAttribute, SPAN_ID_BYTES, TRACE_ID_BYTES, ZEROES } from './otlp-values.ts';
import { msBetween, type Nanos, ProtobufReader, toMs } from './protobuf.ts';
import type { SpanRecord } from './wire.ts';

const SPAN = { traceId: 1, spanId: 2, parentSpanId: 4, name: 5, kind: 6, start: 7, end: 8 } as const;
const SPAN_PARTS = { attributes: 9, events: 11, links: 13, status: 15 } as const;
const EVENT = { time: 1, name: 2, attributes: 3 } as const;
const LINK = { traceId: 1, spanId: 2 } as const;
const STATUS = { message: 2, code: 3 } as const;

export const SPAN_KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export const SPAN_STATUSES = ['unset', 'ok', 'error'] as const;

export type BareSpan = Omit<SpanRecord, 'service' | 'scope'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Event = NonNullable<SpanRecord['events']>[number];
type Link = NonNullable<SpanRecord['links']>[number];

/** A span whose fields are being read, of whichever encoding. */
export interface SpanDraft extends Mutable<BareSpan> {
  attributes: MutableAttributes;
  events?: Event[];
  links?: Link[];
}

/**
 * One `Span`. Texts beyond 32 KiB, and what is beyond 128 KiB of a span in all, are cut, which its attribute
 * `binnacle.truncated` says. Throws OtlpError where it is none, or without a valid id.
 */
export function decodeSpan(bytes: Uint8Array): BareSpan {
  const span = readSpan(new ProtobufReader(bytes));
  if (span === undefined) throw new OtlpError('a span without valid ids');
  return span;
}

/** The spans of an `ExportTraceServiceRequest`, without those that have no valid ids. Throws OtlpError where it is none. */
export function decodeTraces(bytes: Uint8Array): SpanRecord[] {
  const spans: SpanRecord[] = [];
  eachSpan(bytes, (span) => spans.push(span));
  return spans;
}

/** Gives each of a request's spans, one by one; returns how many had no valid ids. Throws OtlpError. */
export function eachSpan(bytes: Uint8Array, take: (span: SpanRecord) => void): number {
  let rejected = 0;
  eachScoped(bytes, (from, { service, scope }) => {
    const outer = from.enter();
    const span = readSpan(from);
    from.leave(outer);
    if (span === undefined) rejected += 1;
    else take(withOrigin(span, service, scope));
  });
  return rejected;
}

export function newSpan(): SpanDraft {
  return {
    traceId: '',
    spanId: '',
    name: '',
    kind: 'internal',
    start: 0,
    duration: 0,
    status: 'unset',
    attributes: {},
  };
}

/** The same object: a copy of it would cost as much as half of reading it. */
export function withOrigin(span: Mutable<BareSpan>, service: string, scope: string): SpanRecord {
  const whole = span as Mutable<SpanRecord>;
  whole.service = service;
  if (scope !== '') whole.scope = scope;
  return whole;
}

/** The message that the reader stands in; undefined where it has no valid ids. */
function readSpan(from: ProtobufReader): BareSpan | undefined {
  from.room.begin();
  const start: Nanos = { low: 0, high: 0 };
  const end: Nanos = { low: 0, high: 0 };
  const span = newSpan();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === SPAN.start) from.nanos(start);
    else if (field === SPAN.end) from.nanos(end);
    else if (field <= SPAN.kind) readHead(from, field, span);
    else readPart(from, field, span);
  }
  if (!hasIds(span)) return undefined;
  span.start = toMs(start);
  span.duration = msBetween(start, end);
  if (from.room.cut) span.attributes[CUT] = true;
  return span;
}

/** What has none is not to be told from others. */
export function hasIds({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): boolean {
  return !ZEROES.test(traceId) && !ZEROES.test(spanId);
}

function readHead(from: ProtobufReader, field: number, span: SpanDraft): void {
  switch (field) {
    case SPAN.traceId:
      span.traceId = from.hex(TRACE_ID_BYTES);
      break;
    case SPAN.spanId:
      span.spanId = from.hex(SPAN_ID_BYTES);
      break;
    case SPAN.parentSpanId: {
      const parent = from.hex(SPAN_ID_BYTES);
      if (!ZEROES.test(parent)) span.parentSpanId = parent;
      break;
    }
    case SPAN.name:
      span.name = from.string();
      break;
    case SPAN.kind:
      span.kind = SPAN_KINDS[from.uint()] ?? 'internal';
      break;
    default:
      from.skip();
  }
}

function readPart(from: ProtobufReader, field: number, span: SpanDraft): void {
  switch (field) {
    case SPAN_PARTS.attributes:
      readAttribute(from, span.attributes);
      break;
    case SPAN_PARTS.events:
      readEvent(from, span);
      break;
    case SPAN_PARTS.links:
      readLink(from, span);
      break;
    case SPAN_PARTS.status:
      readStatus(from, span);
      break;
    default:
      from.skip();
  }
}

function readEvent(from: ProtobufReader, span: SpanDraft): void {
  if (!from.room.part()) {
    from.skip();
    return;
  }
  const time: Nanos = { low: 0, high: 0 };
  let name = '';
  const attributes: MutableAttributes = {};
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === EVENT.time) from.nanos(time);
    else if (field === EVENT.name) name = from.string();
    else if (field === EVENT.attributes) readAttribute(from, attributes);
    else from.skip();
  }
  from.leave(outer);
  span.events ??= [];
  span.events.push({ name, time: toMs(time), attributes });
}

function readLink(from: ProtobufReader, span: SpanDraft): void {
  if (!from.room.part()) {
    from.skip();
    return;
  }
  let traceId = '';
  let spanId = '';
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === LINK.traceId) traceId = from.hex(TRACE_ID_BYTES);
    else if (field === LINK.spanId) spanId = from.hex(SPAN_ID_BYTES);
    else from.skip();
  }
  from.leave(outer);
  // One that leads nowhere is none.
  if (!hasIds({ traceId, spanId })) return;
  span.links ??= [];
  span.links.push({ traceId, spanId });
}

function readStatus(from: ProtobufReader, span: SpanDraft): void {
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === STATUS.message) {
      const message = from.string();
      if (message !== '') span.statusMessage = message;
    } else if (field === STATUS.code) span.status = SPAN_STATUSES[from.uint()] ?? 'unset';
    else from.skip();
  }
  from.leave(outer);
}

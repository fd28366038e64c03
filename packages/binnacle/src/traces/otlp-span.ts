/**
 * Spans as OTLP's protobuf (https://github.com/open-telemetry/opentelemetry-proto, `opentelemetry.proto.trace.v1`),
 * each written when it ends: so no request pays for a batch of others, what waits is bytes, and its bound is exact.
 *
 * Why not the official serializer: it builds an object of each span and encodes that, which costs several times as much,
 * and all of a batch at once.
 */
import type { Attributes, AttributeValue, HrTime, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ByteWriter } from './bytes.ts';

/** Fields of `Span`, `Event`, `Link` and what they hold, by their numbers in the definition. */
export const SPAN = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  droppedAttributes: 10,
  events: 11,
  droppedEvents: 12,
  links: 13,
  droppedLinks: 14,
  status: 15,
  flags: 16,
} as const;
const EVENT = { time: 1, name: 2, attributes: 3, dropped: 4 } as const;
const LINK = { traceId: 1, spanId: 2, traceState: 3, attributes: 4, dropped: 5, flags: 6 } as const;
const STATUS = { message: 2, code: 3 } as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY = { string: 1, bool: 2, int: 3, double: 4, array: 5, list: 6, bytes: 7 } as const;
/** Of `ArrayValue` and `KeyValueList`. */
const VALUES = 1;

/** Bits of `flags` above those of the trace context: whether it is known that the parent is of another process, and is. */
export const HAS_IS_REMOTE = 0x100;
export const IS_REMOTE = 0x200;

/** Integers below this, either way, are `int64`. */
const INT64 = 2 ** 63;
/** Values within values are followed this deep. */
const DEPTH = 16;

/** Writes the fields of one span. */
export function writeSpan(to: ByteWriter, span: ReadableSpan): void {
  const own = span.spanContext();
  const { parentSpanContext: parent } = span;
  writeIds(to, SPAN, own);
  if (parent?.spanId) to.hex(SPAN.parentSpanId, parent.spanId);
  to.string(SPAN.name, span.name);
  to.uint(SPAN.kind, (span.kind ?? -1) + 1);
  writeTime(to, SPAN.start, span.startTime);
  writeTime(to, SPAN.end, span.endTime);
  writeAttributes(to, SPAN.attributes, span.attributes);
  writeCount(to, SPAN.droppedAttributes, span.droppedAttributesCount);
  for (const event of span.events) writeEvent(to, event);
  writeCount(to, SPAN.droppedEvents, span.droppedEventsCount);
  for (const link of span.links) writeLink(to, link);
  writeCount(to, SPAN.droppedLinks, span.droppedLinksCount);
  writeStatus(to, span.status.code, span.status.message);
  to.fixed32(SPAN.flags, flagsOf(own.traceFlags, parent?.isRemote));
}

export function flagsOf(traceFlags: number, remote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (remote === true ? IS_REMOTE : 0);
}

export function writeStatus(to: ByteWriter, code: number, message?: string): void {
  if (code === 0 && !message) return;
  const at = to.begin(SPAN.status);
  if (message) to.string(STATUS.message, message);
  to.uint(STATUS.code, code);
  to.end(at);
}

export function writeAttribute(to: ByteWriter, field: number, key: string, value: AttributeValue): void {
  const at = to.begin(field);
  to.string(KEY_VALUE.key, key);
  const inner = to.begin(KEY_VALUE.value);
  writeAny(to, value, DEPTH);
  to.end(inner);
  to.end(at);
}

export function writeAttributes(to: ByteWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) writeAttribute(to, field, key, value);
  }
}

function writeIds(
  to: ByteWriter,
  fields: { readonly traceId: number; readonly spanId: number; readonly traceState: number },
  { traceId, spanId, traceState }: SpanContext,
): void {
  to.hex(fields.traceId, traceId);
  to.hex(fields.spanId, spanId);
  const state = traceState?.serialize();
  if (state) to.string(fields.traceState, state);
}

/** An event without attributes; gives where its time stands, which is to be patched. */
export function writeBareEvent(to: ByteWriter, name: string): number {
  const at = to.begin(SPAN.events);
  to.nanos(EVENT.time, 0, 0);
  const timeAt = to.length - 8;
  to.string(EVENT.name, name);
  // Short enough for one byte of length: nothing moves.
  to.end(at);
  return timeAt;
}

function writeEvent(
  to: ByteWriter,
  { time, name, attributes, droppedAttributesCount }: ReadableSpan['events'][number],
): void {
  const at = to.begin(SPAN.events);
  writeTime(to, EVENT.time, time);
  to.string(EVENT.name, name);
  if (attributes !== undefined) writeAttributes(to, EVENT.attributes, attributes);
  writeCount(to, EVENT.dropped, droppedAttributesCount);
  to.end(at);
}

function writeLink(
  to: ByteWriter,
  { context, attributes, droppedAttributesCount }: ReadableSpan['links'][number],
): void {
  const at = to.begin(SPAN.links);
  writeIds(to, LINK, context);
  if (attributes !== undefined) writeAttributes(to, LINK.attributes, attributes);
  writeCount(to, LINK.dropped, droppedAttributesCount);
  to.fixed32(LINK.flags, flagsOf(context.traceFlags, context.isRemote));
  to.end(at);
}

function writeTime(to: ByteWriter, field: number, [seconds, nanoseconds]: HrTime): void {
  to.nanos(field, seconds, nanoseconds);
}

export function writeCount(to: ByteWriter, field: number, count: number | undefined): void {
  if (count) to.uint(field, count);
}

function writeAny(to: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      to.string(ANY.string, value);
      break;
    case 'boolean':
      to.bool(ANY.bool, value);
      break;
    case 'number':
      if (Number.isInteger(value) && Math.abs(value) < INT64) to.int64(ANY.int, value);
      else to.double(ANY.double, value);
      break;
    case 'object':
      if (value !== null && depth > 0) writeObject(to, value, depth - 1);
  }
}

function writeObject(to: ByteWriter, value: object, depth: number): void {
  if (value instanceof Uint8Array) {
    to.blob(ANY.bytes, value);
    return;
  }
  const at = to.begin(Array.isArray(value) ? ANY.array : ANY.list);
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = to.begin(VALUES);
      writeAny(to, item, depth);
      to.end(inner);
    }
  } else {
    for (const [key, item] of Object.entries(value)) {
      const pair = to.begin(VALUES);
      to.string(KEY_VALUE.key, key);
      const inner = to.begin(KEY_VALUE.value);
      writeAny(to, item, depth);
      to.end(inner);
      to.end(pair);
    }
  }
  to.end(at);
}

/** Spans from OTLP's JSON to what the console shows. */
import {
  attributesOf,
  eachJson,
  enumOf,
  nanosOf,
  objectOf,
  objectsIn,
  spanIdOf,
  textOf,
  traceIdOf,
} from './otlp-json.ts';
import { hasIds, newSpan, SPAN_KINDS, SPAN_STATUSES, type SpanDraft, withOrigin } from './otlp-spans.ts';
import { CUT, ZEROES } from './otlp-values.ts';
import { msBetween, toMs } from './protobuf.ts';
import type { RecordRoom } from './record-room.ts';
import type { SpanRecord } from './wire.ts';

const ENVELOPE = { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' } as const;
const KIND_NAMES = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_NAMES = ['UNSET', 'OK', 'ERROR'];

/** Gives each of a request's spans, one by one; returns how many had no valid ids. Throws OtlpError. */
export function eachJsonSpan(bytes: Uint8Array, take: (span: SpanRecord) => void): number {
  let rejected = 0;
  eachJson(bytes, ENVELOPE, (record, { service, scope }, room) => {
    const span = spanOf(record, room);
    if (hasIds(span)) take(withOrigin(span, service, scope));
    else rejected += 1;
  });
  return rejected;
}

function spanOf(json: Readonly<Record<string, unknown>>, room: RecordRoom): SpanDraft {
  room.begin();
  const start = nanosOf(json.startTimeUnixNano);
  const parent = spanIdOf(json.parentSpanId);
  const status = objectOf(json.status);
  const span: SpanDraft = {
    ...newSpan(),
    traceId: traceIdOf(json.traceId),
    spanId: spanIdOf(json.spanId),
    name: textOf(json.name, room),
    kind: SPAN_KINDS[enumOf(json.kind, 'SPAN_KIND_', KIND_NAMES)] ?? 'internal',
    start: toMs(start),
    duration: msBetween(start, nanosOf(json.endTimeUnixNano)),
    status: SPAN_STATUSES[enumOf(status?.code, 'STATUS_CODE_', STATUS_NAMES)] ?? 'unset',
    attributes: attributesOf(json.attributes, room),
  };
  if (!ZEROES.test(parent)) span.parentSpanId = parent;
  const message = textOf(status?.message, room);
  if (message !== '') span.statusMessage = message;
  const events = eventsOf(json.events, room);
  if (events.length > 0) span.events = events;
  const links = linksOf(json.links, room);
  if (links.length > 0) span.links = links;
  if (room.cut) span.attributes[CUT] = true;
  return span;
}

function eventsOf(value: unknown, room: RecordRoom): NonNullable<SpanDraft['events']> {
  return objectsIn(value)
    .filter(() => room.part())
    .map(({ name, timeUnixNano, attributes }) => ({
      name: textOf(name, room),
      time: toMs(nanosOf(timeUnixNano)),
      attributes: attributesOf(attributes, room),
    }));
}

function linksOf(value: unknown, room: RecordRoom): NonNullable<SpanDraft['links']> {
  return objectsIn(value)
    .filter(() => room.part())
    .map(({ traceId, spanId }) => ({ traceId: traceIdOf(traceId), spanId: spanIdOf(spanId) }))
    .filter(hasIds);
}

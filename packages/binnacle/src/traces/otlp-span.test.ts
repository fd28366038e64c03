/** What we write is what the official serializer writes, read by OpenTelemetry's published definitions. */
import { type Attributes, type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTraceRequest, rawTraceRequest } from '../../test/otlp/decode.ts';
import { ByteWriter, sizeOfVarint } from './bytes.ts';
import { encodeSpans, SpanBatch } from './span-batch.ts';
import { finishedSpan } from './testing-spans.test-helper.ts';

const TYPE = 'application/x-protobuf';
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((list) => Buffer.from(list).toString('hex'));
const text = fc.string({ unit: 'binary', maxLength: 200 });
/** Beyond safe integers the official one is off by some. */
const number = fc.double({ noNaN: true, min: -9e15, max: 9e15 });
const value = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  number,
  fc.array(text, { maxLength: 5 }),
  fc.array(number, { maxLength: 5 }),
  fc.array(fc.boolean(), { maxLength: 5 }),
);
const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 60 }), value, {
  maxKeys: 8,
}) as fc.Arbitrary<Attributes>;
const time = fc.tuple(
  fc.integer({ min: 0, max: 4_000_000_000 }),
  fc.integer({ min: 0, max: 999_999_999 }),
) as fc.Arbitrary<HrTime>;
const context = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  traceFlags: fc.constantFrom(0, 1),
  traceState: fc.constantFrom(undefined, new TraceState('vendor=one,other=two')),
  isRemote: fc.constantFrom(undefined, true, false),
});
const resource = resourceFromAttributes({ 'service.name': 'svc', 'process.pid': 7 });
const scope = fc.constantFrom(
  { name: 'binnacle' },
  { name: 'user', version: '1.2.3' },
  { name: 'user', version: '1.2.3', schemaUrl: 'https://example.org/1' },
);
const span = fc
  .record({
    own: context,
    parentSpanContext: fc.option(context, { nil: undefined }),
    name: text,
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
    startTime: time,
    endTime: time,
    attributes,
    status: fc.record({
      code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
      message: fc.option(text, { nil: undefined }),
    }),
    events: fc.array(fc.record({ name: text, time, attributes, droppedAttributesCount: fc.nat(3) }), { maxLength: 3 }),
    links: fc.array(fc.record({ context, attributes, droppedAttributesCount: fc.nat(3) }), { maxLength: 3 }),
    droppedAttributesCount: fc.nat(200),
    droppedEventsCount: fc.nat(3),
    droppedLinksCount: fc.nat(3),
    instrumentationScope: scope,
  })
  .map(({ own, ...rest }) => ({ ...finishedSpan(''), ...rest, resource, spanContext: () => own }) as ReadableSpan);

function said(request: Uint8Array): unknown {
  const unset = { code: 0, message: '' };
  return JSON.parse(JSON.stringify(rawTraceRequest(request)), (key, got) => (key === 'status' ? (got ?? unset) : got));
}

test('any span is read as the official serializer’s is', () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 6 }), (spans) => {
      // A status that says nothing may be left out.
      const official = ProtobufTraceSerializer.serializeRequest(spans);
      expect(said(encodeSpans(spans))).toEqual(said(official ?? new Uint8Array()));
    }),
    { numRuns: 300 },
  );
});

test('spans of two resources stand in one request', () => {
  const other = { ...finishedSpan('b'), resource: resourceFromAttributes({ 'service.name': 'other' }) } as ReadableSpan;
  const spans = decodeTraceRequest(Buffer.from(encodeSpans([finishedSpan('a'), other])), TYPE);
  expect(spans.map(({ name, resource: of }) => [name, of['service.name']])).toEqual([
    ['a', undefined],
    ['b', 'other'],
  ]);
});

test('what cannot be read leaves the batch as it was', () => {
  const batch = new SpanBatch(resource);
  batch.add(finishedSpan('a'));
  const { bytes } = batch;
  const broken = {
    ...finishedSpan('b'),
    get attributes(): never {
      throw new Error('no');
    },
  };
  expect(() => batch.add(broken as unknown as ReadableSpan)).toThrow('no');
  expect([batch.length, batch.bytes]).toEqual([1, bytes]);
  batch.add(finishedSpan('c'));
  expect(decodeTraceRequest(Buffer.from(batch.toRequest()), TYPE).map(({ name }) => name)).toEqual(['a', 'c']);
});

test('values within values are followed to a depth, cycles too', () => {
  const ring: unknown[] = ['a'];
  ring.push(ring);
  const spans = [{ ...finishedSpan('a'), attributes: { ring, none: null, deep: { a: { b: [1, null] } } } }];
  const [got] = decodeTraceRequest(Buffer.from(encodeSpans(spans as unknown as ReadableSpan[])), TYPE);
  expect(got?.attributes).toMatchObject({ deep: { a: { b: [1, undefined] } } });
  expect(got?.attributes.ring).toMatchObject({ 0: 'a', 1: { 0: 'a' } });
});

describe('bytes', () => {
  test.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER])('varint %d', (number) => {
    const to = new ByteWriter(1);
    to.varint(number);
    expect(to.length).toBe(sizeOfVarint(number));
    let read = 0n;
    for (const [i, byte] of to.written().entries()) read |= BigInt(byte & 0x7f) << BigInt(7 * i);
    expect(read).toBe(BigInt(number));
  });

  test.each([0, 100, 127, 128, 200, 16_383, 16_384, 70_000])(
    'a message of %d bytes, in room for one, two or three',
    (size) => {
      const inner = Buffer.alloc(size, 7);
      const written = [1, 2, 3].map((room) => {
        const to = new ByteWriter(1);
        const at = to.begin(1, room);
        to.raw(inner);
        to.end(at, room);
        to.bool(2, true);
        return to.written().toString('hex');
      });
      const to = new ByteWriter(1);
      to.blob(1, inner);
      to.bool(2, true);
      expect(written).toEqual([1, 2, 3].map(() => to.written().toString('hex')));
    },
  );

  test('integers are int64 where they are such, else doubles', () => {
    const numbers = { big: 1e300, low: -(2 ** 63), one: 1, minus: -1, safe: Number.MIN_SAFE_INTEGER, huge: 2 ** 62 };
    const spans = [{ ...finishedSpan('a'), attributes: numbers } as ReadableSpan];
    expect(decodeTraceRequest(Buffer.from(encodeSpans(spans)), TYPE)[0]?.attributes).toEqual(numbers);
  });
});

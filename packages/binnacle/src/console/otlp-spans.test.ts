/** Spans are read as OpenTelemetry's published definitions, and its official encoders, write them. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRequest, encodeSpan, type Plain, toMessage } from '../../test/otlp/definitions.ts';
import { encodeSpans } from '../traces/span-batch.ts';
import { eachJsonSpan } from './otlp-json-spans.ts';
import {
  attributes,
  damaged,
  encodings,
  id,
  isRead,
  type Json,
  msOf,
  nanos,
  plainAttributes,
  recordsOf,
  requests,
  said,
  text,
  twisted,
} from './otlp-messages.test-helper.ts';
import { decodeSpan, decodeTraces, eachSpan, SPAN_KINDS, SPAN_STATUSES } from './otlp-spans.ts';
import type { SpanRecord } from './wire.ts';

const ids = { traceId: id(16), spanId: id(8) };
const span = fc.record(
  {
    ...ids,
    parentSpanId: id(8),
    traceState: text,
    name: text,
    kind: fc.integer({ min: 0, max: 5 }),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes,
    droppedAttributesCount: fc.nat(9),
    events: fc.array(fc.record({ name: text, timeUnixNano: nanos, attributes }), { maxLength: 3 }),
    links: fc.array(fc.record({ ...ids, attributes, flags: fc.nat(0x3ff) }), { maxLength: 3 }),
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: text }),
    flags: fc.nat(0x3ff),
  },
  { requiredKeys: ['traceId', 'spanId'] },
) as fc.Arbitrary<Json>;
const request = requests('trace', span);

function expectedSpan(json: Json): object {
  const { startTimeUnixNano: start = '0', endTimeUnixNano: end = '0' } = json as Record<string, string>;
  const duration = BigInt(end) - BigInt(start);
  const status = json.status as { code: number; message: string } | undefined;
  const events = (json.events as Json[] | undefined) ?? [];
  const links = (json.links as Json[] | undefined) ?? [];
  return {
    traceId: json.traceId,
    spanId: json.spanId,
    ...(json.parentSpanId !== undefined && { parentSpanId: json.parentSpanId }),
    name: json.name ?? '',
    kind: SPAN_KINDS[(json.kind as number | undefined) ?? 0],
    start: msOf(start),
    duration: duration > 0n ? Number(duration) / 1e6 : 0,
    status: SPAN_STATUSES[status?.code ?? 0],
    ...(status?.message && { statusMessage: status.message }),
    attributes: plainAttributes(json.attributes ?? []),
    ...(events.length > 0 && {
      events: events.map(({ name, timeUnixNano, attributes: list }) => {
        return { name, time: msOf(timeUnixNano), attributes: plainAttributes(list) };
      }),
    }),
    ...(links.length > 0 && { links: links.map(({ traceId, spanId }) => ({ traceId, spanId })) }),
  };
}

function readJson(bytes: Uint8Array): SpanRecord[] {
  const spans: SpanRecord[] = [];
  eachJsonSpan(bytes, (one) => spans.push(one));
  return spans;
}

test('any request says the same in both encodings', () => {
  fc.assert(
    fc.property(request, (json) => {
      const expected = recordsOf('trace', json).map(({ record, service, scope }) => {
        return { ...expectedSpan(record), service, ...(scope !== '' && { scope }) };
      });
      const { protobuf, json: bytes } = encodings('trace', json);
      expect(said(decodeTraces(protobuf))).toEqual(said(expected));
      expect(said(readJson(bytes))).toEqual(said(expected));
    }),
    { numRuns: 300 },
  );
});

test('one span by itself', () => {
  fc.assert(
    fc.property(span, (json) => {
      expect(said(decodeSpan(encodeSpan(toMessage(json) as Plain)))).toEqual(said(expectedSpan(json)));
    }),
  );
});

test('what the official encoders write of the SDK’s spans', () => {
  const official = {
    name: 'GET /a',
    kind: SpanKind.CLIENT,
    spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }),
    parentSpanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba902b7', traceFlags: 1 },
    startTime: [1_700_000_000, 1_000_000],
    endTime: [1_700_000_001, 2_500_001],
    status: { code: SpanStatusCode.ERROR, message: 'no' },
    attributes: { whole: 7, ratio: 0.5, flag: false, list: ['p', 'q'], none: [], emoji: '\u{1f9ed}' },
    links: [{ context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '0102030405060708', traceFlags: 1 } }],
    events: [{ name: 'chunk', time: [1_700_000_000, 5_000_000], attributes: { n: -1 } }],
    resource: resourceFromAttributes({ 'service.name': 'fit-check' }),
    instrumentationScope: { name: 'binnacle' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan;
  const expected = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    name: 'GET /a',
    kind: 'client',
    start: 1_700_000_000_001,
    duration: 1001.500001,
    status: 'error',
    statusMessage: 'no',
    attributes: official.attributes,
    events: [{ name: 'chunk', time: 1_700_000_000_005, attributes: { n: -1 } }],
    links: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '0102030405060708' }],
    service: 'fit-check',
    scope: 'binnacle',
  };
  expect(decodeTraces(ProtobufTraceSerializer.serializeRequest([official])!)).toEqual([expected]);
  expect(readJson(JsonTraceSerializer.serializeRequest([official])!)).toEqual([expected]);
  // And what our own writes.
  expect(decodeTraces(encodeSpans([official]))).toEqual([expected]);
});

describe('whatever the bytes are', () => {
  const bytes = request.map((json) => encodings('trace', json));

  test('only the one error is thrown', () => {
    const any = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(any, damaged(bytes.map(({ protobuf }) => protobuf))), (one) => {
        isRead(decodeTraces, one);
        isRead(decodeSpan, one);
      }),
      { numRuns: 2000 },
    );
    const texts = fc.oneof(
      any,
      fc.json().map((json) => Buffer.from(json)),
      damaged(bytes.map(({ json }) => json)),
      twisted(request),
    );
    fc.assert(
      fc.property(texts, (one) => void isRead(readJson, one)),
      { numRuns: 1000 },
    );
  });

  test('a request that is cut off is none', () => {
    const whole = encodeRequest('trace', toMessage({ resourceSpans: [{ scopeSpans: [{ spans: [SPAN] }] }] }) as Plain);
    for (let length = 1; length < whole.length; length += 1)
      expect(isRead(decodeTraces, whole.subarray(0, length))).toBe(false);
    expect(isRead(decodeTraces, whole)).toBe(true);
  });
});

describe('fields', () => {
  test('may stand in any order, and those of tomorrow are passed over', () => {
    const attribute = (name: string) =>
      field(1, Buffer.concat([field(2, field(1, Buffer.from(name))), field(1, Buffer.from('service.name'))]));
    // Of each wire type, and a group with one within it.
    const unknown = Buffer.from([0xc0, 0x3e, 0x80, 0x01, 0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x3e, 2, 9, 9]);
    const odd = Buffer.concat([unknown, Buffer.from([0xc5, 0x3e, 1, 2, 3, 4, 0xc3, 0x3e, 0x08, 1, 0xc4, 0x3e])]);
    const span = Buffer.concat([odd, encodeSpan(toMessage(SPAN) as Plain), odd]);
    const scope = Buffer.concat([field(2, span), odd, field(1, Buffer.concat([odd, field(1, Buffer.from('late'))]))]);
    const resource = Buffer.concat([field(2, scope), odd, field(1, Buffer.concat([odd, attribute('svc')]))]);
    const request = Buffer.concat([odd, field(1, resource), odd]);
    expect(decodeTraces(request)).toMatchObject([{ ...SPAN, service: 'svc', scope: 'late' }]);
  });
});

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'a' };
const traces = (...spans: Json[]): { readonly protobuf: Uint8Array; readonly json: Uint8Array } =>
  encodings('trace', { resourceSpans: [{ scopeSpans: [{ spans }] }] });

describe('a span without valid ids', () => {
  test.each([
    { ...SPAN, traceId: '' },
    { ...SPAN, traceId: '00'.repeat(16) },
    { ...SPAN, traceId: 'ab'.repeat(15) },
    { ...SPAN, spanId: undefined },
    { ...SPAN, spanId: 'ab'.repeat(9) },
  ])('%j is rejected, and the others are not', (broken) => {
    const { protobuf, json } = traces(SPAN, broken, SPAN);
    const seen: SpanRecord[] = [];
    expect(eachSpan(protobuf, (one) => seen.push(one))).toBe(1);
    expect(eachJsonSpan(json, (one) => seen.push(one))).toBe(1);
    expect(seen).toHaveLength(4);
    expect(() => decodeSpan(encodeSpan(toMessage(broken) as Plain))).toThrow('without valid ids');
  });

  test('a parent of zeroes is none, and so is a link to nowhere', () => {
    const odd = { ...SPAN, parentSpanId: '00'.repeat(8), links: [{ traceId: '', spanId: '' }] };
    const { protobuf, json } = traces(odd);
    for (const [one] of [decodeTraces(protobuf), readJson(json)]) {
      expect(one).not.toHaveProperty('parentSpanId');
      expect(one).not.toHaveProperty('links');
    }
  });
});

describe('JSON beyond its own rules', () => {
  test('ids in capitals, enums by name, times as numbers, null for what is absent', () => {
    const json = {
      ...SPAN,
      traceId: SPAN.traceId.toUpperCase(),
      kind: 'SPAN_KIND_SERVER',
      startTimeUnixNano: 1_700_000_000_000_000_000,
      status: { code: 'STATUS_CODE_ERROR' },
      attributes: null,
      events: [null, { name: 'e', timeUnixNano: '1000000' }],
    };
    const body = { resourceSpans: [{ resource: null, scopeSpans: [{ scope: null, spans: [json] }] }] };
    expect(readJson(Buffer.from(JSON.stringify(body)))).toMatchObject([
      {
        traceId: SPAN.traceId,
        kind: 'server',
        start: 1_700_000_000_000,
        status: 'error',
        attributes: {},
        events: [{ name: 'e', time: 1, attributes: {} }],
        service: 'unknown_service',
      },
    ]);
  });

  test('names with underscores are no names', () => {
    expect(readJson(Buffer.from('{"resource_spans":[{"scope_spans":[{"spans":[1]}]}]}'))).toEqual([]);
  });

  test.each([
    '',
    '[]',
    '1',
    '{"resourceSpans":{}}',
    '{"resourceSpans":[1]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":1}]}]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"-1"}]}]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":{"intValue":"x"}}]}]}]}]}',
  ])('%s is none', (body) => {
    expect(isRead(readJson, Buffer.from(body))).toBe(false);
  });
});

describe('size', () => {
  const long = 'x'.repeat(1_000_000);

  test('a long text is cut, and what stands after it is kept', () => {
    const list = [
      { key: 'long', value: { stringValue: long } },
      { key: 'wide', value: { stringValue: '\u{1f9ed}'.repeat(100_000) } },
      { key: 'after', value: { boolValue: true } },
    ];
    const { protobuf, json } = traces({ ...SPAN, attributes: list });
    for (const [one] of [decodeTraces(protobuf), readJson(json)]) {
      const { long: first, wide, after, ...rest } = one!.attributes as Record<string, string>;
      expect([first!.length, after, rest]).toEqual([32 * 1024 + 1, true, { 'binnacle.truncated': true }]);
      expect(wide).toMatch(/^\u{1f9ed}+…$/u);
      expect(Buffer.byteLength(JSON.stringify(one))).toBeLessThan(256 * 1024);
    }
  });

  test('however many parts a span has, it stays small', () => {
    const events = Array.from({ length: 100_000 }, () => ({ name: '' }));
    const { protobuf, json } = traces({ ...SPAN, events, name: 'kept' });
    for (const [one] of [decodeTraces(protobuf), readJson(json)]) {
      expect(one?.name).toBe('kept');
      expect(one?.events?.length).toBeLessThan(5000);
      expect(one?.attributes).toEqual({ 'binnacle.truncated': true });
    }
  });

  test('a request of far too many parts is refused', () => {
    const empty = Buffer.alloc(2 * 1024 * 1024);
    for (let i = 0; i < empty.length; i += 2) empty[i] = 0x12;
    const scope = Buffer.concat([Buffer.from([0x12, ...varint(empty.length)]), empty]);
    const bytes = Buffer.concat([Buffer.from([0x0a, ...varint(scope.length)]), scope]);
    expect(isRead(decodeTraces, bytes)).toBe(false);
    expect(isRead(readJson, Buffer.from(`{"a":[${'{},'.repeat(3_000_000)}{}]}`))).toBe(false);
  });

  test('a length far beyond the bytes takes no memory', () => {
    expect(isRead(decodeTraces, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]))).toBe(false);
    expect(isRead(decodeTraces, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1]))).toBe(false);
  });

  test('values within values end at a depth', () => {
    let value: Json = { stringValue: 'deep' };
    for (let i = 0; i < 40; i += 1) value = { arrayValue: { values: [value] } };
    const { protobuf, json } = traces({ ...SPAN, attributes: [{ key: 'a', value }] });
    for (const [one] of [decodeTraces(protobuf), readJson(json)]) {
      expect(JSON.stringify(one?.attributes)).toContain('[null]');
      expect(JSON.stringify(one?.attributes)).not.toContain('deep');
    }
    let bytes: Buffer = Buffer.alloc(0);
    for (let i = 0; i < 5000; i += 1) {
      const list = Buffer.concat([Buffer.from([0x0a, ...varint(bytes.length)]), bytes]);
      bytes = Buffer.concat([Buffer.from([0x2a, ...varint(list.length)]), list]);
    }
    const attribute = Buffer.concat([Buffer.from([0x12, ...varint(bytes.length)]), bytes]);
    const message = Buffer.concat([
      encodeSpan(toMessage(SPAN) as Plain),
      Buffer.from([0x4a, ...varint(attribute.length)]),
      attribute,
    ]);
    expect(decodeSpan(message).name).toBe('a');
    expect(isRead(readJson, Buffer.from('['.repeat(1_000_000)))).toBe(false);
  });
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes]);
}

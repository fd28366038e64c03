/** Log records are read as OpenTelemetry's published definitions, and its official encoders, write them. */
import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachJsonLog } from './otlp-json-logs.ts';
import { decodeLogs, type NewLog } from './otlp-logs.ts';
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
  plainValue,
  recordsOf,
  requests,
  said,
  text,
  twisted,
  value,
} from './otlp-messages.test-helper.ts';

const NOW = 1_700_000_000_000;
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const log = fc.record(
  {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: fc.integer({ min: 0, max: 24 }),
    severityText: fc.constantFrom('', 'Warning', 'odd'),
    body: value,
    attributes,
    droppedAttributesCount: fc.nat(9),
    flags: fc.nat(255),
    traceId: id(16),
    spanId: id(8),
    eventName: text,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Json>;
const request = requests('logs', log);

function expectedLog(json: Json): object {
  const severity = (json.severityNumber as number | undefined) ?? 0;
  const body = plainValue((json.body as Json | undefined) ?? {});
  const fields = plainAttributes(json.attributes ?? []);
  if (json.eventName && !Object.hasOwn(fields, 'event_name')) fields.event_name = json.eventName;
  if (fields.event_name === null && json.eventName) fields.event_name = json.eventName;
  const unnumbered = json.severityText === 'Warning' ? 'WARNING' : 'INFO';
  return {
    time: msOf(json.timeUnixNano ?? '0') || msOf(json.observedTimeUnixNano ?? '0') || NOW,
    level: severity === 0 ? unnumbered : LEVELS[Math.ceil(severity / 4) - 1],
    message: body === null ? (json.eventName ?? '') : typeof body === 'string' ? body : JSON.stringify(body),
    ...(json.traceId !== undefined && { traceId: json.traceId }),
    ...(json.traceId !== undefined && json.spanId !== undefined && { spanId: json.spanId }),
    fields,
  };
}

const readProtobuf = (bytes: Uint8Array): NewLog[] => decodeLogs(bytes, NOW);
function readJson(bytes: Uint8Array): NewLog[] {
  const logs: NewLog[] = [];
  eachJsonLog(bytes, NOW, (one) => logs.push(one));
  return logs;
}

test('any request says the same in both encodings', () => {
  fc.assert(
    fc.property(request, (json) => {
      const expected = recordsOf('logs', json).map(({ record, service, scope }) => {
        return { ...expectedLog(record), service, logger: scope };
      });
      const { protobuf, json: bytes } = encodings('logs', json);
      expect(said(readProtobuf(protobuf))).toEqual(said(expected));
      expect(said(readJson(bytes))).toEqual(said(expected));
    }),
    { numRuns: 300 },
  );
});

test('what the official encoders write of the SDK’s records', () => {
  const record = {
    hrTime: [1_700_000_000, 1_000_000],
    hrTimeObserved: [1_700_000_001, 0],
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'it broke',
    eventName: 'broke',
    attributes: { 'code.lineno': 7, tags: ['a', 'b'] },
    droppedAttributesCount: 0,
    spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 },
    resource: resourceFromAttributes({ 'service.name': 'py' }),
    instrumentationScope: { name: 'my.logger' },
  } as unknown as Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];
  const expected = {
    time: 1_700_000_000_001,
    level: 'ERROR',
    logger: 'my.logger',
    message: 'it broke',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    service: 'py',
    fields: { 'code.lineno': 7, tags: ['a', 'b'], event_name: 'broke' },
  };
  expect(readProtobuf(ProtobufLogsSerializer.serializeRequest([record])!)).toEqual([expected]);
  expect(readJson(JsonLogsSerializer.serializeRequest([record])!)).toEqual([expected]);
});

describe('levels', () => {
  test.each([
    ['SEVERITY_NUMBER_TRACE4', '', 'TRACE'],
    ['SEVERITY_NUMBER_FATAL', '', 'CRITICAL'],
    [9, 'ERROR', 'INFO'],
    [0, 'Verbose', 'TRACE'],
    [0, 'err', 'ERROR'],
    [0, 'PANIC', 'CRITICAL'],
    [0, 'notice', 'INFO'],
    [99, '', 'INFO'],
  ])('%s %s is %s', (severityNumber, severityText, level) => {
    const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber, severityText }] }] }] };
    expect(readJson(Buffer.from(JSON.stringify(body)))).toMatchObject([{ level }]);
  });
});

test('a span id without a trace id is none, and ids of another length are none', () => {
  const { protobuf, json } = encodings('logs', {
    resourceLogs: [
      { scopeLogs: [{ logRecords: [{ spanId: 'b7ad6b7169203331' }, { traceId: 'abcd', spanId: 'ab' }] }] },
    ],
  });
  for (const one of [...readProtobuf(protobuf), ...readJson(json)]) {
    expect(one).not.toHaveProperty('traceId');
    expect(one).not.toHaveProperty('spanId');
  }
});

test('whatever the bytes are, only the one error is thrown', () => {
  const bytes = request.map((json) => encodings('logs', json));
  const any = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(fc.oneof(any, damaged(bytes.map(({ protobuf }) => protobuf))), (one) => void isRead(readProtobuf, one)),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.oneof(any, damaged(bytes.map(({ json }) => json)), twisted(request)),
      (one) => void isRead(readJson, one),
    ),
    { numRuns: 1000 },
  );
});

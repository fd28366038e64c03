import { describe, expect, test, vi } from 'vitest';
import { encodeTraceResponse } from '../../test/otlp/decode.ts';
import type { OtlpSettings } from '../settings-otel.ts';
import { headersOf, partialSuccessOf } from './payload.ts';
import { otelSettings } from './testing-spans.test-helper.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
/** What the OpenTelemetry Collector answers: an empty `partial_success`. */
const NOTHING = Buffer.from([0x0a, 0]);
const settings = (overrides: Partial<OtlpSettings>): OtlpSettings => ({ ...otelSettings({}).otlp, ...overrides });

describe('what a collector did not take is read by the content type of its answer', () => {
  const read = (contentType: string, body: Buffer | undefined, protocol: OtlpSettings['protocol'] = 'http/protobuf') =>
    partialSuccessOf({ status: 200, retryAfter: undefined, contentType, body }, settings({ protocol }));
  const partial = { rejected: 3, message: 'too old' };
  const protobuf = encodeTraceResponse(3, 'too old', PROTOBUF);
  const json = encodeTraceResponse(3, 'too old', JSON_TYPE);

  test.each([
    [PROTOBUF, protobuf, 'http/protobuf', partial],
    [JSON_TYPE, json, 'http/json', partial],
    ['application/json; charset=utf-8', json, 'http/protobuf', partial],
    ['', protobuf, 'http/protobuf', partial],
    ['', json, 'http/json', partial],
    ['text/html', protobuf, 'http/protobuf', undefined],
    ['text/html', json, 'http/json', undefined],
    [PROTOBUF, json, 'http/protobuf', undefined],
    [JSON_TYPE, protobuf, 'http/json', undefined],
    [JSON_TYPE, Buffer.from('['.repeat(60_000)), 'http/json', undefined],
    [PROTOBUF, undefined, 'http/protobuf', undefined],
    [PROTOBUF, NOTHING, 'http/protobuf', undefined],
    [JSON_TYPE, Buffer.from('{"partialSuccess":{}}'), 'http/json', undefined],
  ] as const)('%s', async (contentType, body, protocol, expected) => {
    expect(await read(contentType, body, protocol)).toEqual(expected);
  });
});

test('the reader of protobuf is asked for only where there is something to read', async () => {
  let asked = 0;
  vi.doMock('@opentelemetry/otlp-transformer', () => {
    asked += 1;
    return { ProtobufTraceSerializer: { deserializeResponse: () => ({}) } };
  });
  const read = (body: Buffer) =>
    partialSuccessOf({ status: 200, retryAfter: undefined, contentType: PROTOBUF, body }, settings({}));
  for (const body of [Buffer.alloc(0), NOTHING]) expect(await read(body)).toBeUndefined();
  expect(asked).toBe(0);
  await read(Buffer.from([0x0a, 2, 8, 1]));
  expect(asked).toBe(1);
  vi.doUnmock('@opentelemetry/otlp-transformer');
});

test('headers: those of the settings, except what the body decides', () => {
  const headers = {
    'Content-Type': 'text/plain',
    'Transfer-Encoding': 'chunked',
    Authorization: 'x',
    'USER-AGENT': 'y',
  };
  expect(headersOf(settings({ headers, compression: 'none', protocol: 'http/json' }))).toEqual({
    'content-type': JSON_TYPE,
    authorization: 'x',
    'user-agent': 'y',
  });
});

/** Messages of OTLP at random, in the form of its JSON, and what the console is to make of them. */
import fc from 'fast-check';
import { encodeRequest, type Plain, type Signal, toMessage } from '../../test/otlp/definitions.ts';
import { OtlpError } from './otlp-error.ts';

export type Json = Readonly<Record<string, unknown>>;

export const text: fc.Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 40 });
export const id = (bytes: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((list) => Buffer.from(list).toString('hex'))
    .filter((hex) => !/^0*$/.test(hex));
export const nanos: fc.Arbitrary<string> = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
export const count: fc.Arbitrary<string> = fc.bigInt({ min: 0n, max: 2n ** 53n }).map(String);
/** As JSON has a number, or a text where it has none. */
export const double: fc.Arbitrary<number | string> = fc
  .double()
  .map((number) => (Number.isFinite(number) ? number + 0 : String(number)));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const key = fc.oneof({ arbitrary: text, weight: 9 }, fc.constantFrom('__proto__', 'constructor', ''));

export const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.oneof(int64, fc.integer().map(String)) }),
    fc.record({ doubleValue: double }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 4 }) }) }),
    fc.record({
      kvlistValue: fc.record({ values: fc.array(fc.record({ key, value: tie('value') }), { maxLength: 4 }) }),
    }),
  ),
}));

export const attributes: fc.Arbitrary<Json[]> = fc.array(fc.record({ key, value }), { maxLength: 6 });

/** Some resources with some scopes with some records. */
export function requests(signal: Signal, record: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const { resources, scopes, records } = ENVELOPES[signal];
  const scope = fc.record({
    scope: fc.record({ name: text, version: text }),
    [records]: fc.array(record, { maxLength: 4 }),
  });
  const resource = fc.record({
    resource: fc.record({
      attributes: fc
        .tuple(attributes, text)
        .map(([others, service]) => [
          ...others.filter((pair) => pair.key !== 'service.name'),
          ...(service === '' ? [] : [{ key: 'service.name', value: { stringValue: service } }]),
        ]),
    }),
    [scopes]: fc.array(scope, { maxLength: 2 }),
  });
  return fc.record({ [resources]: fc.array(resource, { maxLength: 3 }) }) as fc.Arbitrary<Json>;
}

const ENVELOPES = {
  trace: { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' },
} as const;

/** Each record of a request, with its service and scope as the console has them. */
export function recordsOf(signal: Signal, request: Json): { record: Json; service: string; scope: string }[] {
  const { resources, scopes, records } = ENVELOPES[signal];
  return (request[resources] as Json[]).flatMap((resource) => {
    const about = plainAttributes((resource.resource as Json).attributes);
    const service = (about['service.name'] as string | undefined) ?? 'unknown_service';
    return (resource[scopes] as Json[]).flatMap((scope) =>
      (scope[records] as Json[]).map((record) => ({ record, service, scope: (scope.scope as Json).name as string })),
    );
  });
}

export function plainAttributes(list: unknown): Record<string, unknown> {
  return Object.fromEntries((list as Json[]).map((pair) => [pair.key, plainValue(pair.value as Json)]));
}

export function plainValue(json: Json): unknown {
  if ('arrayValue' in json) return ((json.arrayValue as Json).values as Json[]).map(plainValue);
  if ('kvlistValue' in json) return plainAttributes((json.kvlistValue as Json).values);
  if ('intValue' in json) return Number.isSafeInteger(Number(json.intValue)) ? Number(json.intValue) : json.intValue;
  return json.stringValue ?? json.boolValue ?? json.doubleValue ?? json.bytesValue ?? null;
}

export const msOf = (time: unknown): number => Number(BigInt(time as string)) / 1e6;

/** In both encodings. What JSON does not know is to be passed over. */
export function encodings(signal: Signal, request: Json): { readonly protobuf: Uint8Array; readonly json: Uint8Array } {
  return {
    protobuf: encodeRequest(signal, toMessage(request) as Plain),
    json: Buffer.from(JSON.stringify({ ...request, fieldOfTomorrow: [{ deep: {} }] })),
  };
}

/** As a page is told of it. */
export const said = (records: unknown): unknown => JSON.parse(JSON.stringify(records));

/** Whether bytes were read; any error but the one that there may be is thrown. */
export function isRead(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    read(bytes);
    return true;
  } catch (error) {
    if (error instanceof OtlpError) return false;
    throw error;
  }
}

/** Bytes with some of them changed, and perhaps cut short. */
export function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 6 });
  return fc.tuple(whole, changes, fc.nat()).map(([bytes, list, length]) => {
    const copy = Uint8Array.from(bytes);
    for (const { at, byte } of list) if (copy.length > 0) copy[at % copy.length] = byte;
    return length % 2 === 0 ? copy : copy.subarray(0, length % (copy.length + 1));
  });
}

/** JSON that is whole, with some part of it being something else. */
export function twisted(request: fc.Arbitrary<Json>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(request, fc.nat(), fc.jsonValue({ maxDepth: 2 })).map(([json, at, other]) => {
    const copy = said(json) as Record<string, unknown>;
    const places = placesIn(copy);
    const place = places[at % Math.max(1, places.length)];
    if (place !== undefined) place.holder[place.key] = other;
    return Buffer.from(JSON.stringify(copy));
  });
}

function placesIn(value: unknown): { readonly holder: Record<string, unknown>; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [{ holder, key: name }, ...placesIn(holder[name])]);
}

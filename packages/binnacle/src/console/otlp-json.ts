/**
 * OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hex, 64-bit integers as text or
 * numbers, enums as numbers (and, beyond what it asks for, by their names), unknown fields ignored.
 */
import type { Origin } from './otlp-envelope.ts';
import { OtlpError } from './otlp-error.ts';
import {
  DEPTH,
  type MutableAttributes,
  NAME,
  SPAN_ID_BYTES,
  serviceOf,
  setAttribute,
  TRACE_ID_BYTES,
  toJsonNumber,
} from './otlp-values.ts';
import type { Nanos } from './protobuf.ts';
import { RecordRoom } from './record-room.ts';
import type { Attribute } from './wire.ts';

type Json = Readonly<Record<string, unknown>>;

/** Objects and lists of a request: more than any sender's, and what a few hundred megabytes hold. */
const MOST_PARTS = 2_000_000;
/** How deep they may stand in each other: four for each value within a value, which are followed as deep as elsewhere. */
const MOST_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Reads a request's body. Throws OtlpError where it is no JSON, or would take much more memory than its bytes. */
export function parseJson(bytes: Uint8Array): Json {
  checkParts(bytes);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    throw new OtlpError('no JSON');
  }
  return objectOf(value) ?? {};
}

function checkParts(bytes: Uint8Array): void {
  let depth = 0;
  let parts = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (isText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      parts += 1;
      if (depth > MOST_DEPTH || parts > MOST_PARTS) throw new OtlpError('JSON with too many parts');
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
}

/** Undefined where it is absent; null is that too. */
export function objectOf(value: unknown): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw new OtlpError('something else where JSON has an object');
  return value as Json;
}

export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new OtlpError('something else where JSON has a list');
  return value;
}

/** A text as it may be kept: its room taken, cut where that ends, without halves of characters. */
export function textOf(value: unknown, room: RecordRoom): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new OtlpError('something else where JSON has a text');
  const taken = room.text(value.length);
  const text = taken === value.length ? value : `${value.slice(0, taken)}…`;
  return /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, '\uFFFD') : text;
}

/** An id in hex, in lower case; '' where it is absent or of another length. */
export function idOf(value: unknown, bytes: number): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new OtlpError('something else where JSON has an id');
  return value.length === bytes * 2 && /^[0-9a-f]*$/i.test(value) ? value.toLowerCase() : '';
}

export function traceIdOf(value: unknown): string {
  return idOf(value, TRACE_ID_BYTES);
}

export function spanIdOf(value: unknown): string {
  return idOf(value, SPAN_ID_BYTES);
}

/** A number, of which a text may be the digits; 0 where it is absent. */
export function numberOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number) && value !== 'NaN') throw new OtlpError('something else where JSON has a number');
  return number;
}

/** `int64`; beyond the safe integers in decimal digits. */
export function int64Of(value: unknown): number | string {
  const number = numberOf(value);
  if (!Number.isInteger(number)) throw new OtlpError('something else where JSON has an integer');
  if (Number.isSafeInteger(number)) return number;
  return typeof value === 'string' && /^-?\d{16,20}$/.test(value) ? value : String(number);
}

export function boolOf(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw new OtlpError('something else where JSON has true or false');
  return value;
}

/** An enum's number, or its name without what all its names begin with. Unknown names are 0. */
export function enumOf(value: unknown, prefix: string, names: readonly string[]): number {
  if (typeof value !== 'string' || /^\d+$/.test(value)) return numberOf(value);
  return Math.max(0, names.indexOf(value.replace(prefix, '')));
}

/** Nanoseconds since 1970. */
export function nanosOf(value: unknown): Nanos {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return halvesOf(BigInt(value));
  const number = numberOf(value);
  if (!(number >= 0 && number < 2 ** 64)) throw new OtlpError('something else where JSON has a time');
  return halvesOf(BigInt(Math.trunc(number)));
}

function halvesOf(nanos: bigint): Nanos {
  return { low: Number(nanos & 0xffff_ffffn), high: Number((nanos >> 32n) & 0xffff_ffffn) };
}

/** A list of `KeyValue`. */
export function attributesOf(value: unknown, room: RecordRoom, depth: number = DEPTH): MutableAttributes {
  const attributes: MutableAttributes = {};
  for (const item of listOf(value)) {
    const pair = objectOf(item);
    if (pair === undefined) continue;
    if (!room.part()) break;
    setAttribute(attributes, textOf(pair.key, room), anyOf(pair.value, room, depth));
  }
  return attributes;
}

/** An `AnyValue`. */
export function anyOf(json: unknown, room: RecordRoom, depth: number = DEPTH): Attribute {
  const value = objectOf(json) ?? {};
  if (value.stringValue !== undefined) return textOf(value.stringValue, room);
  if (value.boolValue !== undefined) return boolOf(value.boolValue);
  if (value.intValue !== undefined) return int64Of(value.intValue);
  if (value.doubleValue !== undefined) return toJsonNumber(numberOf(value.doubleValue));
  if (value.bytesValue !== undefined) return textOf(value.bytesValue, room);
  const { arrayValue, kvlistValue } = value;
  if (arrayValue === undefined && kvlistValue === undefined) return null;
  if (depth === 0) {
    room.cut = true;
    return null;
  }
  if (kvlistValue !== undefined) return attributesOf(objectOf(kvlistValue)?.values, room, depth - 1);
  const values: Attribute[] = [];
  for (const item of listOf(objectOf(arrayValue)?.values)) {
    if (!room.part()) break;
    values.push(anyOf(item, room, depth - 1));
  }
  return values;
}

/** The names of what is around a signal's records. */
export interface Envelope {
  /** `resourceSpans` */
  readonly resources: string;
  /** `scopeSpans` */
  readonly scopes: string;
  /** `spans` */
  readonly records: string;
}

/** Calls back with each record of a request, and who sent it. Throws OtlpError. */
export function eachJson(
  bytes: Uint8Array,
  names: Envelope,
  read: (record: Json, origin: Origin, room: RecordRoom) => void,
): void {
  const room = new RecordRoom();
  for (const resource of objectsIn(parseJson(bytes)[names.resources])) {
    room.begin();
    const attributes = attributesOf(objectOf(resource.resource)?.attributes, room);
    const service = serviceOf(attributes);
    for (const scope of objectsIn(resource[names.scopes])) {
      room.begin();
      const origin = { service, attributes, scope: textOf(objectOf(scope.scope)?.name, room).slice(0, NAME) };
      for (const record of objectsIn(scope[names.records])) read(record, origin, room);
    }
  }
}

export function objectsIn(value: unknown): Json[] {
  return listOf(value).flatMap((item): Json[] => {
    const object = objectOf(item);
    return object === undefined ? [] : [object];
  });
}

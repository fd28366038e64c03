/** What all signals of OTLP are made of (`opentelemetry.proto.common.v1`, `resource.v1`): values, attributes, who sent it. */
import type { ProtobufReader } from './protobuf.ts';
import type { Attribute, Attributes } from './wire.ts';

const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY = { string: 1, bool: 2, int: 3, double: 4, array: 5, list: 6, bytes: 7 } as const;
/** Of `ArrayValue` and `KeyValueList`. */
const VALUES = 1;
const RESOURCE = { attributes: 1 } as const;
const SCOPE = { name: 1 } as const;

/** Values within values are followed this deep; deeper ones are null. */
export const DEPTH = 32;

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;
/** An id that is none: https://www.w3.org/TR/trace-context/#trace-id */
export const ZEROES: RegExp = /^0*$/;

export type MutableAttributes = Record<string, Attribute>;

/** The attribute of a record of which something was cut, or left out, for its size. */
export const CUT = 'binnacle.truncated';

/** Reads a `KeyValue` that is the field at hand. */
export function readAttribute(from: ProtobufReader, into: MutableAttributes, depth: number = DEPTH): void {
  if (!from.room.part()) {
    from.skip();
    return;
  }
  let key = '';
  let value: Attribute = null;
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === KEY_VALUE.key) key = from.string();
    else if (field === KEY_VALUE.value) value = readAny(from, depth);
    else from.skip();
  }
  from.leave(outer);
  setAttribute(into, key, value);
}

/** An assignment to `__proto__` would change what the object is. */
export function setAttribute(into: MutableAttributes, key: string, value: Attribute): void {
  if (key !== '__proto__') into[key] = value;
  else Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Reads an `AnyValue` that is the field at hand; of several the last one counts. */
export function readAny(from: ProtobufReader, depth: number): Attribute {
  let value: Attribute = null;
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) value = readOne(from, field, depth) ?? value;
  from.leave(outer);
  return value;
}

/** Null where the field is none of a value's. */
function readOne(from: ProtobufReader, field: number, depth: number): Attribute {
  switch (field) {
    case ANY.string:
      return from.string();
    case ANY.bool:
      return from.bool();
    case ANY.int:
      return from.int64();
    case ANY.double:
      return toJsonNumber(from.double());
    case ANY.array:
      return readArray(from, depth - 1);
    case ANY.list:
      return readList(from, depth - 1);
    case ANY.bytes:
      return from.base64();
    default:
      from.skip();
      return null;
  }
}

/** JSON has no number for these. */
export function toJsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function readArray(from: ProtobufReader, depth: number): Attribute {
  if (depth < 0) return tooDeep(from);
  const values: Attribute[] = [];
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === VALUES && from.room.part()) values.push(readAny(from, depth));
    else from.skip();
  }
  from.leave(outer);
  return values;
}

function readList(from: ProtobufReader, depth: number): Attribute {
  if (depth < 0) return tooDeep(from);
  const values: MutableAttributes = {};
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === VALUES) readAttribute(from, values, depth);
    else from.skip();
  }
  from.leave(outer);
  return values;
}

function tooDeep(from: ProtobufReader): null {
  from.skip();
  from.room.cut = true;
  return null;
}

/** Adds the attributes of a `Resource` that is the field at hand. */
export function readResource(from: ProtobufReader, into: MutableAttributes): void {
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === RESOURCE.attributes) readAttribute(from, into);
    else from.skip();
  }
  from.leave(outer);
}

/** The name of an `InstrumentationScope` that is the field at hand. */
export function readScope(from: ProtobufReader): string {
  let name = '';
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === SCOPE.name) name = from.string();
    else from.skip();
  }
  from.leave(outer);
  return name.slice(0, NAME);
}

/** https://opentelemetry.io/docs/specs/semconv/resource/#semantic-attributes-with-sdk-provided-default-value */
const UNKNOWN_SERVICE = 'unknown_service';
/** The most of what names each record's sender, in characters. */
export const NAME = 256;

export function serviceOf(resource: Attributes): string {
  const name = resource['service.name'];
  return typeof name === 'string' && name !== '' ? name.slice(0, NAME) : UNKNOWN_SERVICE;
}

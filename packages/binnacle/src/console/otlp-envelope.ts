/**
 * What is around the records of an OTLP request, the same for each signal: the request holds resources (1), a resource
 * itself (1) and scopes (2), a scope itself (1) and its records (2).
 */
import { type MutableAttributes, readResource, readScope, serviceOf } from './otlp-values.ts';
import { ProtobufReader } from './protobuf.ts';
import type { Attributes } from './wire.ts';

/** Of the request. */
const RESOURCES = 1;
/** Of a resource and its scopes, of a scope and its records. */
const ABOUT = 1;
const INNER = 2;

/** Who sent a record. */
export interface Origin {
  readonly service: string;
  /** Of the resource. */
  readonly attributes: Attributes;
  /** The name of the instrumentation scope, '' where it has none. */
  readonly scope: string;
}

/** Calls back with the reader at the field of each record, which is to be read. Throws OtlpError. */
export function eachScoped(bytes: Uint8Array, read: (from: ProtobufReader, origin: Origin) => void): void {
  const from = new ProtobufReader(bytes);
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === RESOURCES) readResourceScopes(from, read);
    else from.skip();
  }
}

function readResourceScopes(from: ProtobufReader, read: (from: ProtobufReader, origin: Origin) => void): void {
  const outer = from.enter();
  const attributes: MutableAttributes = {};
  from.room.begin();
  // Fields may stand in any order: who it is may come last.
  const start = from.place;
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === ABOUT) readResource(from, attributes);
    else from.skip();
  }
  from.place = start;
  const service = serviceOf(attributes);
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === INNER) readScopeRecords(from, { service, attributes }, read);
    else from.skip();
  }
  from.leave(outer);
}

function readScopeRecords(
  from: ProtobufReader,
  resource: Omit<Origin, 'scope'>,
  read: (from: ProtobufReader, origin: Origin) => void,
): void {
  const outer = from.enter();
  let scope = '';
  from.room.begin();
  const start = from.place;
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === ABOUT) scope = readScope(from);
    else from.skip();
  }
  from.place = start;
  const origin = { ...resource, scope };
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === INNER) read(from, origin);
    else from.skip();
  }
  from.leave(outer);
}

/** Requests and answers of all signals, written and read by OpenTelemetry's published definitions (see README.md). */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export type Signal = 'trace' | 'logs' | 'metrics';
export type Plain = Readonly<Record<string, unknown>>;

const PROTO = fileURLToPath(new URL('proto/', import.meta.url));
const NAMES = { trace: 'Trace', logs: 'Logs', metrics: 'Metrics' } as const;

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith(PROTO) ? target : PROTO + target);
root.loadSync(
  (Object.keys(NAMES) as Signal[]).map(
    (signal) => `opentelemetry/proto/collector/${signal}/v1/${signal}_service.proto`,
  ),
);

/** `google.rpc.Status`, as far as OTLP has it. */
const status = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
  message FieldViolation { string field = 1; string description = 2; }
`).root;

function typeOf(signal: Signal, kind: 'Request' | 'Response'): protobuf.Type {
  return root.lookupType(`opentelemetry.proto.collector.${signal}.v1.Export${NAMES[signal]}Service${kind}`);
}

/** A request in protobuf. Throws for what is none. */
export function encodeRequest(signal: Signal, request: Plain): Uint8Array {
  const type = typeOf(signal, 'Request');
  return type.encode(type.fromObject(request)).finish();
}

/** One `Span` in protobuf. */
export function encodeSpan(span: Plain): Uint8Array {
  const type = root.lookupType('opentelemetry.proto.trace.v1.Span');
  return type.encode(type.fromObject(span)).finish();
}

export function decodeResponse(signal: Signal, bytes: Uint8Array): Plain {
  const type = typeOf(signal, 'Response');
  return type.toObject(type.decode(bytes), { longs: Number });
}

/** A `Status`, with the `BadRequest` of its details. */
export function decodeStatus(bytes: Uint8Array): Plain {
  const type = status.lookupType('Status');
  const read = type.toObject(type.decode(bytes)) as {
    details?: { type_url: string; typeUrl: string; value: Uint8Array }[];
  };
  const bad = status.lookupType('BadRequest');
  const details = read.details?.map(({ typeUrl, value }) => ({ '@type': typeUrl, ...bad.toObject(bad.decode(value)) }));
  return { ...read, ...(details !== undefined && { details }) };
}

/** Fields that are bytes, which OTLP's JSON has in hex, and all others in base64. */
const IDS = new Set(['traceId', 'spanId', 'parentSpanId']);

/** A message in the form of OTLP's JSON as protobufjs takes it: ids as bytes, numbers that JSON has none for as numbers. */
export function toMessage(json: unknown, key = ''): unknown {
  if (typeof json === 'string' && IDS.has(key)) return Buffer.from(json, 'hex');
  if (typeof json === 'string' && /^(NaN|-?Infinity)$/.test(json) && key !== 'stringValue') return Number(json);
  if (Array.isArray(json)) return json.map((item) => toMessage(item, key));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, toMessage(value, name)]));
}

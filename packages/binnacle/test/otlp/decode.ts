/** What an OTLP trace request says, read by OpenTelemetry's published definitions (see README.md). */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

type Plain = Readonly<Record<string, unknown>>;

export interface ReceivedEvent {
  readonly name: string;
  readonly timeUnixNano: string;
  readonly attributes: Plain;
}

export interface ReceivedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Plain;
  readonly flags: number;
}

export interface ReceivedSpan {
  /** In hex, as every id here. */
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for a root. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** As OTLP numbers it: 1 is INTERNAL, 2 SERVER, 3 CLIENT. */
  readonly kind: number;
  /** Nanoseconds since 1970, as a decimal number: more than a JavaScript number holds exactly. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Plain;
  readonly events: readonly ReceivedEvent[];
  readonly links: readonly ReceivedLink[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly flags: number;
  readonly scope: { readonly name: string; readonly version: string };
  readonly resource: Plain;
}

const PROTO = fileURLToPath(new URL('proto/', import.meta.url));
const COLLECTOR = 'opentelemetry.proto.collector.trace.v1';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith(PROTO) ? target : PROTO + target);
root.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto');
const request = root.lookupType(`${COLLECTOR}.ExportTraceServiceRequest`);
const response = root.lookupType(`${COLLECTOR}.ExportTraceServiceResponse`);

/** Throws for what is no ExportTraceServiceRequest in the format that the content type names. */
export function decodeTraceRequest(body: Buffer, contentType: string): ReceivedSpan[] {
  if (contentType === 'application/json') return readRequest(JSON.parse(body.toString('utf8')) as Request);
  if (contentType !== 'application/x-protobuf') throw new TypeError(`content type ${contentType}`);
  const message = request.toObject(request.decode(body), { longs: String, arrays: true });
  return readRequest(message as Request);
}

/** All that a request in protobuf says, what it leaves out as its default: for comparing two. */
export function rawTraceRequest(body: Uint8Array): Plain {
  return request.toObject(request.decode(body), { longs: String, bytes: String, arrays: true, defaults: true });
}

/** An answer in the format that the content type names. */
export function encodeTraceResponse(rejected: number, message: string, contentType: string): Buffer {
  const partial = { partialSuccess: { rejectedSpans: rejected, errorMessage: message } };
  if (contentType !== 'application/json') return Buffer.from(response.encode(response.fromObject(partial)).finish());
  return Buffer.from(
    JSON.stringify({ partialSuccess: { ...partial.partialSuccess, rejectedSpans: String(rejected) } }),
  );
}

/** The messages as both formats have them; a field that is not written has its default. */
interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly bytesValue?: Uint8Array | string;
  readonly arrayValue?: { readonly values?: readonly Value[] };
  readonly kvlistValue?: { readonly values?: Attributes };
}
type Attributes = readonly { readonly key: string; readonly value?: Value }[];
type Id = Uint8Array | string;
interface Span {
  readonly traceId: Id;
  readonly spanId: Id;
  readonly parentSpanId?: Id;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string | number;
  readonly endTimeUnixNano?: string | number;
  readonly attributes?: Attributes;
  readonly events?: readonly { name?: string; timeUnixNano?: string | number; attributes?: Attributes }[];
  readonly links?: readonly { traceId: Id; spanId: Id; attributes?: Attributes; flags?: number }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly flags?: number;
}
interface Request {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: Attributes };
    readonly scopeSpans?: readonly {
      readonly scope?: { readonly name?: string; readonly version?: string };
      readonly spans?: readonly Span[];
    }[];
  }[];
}

function readRequest({ resourceSpans = [] }: Request): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const about = readAttributes(resource?.attributes);
    return scopeSpans.flatMap(({ scope, spans = [] }) =>
      spans.map((span) => ({
        ...readSpan(span),
        scope: { name: scope?.name ?? '', version: scope?.version ?? '' },
        resource: about,
      })),
    );
  });
}

function readSpan(span: Span): Omit<ReceivedSpan, 'scope' | 'resource'> {
  const parentSpanId = span.parentSpanId === undefined ? '' : readId(span.parentSpanId, 8);
  return {
    traceId: readId(span.traceId, 16),
    spanId: readId(span.spanId, 8),
    ...(parentSpanId !== '' && { parentSpanId }),
    name: span.name ?? '',
    kind: span.kind ?? 0,
    startTimeUnixNano: String(span.startTimeUnixNano ?? 0),
    endTimeUnixNano: String(span.endTimeUnixNano ?? 0),
    attributes: readAttributes(span.attributes),
    events: (span.events ?? []).map(({ name = '', timeUnixNano = 0, attributes }) => ({
      name,
      timeUnixNano: String(timeUnixNano),
      attributes: readAttributes(attributes),
    })),
    links: (span.links ?? []).map(({ traceId, spanId, attributes, flags = 0 }) => ({
      traceId: readId(traceId, 16),
      spanId: readId(spanId, 8),
      attributes: readAttributes(attributes),
      flags,
    })),
    status: span.status ?? {},
    flags: span.flags ?? 0,
  };
}

/** Bytes in protobuf, hex in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
function readId(id: Id, length: number): string {
  const hex = typeof id === 'string' ? id : Buffer.from(id).toString('hex');
  if (hex !== '' && !(hex.length === 2 * length && /^[0-9a-f]*$/i.test(hex))) throw new TypeError(`an id ${hex}`);
  return hex;
}

function readAttributes(attributes: Attributes = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: Value | undefined): unknown {
  if (value === undefined) return undefined;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(readValue);
  if (value.kvlistValue !== undefined) return readAttributes(value.kvlistValue.values);
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.bytesValue !== undefined) {
    return typeof value.bytesValue === 'string' ? Buffer.from(value.bytesValue, 'base64') : value.bytesValue;
  }
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}

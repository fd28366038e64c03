/**
 * An OTLP receiver for tests: a real HTTP server, and a reader of what it is sent, by the wire format
 * (https://protobuf.dev/programming-guides/encoding/) and opentelemetry-proto's trace.proto.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly scope: string;
  readonly resource: Record<string, unknown>;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly statusCode: number;
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly spans: readonly ReceivedSpan[];
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
  /** Spans of requests that were answered with 2xx. */
  readonly spans: readonly ReceivedSpan[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Resolves once so many requests have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

export type Answer = (res: ServerResponse, request: ReceivedRequest, index: number, socket: Socket) => void;

const accept: Answer = (res) => res.writeHead(200).end();

/** Starts a receiver on a free loopback port (or the one given); `answer` says how each request is answered. */
export async function startReceiver(answer: Answer = accept, port = 0, host = '127.0.0.1'): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const spans: ReceivedSpan[] = [];
  const waiting: { readonly count: number; readonly done: () => void }[] = [];
  let connections = 0;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('error', () => {});
    req.on('end', () => {
      const request = readRequest(req, Buffer.concat(chunks));
      requests.push(request);
      res.on('finish', () => {
        if (res.statusCode < 300) spans.push(...request.spans);
      });
      answer(res, request, requests.length - 1, req.socket);
      for (const { count, done } of waiting) if (requests.length >= count) done();
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/v1/traces`,
    port: address.port,
    requests,
    spans,
    get connections() {
      return connections;
    },
    arrived: (count) =>
      new Promise((done) => {
        if (requests.length >= count) done();
        else waiting.push({ count, done });
      }),
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function readRequest(req: IncomingMessage, raw: Buffer): ReceivedRequest {
  const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const json = req.headers['content-type'] === 'application/json';
  return {
    path: req.url ?? '',
    headers: req.headers,
    spans: json ? spansOfJson(JSON.parse(body.toString('utf8'))) : spansOfProtobuf(body),
  };
}

interface JsonValue {
  readonly [kind: string]: unknown;
}
interface JsonAttribute {
  readonly key: string;
  readonly value: JsonValue;
}
interface JsonSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly attributes: readonly JsonAttribute[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
}
interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonAttribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly JsonSpan[] }[];
  }[];
}

function spansOfJson(request: JsonRequest): ReceivedSpan[] {
  const attributesOf = (list: readonly JsonAttribute[]): Record<string, unknown> =>
    Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        kind: span.kind,
        attributes: attributesOf(span.attributes),
        scope: scope.name,
        resource: attributesOf(resource.attributes),
        startNanos: BigInt(span.startTimeUnixNano),
        endNanos: BigInt(span.endTimeUnixNano),
        statusCode: span.status.code,
      })),
    ),
  );
}

/** A message's fields by number: numbers for varint and fixed widths, bytes for the rest. */
class Message {
  readonly #fields = new Map<number, (bigint | Buffer)[]>();

  constructor(buffer: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = buffer.readUInt8(at);
        at += 1;
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    const bytes = (length: number): Buffer => {
      if (at + length > buffer.length) throw new RangeError('a field ends after its message');
      at += length;
      return buffer.subarray(at - length, at);
    };
    while (at < buffer.length) {
      const tag = Number(varint());
      const wireType = tag & 7;
      let value: bigint | Buffer;
      if (wireType === 0) value = varint();
      else if (wireType === 1) value = bytes(8).readBigUInt64LE();
      else if (wireType === 2) value = bytes(Number(varint()));
      else if (wireType === 5) value = BigInt(bytes(4).readUInt32LE());
      else throw new RangeError(`wire type ${wireType}`);
      const list = this.#fields.get(tag >> 3) ?? [];
      this.#fields.set(tag >> 3, [...list, value]);
    }
  }

  bytes(field: number): Buffer {
    const value = this.#fields.get(field)?.at(-1);
    return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
  }
  text(field: number): string {
    return this.bytes(field).toString('utf8');
  }
  integer(field: number): bigint {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === 'bigint' ? value : 0n;
  }
  has(field: number): boolean {
    return this.#fields.has(field);
  }
  messages(field: number): Message[] {
    return (this.#fields.get(field) ?? []).map((value) => new Message(value as Buffer));
  }
}

function spansOfProtobuf(body: Buffer): ReceivedSpan[] {
  return new Message(body).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.messages(1)[0]?.messages(1) ?? []);
    return resourceSpans.messages(2).flatMap((scopeSpans) => {
      const scope = scopeSpans.messages(1)[0]?.text(1) ?? '';
      return scopeSpans.messages(2).map((span) => ({
        name: span.text(5),
        traceId: span.bytes(1).toString('hex'),
        spanId: span.bytes(2).toString('hex'),
        parentSpanId: span.bytes(4).toString('hex'),
        kind: Number(span.integer(6)),
        attributes: attributesOf(span.messages(9)),
        scope,
        resource,
        startNanos: span.integer(7),
        endNanos: span.integer(8),
        statusCode: Number(span.messages(15)[0]?.integer(3) ?? 0n),
      }));
    });
  });
}

function attributesOf(pairs: readonly Message[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map((pair) => [pair.text(1), readValue(pair.messages(2)[0])]));
}

function readValue(value: Message | undefined): unknown {
  if (value === undefined) return undefined;
  if (value.has(2)) return value.integer(2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.integer(3)));
  if (value.has(4)) {
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(value.integer(4));
    return double.readDoubleLE();
  }
  if (value.has(5)) return value.messages(5)[0]?.messages(1).map(readValue);
  return value.text(1);
}

/** Answers of an OTLP receiver, in the encoding of the request (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
import type { ServerResponse } from 'node:http';

export type Encoding = 'protobuf' | 'json';

export const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

type Headers = Readonly<Record<string, string>>;

/** Why a request is not taken. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Headers;

  constructor(status: number, message: string, headers: Headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** What was not taken of a request that was: `field` as its signal names it (`rejectedSpans`). */
export interface Rejected {
  readonly field: string;
  readonly count: number;
  readonly why: string;
}

const PARTIAL_SUCCESS = 1;
const REJECTED = 1;
const ERROR_MESSAGE = 2;
/** `google.rpc.Status`: https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto */
const STATUS = { code: 1, message: 2, details: 3 } as const;
const ANY = { typeUrl: 1, value: 2 } as const;
/** `google.rpc.BadRequest` */
const FIELD_VIOLATIONS = 1;
const VIOLATION = { field: 1, description: 2 } as const;
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** `google.rpc.Code` by the status of HTTP; 2 is `UNKNOWN`. */
const CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  413: 3,
  415: 3,
  429: 8,
  503: 14,
};
const UNKNOWN = 2;

export function sendSuccess(res: ServerResponse, encoding: Encoding, rejected: Rejected, headers: Headers): void {
  send(res, 200, encoding, successOf(encoding, rejected), headers);
}

export function sendRefusal(res: ServerResponse, encoding: Encoding, refusal: Refusal, headers: Headers): void {
  send(res, refusal.status, encoding, statusOf(encoding, refusal), { ...headers, ...refusal.headers });
}

function send(res: ServerResponse, status: number, encoding: Encoding, body: Buffer, headers: Headers): void {
  res.writeHead(status, {
    'content-type': CONTENT_TYPES[encoding],
    'content-length': String(body.length),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  res.end(body);
}

function successOf(encoding: Encoding, { field, count, why }: Rejected): Buffer {
  if (encoding === 'json') {
    const partialSuccess = { [field]: String(count), errorMessage: why };
    return Buffer.from(JSON.stringify(count === 0 ? {} : { partialSuccess }));
  }
  if (count === 0) return Buffer.alloc(0);
  return message(PARTIAL_SUCCESS, Buffer.concat([integer(REJECTED, count), text(ERROR_MESSAGE, why)]));
}

function statusOf(encoding: Encoding, refusal: Refusal): Buffer {
  const code = CODES[refusal.status] ?? UNKNOWN;
  const isBad = refusal.status === 400;
  if (encoding === 'json') {
    const violation = { '@type': BAD_REQUEST, fieldViolations: [{ field: 'body', description: refusal.message }] };
    return Buffer.from(JSON.stringify({ code, message: refusal.message, ...(isBad && { details: [violation] }) }));
  }
  const parts = [integer(STATUS.code, code), text(STATUS.message, refusal.message)];
  if (isBad) {
    const violation = Buffer.concat([text(VIOLATION.field, 'body'), text(VIOLATION.description, refusal.message)]);
    const details = [text(ANY.typeUrl, BAD_REQUEST), message(ANY.value, message(FIELD_VIOLATIONS, violation))];
    parts.push(message(STATUS.details, Buffer.concat(details)));
  }
  return Buffer.concat(parts);
}

function message(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

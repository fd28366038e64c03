/** As much of OTLP as it takes to count spans: opentelemetry/proto/collector/trace/v1/trace_service.proto. */

/** @typedef {{ traceId: string, spanId: string, server: boolean, here: boolean, ended: boolean }} Span `here` is whether it names the path that is asked for */

const KIND_SERVER = 2;

/**
 * @param {Buffer} body
 * @param {boolean} json
 * @param {string} [path]
 * @returns {Span[]}
 */
export function spansOf(body, json, path = '/hello') {
  return json ? spansOfJson(JSON.parse(body.toString('utf8')), path) : spansOfProtobuf(body, path);
}

/**
 * @param {{ resourceSpans?: { scopeSpans?: { spans?: Record<string, unknown>[] }[] }[] }} request
 * @param {string} path
 * @returns {Span[]}
 */
function spansOfJson({ resourceSpans = [] }, path) {
  const spans = resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap((scope) => scope.spans ?? []));
  return spans.map((span) => ({
    traceId: String(span.traceId),
    spanId: String(span.spanId),
    server: span.kind === KIND_SERVER,
    here: JSON.stringify(span).includes(path),
    ended: BigInt(String(span.endTimeUnixNano)) >= BigInt(String(span.startTimeUnixNano)),
  }));
}

/**
 * @param {Buffer} body
 * @param {string} path
 * @returns {Span[]}
 */
function spansOfProtobuf(body, path) {
  const sought = Buffer.from(path);
  const scopes = messagesIn(body, 1).flatMap((resourceSpans) => messagesIn(resourceSpans, 2));
  return scopes.flatMap((scope) => messagesIn(scope, 2)).map((bytes) => toSpan(bytes, sought));
}

/**
 * @param {Buffer} bytes a Span message
 * @param {Buffer} path
 * @returns {Span}
 */
function toSpan(bytes, path) {
  const span = { traceId: '', spanId: '', server: false, here: bytes.includes(path), ended: false };
  let start = 0n;
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1) span.traceId = value.toString('hex');
    else if (field === 2) span.spanId = value.toString('hex');
    else if (field === 6) span.server = value[0] === KIND_SERVER;
    else if (field === 7) start = value.readBigUInt64LE();
    else if (field === 8) span.ended = start > 0n && value.readBigUInt64LE() >= start;
  }
  return span;
}

/**
 * @param {Buffer} bytes
 * @param {number} wanted
 */
function messagesIn(bytes, wanted) {
  return [...fieldsOf(bytes)].flatMap(({ field, value }) => (field === wanted ? [value] : []));
}

/**
 * The fields of a message in order, each as its bytes.
 * @param {Buffer} bytes
 * @returns {Generator<{ field: number, value: Buffer }>}
 * @throws {RangeError} where the message is cut short
 */
function* fieldsOf(bytes) {
  let at = 0;
  while (at < bytes.length) {
    const tag = varintAt(bytes, at);
    at = tag.end;
    const wireType = tag.value & 7;
    let length = wireType === 1 ? 8 : 4;
    if (wireType === 0) length = varintAt(bytes, at).end - at;
    else if (wireType === 2) {
      const told = varintAt(bytes, at);
      at = told.end;
      length = told.value;
    } else if (wireType !== 1 && wireType !== 5) throw new RangeError(`wire type ${wireType}`);
    if (at + length > bytes.length) throw new RangeError('a field ends after its message');
    yield { field: Math.floor(tag.value / 8), value: bytes.subarray(at, at + length) };
    at += length;
  }
}

/**
 * @param {Buffer} bytes
 * @param {number} start
 */
function varintAt(bytes, start) {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at += 1) {
    const byte = bytes.readUInt8(at);
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
    scale *= 128;
  }
}

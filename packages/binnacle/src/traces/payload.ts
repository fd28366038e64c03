/** Spans as the body of an OTLP request, and the answer to it. */
import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpSettings } from '../settings-otel.ts';
import { type PartialSuccess, readPartialSuccess } from './partial-success.ts';
import type { Answer } from './sender.ts';
import { encodeSpans, SpanBatch } from './span-batch.ts';
import { USER_AGENT } from './user-agent.ts';

const compress = promisify(gzip);
/** What repeats from span to span, which is most, is found by the least effort too. */
const FAST = { level: constants.Z_BEST_SPEED, chunkSize: 32 * 1024 };
/**
 * Bodies of so many bytes are compressed at once, in about half a millisecond: the way to another thread and back costs
 * several times that in processor time. Only larger ones would hold the loop up.
 */
const AT_ONCE = 256 * 1024;
const CONTENT_TYPE = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;
/** Headers that the body decides, whatever the settings say. */
const OWN = ['content-type', 'content-encoding', 'content-length', 'transfer-encoding'];

export function headersOf(settings: OtlpSettings): Record<string, string> {
  const given = Object.entries(settings.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !OWN.includes(name));
  return {
    'user-agent': USER_AGENT,
    ...Object.fromEntries(given),
    'content-type': CONTENT_TYPE[settings.protocol],
    ...(settings.compression === 'gzip' && { 'content-encoding': 'gzip' }),
  };
}

/**
 * A batch as the body of a request. JSON is written by the official serialiser, loaded when first needed: with what it
 * brings it costs a start about 30 ms.
 */
export async function createBody(spans: ReadableSpan[] | SpanBatch, settings: OtlpSettings): Promise<Uint8Array> {
  const body = await serialize(spans, settings);
  if (settings.compression !== 'gzip') return body;
  return body.length <= AT_ONCE ? gzipSync(body, FAST) : await compress(body, FAST);
}

async function serialize(spans: ReadableSpan[] | SpanBatch, { protocol }: OtlpSettings): Promise<Uint8Array> {
  if (spans instanceof SpanBatch) return spans.toRequest();
  if (protocol === 'http/protobuf') return encodeSpans(spans);
  const { JsonTraceSerializer } = await import('@opentelemetry/otlp-transformer');
  const body = JsonTraceSerializer.serializeRequest(spans);
  if (body === undefined) throw new TypeError('spans that cannot be serialised');
  return body;
}

/** What an answer of success did not take. One that is no answer to an export says nothing. Never throws. */
export async function partialSuccessOf(answer: Answer, settings: OtlpSettings): Promise<PartialSuccess | undefined> {
  const { body, contentType } = answer;
  if (body === undefined || saysNothing(body)) return undefined;
  const type = contentType === '' ? CONTENT_TYPE[settings.protocol] : (contentType.split(';')[0] ?? '').trim();
  // Not the official reader of JSON: what it cannot read it tells OpenTelemetry's diagnostics, every time.
  if (type === 'application/json')
    return readPartialSuccess(body, (bytes) => JSON.parse(Buffer.from(bytes).toString()));
  if (type !== 'application/x-protobuf') return undefined;
  const { ProtobufTraceSerializer } = await import('@opentelemetry/otlp-transformer');
  return readPartialSuccess(body, (bytes) => ProtobufTraceSerializer.deserializeResponse(bytes) as object);
}

/**
 * Whether an answer in protobuf is empty, or an empty `partial_success`, as the Collector's is: it takes no reader, whose
 * import is asked for anew with each answer.
 */
function saysNothing(body: Buffer): boolean {
  return body.length === 0 || (body.length === 2 && body[0] === 0x0a && body[1] === 0);
}

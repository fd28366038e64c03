/** Spans as the body of an OTLP request, and the answer to it. */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpSettings } from '../settings-otel.ts';
import { type PartialSuccess, readPartialSuccess } from './partial-success.ts';
import type { Answer } from './sender.ts';
import { encodeSpans, SpanBatch } from './span-batch.ts';
import { USER_AGENT } from './user-agent.ts';

const compress = promisify(gzip);
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
  // Off the loop, and fast: what repeats from span to span, which is most, is found by the least effort too.
  return settings.compression === 'gzip' ? await compress(body, { level: constants.Z_BEST_SPEED }) : body;
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
  if (body === undefined) return undefined;
  const type = contentType === '' ? CONTENT_TYPE[settings.protocol] : (contentType.split(';')[0] ?? '').trim();
  // Not the official reader of JSON: what it cannot read it tells OpenTelemetry's diagnostics, every time.
  if (type === 'application/json')
    return readPartialSuccess(body, (bytes) => JSON.parse(Buffer.from(bytes).toString()));
  if (type !== 'application/x-protobuf') return undefined;
  const { ProtobufTraceSerializer } = await import('@opentelemetry/otlp-transformer');
  return readPartialSuccess(body, (bytes) => ProtobufTraceSerializer.deserializeResponse(bytes) as object);
}

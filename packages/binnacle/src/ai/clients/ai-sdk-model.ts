/** What a model of Vercel's AI SDK answers (its `LanguageModelV3` and what the SDK makes of it), read into an operation. */
import { outcomeOf, signalInHand } from '../../endings.ts';
import type { RequestParameters } from '../info.ts';
import { type ClientOperation, IncompleteStreamError } from '../operation.ts';
import type { Usage } from '../usage.ts';
import { listOf, type Message, numberOf, objectOf, stringOf } from './stainless.ts';
import { guard } from './watched.ts';

/** Parts of a stream that tell of it, and say nothing. */
const SILENT: ReadonlySet<unknown> = new Set(['stream-start', 'response-metadata', 'raw', 'finish', 'error']);
/** Parts that are meant for the reader, or for its tools, without being text. */
const SPEAKING: ReadonlySet<unknown> = new Set(['tool-input-start', 'tool-call', 'file', 'source']);

/** Tokens: a number in the SDK's own words, `{ total, cacheRead, reasoning }` in a provider's. */
function usageOf(usage: Message): Usage | undefined {
  const { inputTokens, outputTokens, inputTokenDetails, outputTokenDetails } = usage;
  const [read, written] = [objectOf(inputTokens), objectOf(outputTokens)];
  const input = countOf(inputTokens) ?? countOf(read.total);
  const output = countOf(outputTokens) ?? countOf(written.total);
  if (input === undefined && output === undefined) return undefined;
  const [readMore, writtenMore] = [objectOf(inputTokenDetails), objectOf(outputTokenDetails)];
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    cachedInputTokens: countOf(read.cacheRead) ?? countOf(readMore.cacheReadTokens) ?? countOf(usage.cachedInputTokens),
    cacheWriteTokens: countOf(read.cacheWrite) ?? countOf(readMore.cacheWriteTokens),
    reasoningTokens:
      countOf(written.reasoning) ?? countOf(writtenMore.reasoningTokens) ?? countOf(usage.reasoningTokens),
  };
}

/** Embeddings have input alone; the SDK writes NaN where the provider told nothing. */
export function readEmbedding(operation: ClientOperation, answer: Message): void {
  const tokens = countOf(objectOf(answer.usage).tokens);
  if (tokens !== undefined) operation.usage({ inputTokens: tokens, outputTokens: 0 });
}

function countOf(value: unknown): number | undefined {
  const count = numberOf(value);
  return count !== undefined && Number.isFinite(count) && count >= 0 ? count : undefined;
}

export function addUsage(one: Usage | undefined, other: Usage): Usage {
  const add = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined ? b : a + (b ?? 0);
  return {
    inputTokens: (one?.inputTokens ?? 0) + other.inputTokens,
    outputTokens: (one?.outputTokens ?? 0) + other.outputTokens,
    cachedInputTokens: add(one?.cachedInputTokens, other.cachedInputTokens),
    cacheWriteTokens: add(one?.cacheWriteTokens, other.cacheWriteTokens),
    reasoningTokens: add(one?.reasoningTokens, other.reasoningTokens),
  };
}

/** `stop`, `tool-calls`, `length`…: the SDK's word, which is the same for all providers. */
function finishReasonOf(reason: unknown): string | undefined {
  return stringOf(reason) ?? stringOf(objectOf(reason).unified);
}

/** Providers' packages end a stream that broke off with a word of their own: `other` in AI SDK 6, `interrupted` in 7. */
function isBrokenOff({ unified, raw }: Message): boolean {
  return raw === undefined && (unified === 'other' || unified === 'interrupted');
}

/** The settings of a call, by the SDK's names. */
export function parametersOf(settings: Message): RequestParameters {
  return {
    temperature: numberOf(settings.temperature),
    topP: numberOf(settings.topP),
    topK: numberOf(settings.topK),
    maxTokens: numberOf(settings.maxOutputTokens),
    frequencyPenalty: numberOf(settings.frequencyPenalty),
    presencePenalty: numberOf(settings.presencePenalty),
    seed: numberOf(settings.seed),
    stopSequences: Array.isArray(settings.stopSequences) ? settings.stopSequences.filter(isString) : undefined,
  };
}

const isString = (value: unknown): value is string => typeof value === 'string';

/** Reads a whole answer. */
export function readAnswer(operation: ClientOperation, answer: Message): void {
  const usage = usageOf(objectOf(answer.usage));
  if (usage !== undefined) operation.usage(usage);
  const response = objectOf(answer.response ?? answer.responseData);
  const reason = finishReasonOf(answer.finishReason);
  operation.response({
    id: stringOf(response.id),
    model: stringOf(response.modelId),
    finishReasons: reason === undefined ? undefined : [reason],
  });
  const content = listOf(answer.content);
  if (content.length > 0) operation.output(content);
}

/** An error of the SDK's as other clients' are: it keeps the code of a provider's answer as `statusCode`, and wraps the last of several. */
export function causeOf(error: unknown): unknown {
  const { statusCode, lastError } = objectOf(error);
  if (lastError !== undefined) return causeOf(lastError);
  return error instanceof Error && typeof statusCode === 'number'
    ? Object.assign(Object.create(error), { status: statusCode })
    : error;
}

/** How a part ended, for what it is a part of. */
export type PartEnd =
  | { readonly how: 'end' | 'abort' }
  /** `broken`: by the stream itself, not by one of its parts. */
  | { readonly how: 'error'; readonly error: unknown; readonly broken?: boolean };

/** `silent`: of a stream that failed the SDK's reader sees a part at most, and nothing is thrown that a breaker would see. */
export function tellEnd(operation: ClientOperation, end: PartEnd, silent: boolean): void {
  if (end.how !== 'error') operation[end.how]();
  else if (silent && outcomeOf(end.error) === 'error') operation.breakOff(thrownOf(end.error));
  else operation.error(end.error);
}

/** What a provider says within a stream, in whatever form it says it. */
class StreamPartError extends Error {
  override readonly name = 'StreamPartError';
}

/** Its words stay out of it: a breaker is given it, and may tell of it. */
function thrownOf(error: unknown): Error {
  if (error instanceof Error) return error;
  const { code, type } = objectOf(error);
  return Object.assign(new StreamPartError('the stream told of an error'), { code, type });
}

/** Reads the parts of a stream as they pass, and tells its one end. */
class PartReader {
  readonly #operation: ClientOperation;
  readonly #onEnd: (end: PartEnd) => void;
  #whole = false;
  #failure: { readonly error: unknown } | undefined;
  #ended = false;

  constructor(operation: ClientOperation, onEnd: (end: PartEnd) => void) {
    this.#operation = operation;
    this.#onEnd = onEnd;
  }

  read(part: Message): void {
    const { type } = part;
    if (!SILENT.has(type)) this.#operation.chunk();
    if (type === 'text-delta') this.#operation.content(stringOf(part.delta) ?? stringOf(part.text));
    else if (SPEAKING.has(type)) this.#operation.content();
    else if (type === 'response-metadata')
      this.#operation.response({ id: stringOf(part.id), model: stringOf(part.modelId) });
    else if (type === 'error') this.#failure ??= { error: causeOf(part.error) };
    else if (type === 'finish') {
      this.#whole = !isBrokenOff(objectOf(part.finishReason));
      readAnswer(this.#operation, { usage: part.usage, finishReason: part.finishReason });
    }
  }

  /** The stream is at its end. */
  finish(): void {
    if (this.#failure !== undefined) this.end({ how: 'error', ...this.#failure });
    else if (this.#whole) this.end({ how: 'end' });
    else this.end({ how: 'error', error: new IncompleteStreamError() });
  }

  end(end: PartEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    guard(() => tellEnd(this.#operation, end, true));
    this.#onEnd(end);
  }
}

/**
 * The same stream: its parts, its errors and its pace pass as they are, and its operation ends as it does. When the client
 * of the request in hand goes away, so does the stream: the provider is told, and its reader gets the reason.
 */
export function watchStream(
  operation: ClientOperation,
  stream: ReadableStream<Message>,
  onEnd: (end: PartEnd) => void,
  run: <T>(work: () => T) => T,
): ReadableStream<Message> {
  const source = stream.getReader();
  const reader = new PartReader(operation, onEnd);
  const held = signalInHand();
  let onAbort = (): void => {};
  const end = (how: () => void): void => {
    held?.removeEventListener('abort', onAbort);
    guard(how);
  };
  return new ReadableStream<Message>(
    {
      start(controller) {
        onAbort = () => {
          const { reason } = held as AbortSignal;
          end(() => reader.end({ how: 'error', error: reason, broken: true }));
          controller.error(reason);
          source.cancel(reason).catch(() => {});
        };
        if (held?.aborted) onAbort();
        else held?.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        try {
          const { done, value } = await run(() => source.read());
          if (done) {
            end(() => reader.finish());
            // It was closed before where its client has gone.
            guard(() => controller.close());
            return;
          }
          guard(() => reader.read(value));
          controller.enqueue(value);
        } catch (error) {
          end(() => reader.end({ how: 'error', error, broken: true }));
          controller.error(error);
        }
      },
      cancel(reason) {
        end(() => reader.end({ how: 'abort' }));
        return source.cancel(reason);
      },
    },
    // Nothing is read before it is asked for: the pace is the reader's.
    { highWaterMark: 0 },
  );
}

export function isStream(value: unknown): value is ReadableStream<Message> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<ReadableStream>).getReader === 'function'
  );
}

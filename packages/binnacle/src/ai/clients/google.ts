/** The official `@google/genai`: what its models generate and embed, one operation a call, in place. Chats go through it. */
import { createContextKey } from '@opentelemetry/api';
import { activeContext } from '../../context.ts';
import type { OperationInfo, RequestParameters } from '../info.ts';
import type { ClientOperation } from '../operation.ts';
import type { Usage } from '../usage.ts';
import { createWithin, type Within } from '../within.ts';
import type { AiClientKind } from './client.ts';
import { answerReader, readAnswer, readEmbeddings, usageOf } from './google-answer.ts';
import { endpointOf, type Message, numberOf, objectOf, partOf, stringOf } from './stainless.ts';
import { abandon, guard, replace, signalFor, watchIterator } from './watched.ts';

export const googleKind: AiClientKind = {
  name: 'GoogleGenAI of "@google/genai"',
  is: (client) => 'generateContentStream' in (partOf(client, ['models']) ?? {}),
  observe(client, start) {
    const models = partOf(client, ['models']);
    if (models === undefined) return;
    passSignals(partOf(models, ['apiClient']));
    countRounds(models);
    const begin = (operation: string, given: Message, stream: boolean): Call => {
      const config = objectOf(given.config);
      const started = start({ ...infoOf(client, given, config), operation, stream });
      guard(() => started.input([config.systemInstruction, given.contents].filter((part) => part !== undefined)));
      return toCall(started, signalFor(config.abortSignal as AbortSignal | undefined));
    };
    observeCalls(models, 'generateContent', {
      begin: (given) => begin('generate_content', given, false),
      read: ({ operation, rounds }, answer) => readAnswer(operation, answer, rounds),
    });
    observeCalls(models, 'embedContent', {
      begin: (given) => begin('embeddings', given, false),
      read: ({ operation }, answer) => readEmbeddings(operation, answer),
    });
    observeStreams(models, (given) => begin('generate_content', given, true));
  },
};

/** One call of the caller's; the SDK may make several requests for it. */
interface Call {
  readonly operation: ClientOperation;
  /** What each request used, where the SDK hands on the last answer alone. */
  readonly rounds: Usage[];
  readonly signal: AbortSignal | undefined;
  /** What the SDK does for it is done within it. */
  readonly run: Within;
}

/** Under what the requests of a call find where to tell what they used. */
const ROUNDS = createContextKey('binnacle google rounds');

function toCall(operation: ClientOperation, signal: AbortSignal | undefined): Call {
  const rounds: Usage[] = [];
  const context = operation.run(activeContext).setValue(ROUNDS, rounds);
  return { operation, rounds, signal, run: createWithin(context) };
}

function roundsInHand(): Usage[] | undefined {
  return activeContext().getValue(ROUNDS) as Usage[] | undefined;
}

/**
 * The signal is given to the request itself: a `config` that the caller left out would appear in the body, and a copy of
 * the parameters would not get what the SDK writes into them.
 */
function passSignals(api: object | undefined): void {
  if (api === undefined) return;
  for (const name of ['request', 'requestStream']) {
    replace<[Message], unknown>(api, name, (original) => (request) => {
      if (roundsInHand() === undefined) return original(request);
      const signal = signalFor(request.abortSignal as AbortSignal | undefined);
      return original(signal === undefined ? request : { ...request, abortSignal: signal });
    });
  }
}

/** Functions that the SDK calls by itself, and answers that it continues, take more than one request. */
function countRounds(models: object): void {
  replace<[Message], Promise<unknown>>(models, 'generateContentInternal', (original) => async (params) => {
    const answer = await original(params);
    guard(() => {
      const usage = usageOf(objectOf(answer));
      if (usage !== undefined) roundsInHand()?.push(usage);
    });
    return answer;
  });
}

interface Reading {
  readonly begin: (given: Message) => Call;
  readonly read: (call: Call, answer: Message) => void;
}

function observeCalls(models: object, name: string, { begin, read }: Reading): void {
  replace<[Message], Promise<unknown>>(models, name, (original) => async (given) => {
    const call = begin(objectOf(given));
    try {
      const answer = await call.run(() => original(given));
      guard(() => read(call, objectOf(answer)));
      guard(() => call.operation.end());
      return answer;
    } catch (error) {
      fail(call, error);
      throw error;
    }
  });
}

type Chunks = AsyncGenerator<Message, unknown, unknown>;

function observeStreams(models: object, begin: (given: Message) => Call): void {
  replace<[Message], Promise<Chunks>>(models, 'generateContentStream', (original) => async (given) => {
    const call = begin(objectOf(given));
    try {
      const chunks = await call.run(() => original(given));
      guard(() => watchChunks(call, chunks));
      return chunks;
    } catch (error) {
      fail(call, error);
      throw error;
    }
  });
}

/** Streams that nobody reads are ended with their client, or with their memory. */
const forgotten = new FinalizationRegistry<ClientOperation>((operation) => guard(() => operation.abort()));

/** The generator stays the SDK's own; its three methods are watched. */
function watchChunks(call: Call, chunks: Chunks): void {
  const { operation, signal, run } = call;
  const next = chunks.next.bind(chunks);
  const leave = aborterOf(call);
  let begun = false;
  const inner: AsyncIterator<Message> = {
    next(...args) {
      if (!begun) signal?.removeEventListener('abort', leave);
      begun = true;
      return next(...args);
    },
    return: chunks.return.bind(chunks),
    throw: chunks.throw.bind(chunks),
  };
  const watched = watchIterator(
    { operation, signal, run, fail: (error) => fail(call, error), isAborted: () => signal?.aborted === true },
    inner,
    answerReader(operation),
  );
  signal?.addEventListener('abort', leave, { once: true });
  forgotten.register(chunks, operation);
  for (const [name, value] of Object.entries(watched)) {
    // The SDK's are enumerable where its generators are made by TypeScript, and its prototype's where they are the engine's.
    const enumerable = Object.getOwnPropertyDescriptor(chunks, name)?.enumerable === true;
    Object.defineProperty(chunks, name, { value, configurable: true, writable: true, enumerable });
  }
}

/** Made apart from the stream, which a signal that lives longer would keep in memory else. */
function aborterOf({ operation, signal }: Call): () => void {
  return () => guard(() => abandon(operation, signal));
}

/** The SDK aborts with one and the same error whether its caller or its own time limit (`httpOptions.timeout`) ended a call. */
class RequestTimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

function fail({ operation, signal }: Call, error: unknown): void {
  guard(() => {
    if (signal?.aborted) abandon(operation, signal);
    else operation.error(objectOf(error).name === 'AbortError' ? new RequestTimeoutError() : error);
  });
}

function infoOf(client: object, given: Message, config: Message): Omit<OperationInfo, 'operation' | 'stream'> {
  const type = stringOf(config.responseMimeType);
  return {
    provider: (client as { vertexai?: unknown }).vertexai === true ? 'gcp.vertex_ai' : 'gcp.gemini',
    model: (stringOf(given.model) ?? '').replace(PATH_OF_MODEL, ''),
    parameters: parametersOf(config),
    outputType: type === 'application/json' ? 'json' : type === 'text/plain' ? 'text' : undefined,
    ...endpointOf(baseUrlOf(client)),
  };
}

/** A model is the same by its name and by its path. */
const PATH_OF_MODEL = /^(models\/|(projects\/[^/]+\/locations\/[^/]+\/)?publishers\/[^/]+\/models\/)/;

function parametersOf(config: Message): RequestParameters {
  const stops = config.stopSequences;
  return {
    temperature: numberOf(config.temperature),
    topP: numberOf(config.topP),
    topK: numberOf(config.topK),
    maxTokens: numberOf(config.maxOutputTokens),
    frequencyPenalty: numberOf(config.frequencyPenalty),
    presencePenalty: numberOf(config.presencePenalty),
    seed: numberOf(config.seed),
    choices: numberOf(config.candidateCount),
    dimensions: numberOf(config.outputDimensionality),
    stopSequences: Array.isArray(stops) ? stops.map(String) : undefined,
  };
}

function baseUrlOf(client: object): unknown {
  let url: unknown;
  guard(() => {
    const api = partOf(client, ['models', 'apiClient']) as { getBaseUrl?(): unknown } | undefined;
    url = api?.getBaseUrl?.();
  });
  return url;
}

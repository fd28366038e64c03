/** `obs.ai`: operations of language models, of the tools and agents around them, and the SDKs that make them. */

import { streamWith } from '../context.ts';
import type { Level, Signals } from '../signals.ts';
import { type AiSdkTelemetry, createAiSdkTelemetry } from './clients/ai-sdk.ts';
import { anthropicKind } from './clients/anthropic.ts';
import { createAiClients, type ObserveAiClient } from './clients/client.ts';
import { googleKind } from './clients/google.ts';
import { createLangChainHandler, type LangChainHandler } from './clients/langchain.ts';
import { openAiKind } from './clients/openai.ts';
import { type OperationReference, recordScore, type Score } from './evaluation.ts';
import { isInference, type OperationInfo } from './info.ts';
import { joinOrStart } from './joined.ts';
import {
  type CallStatus,
  type Operation,
  type OperationOptions,
  RunningOperation,
  type StartOperation,
} from './operation.ts';
import { createPriceOf, type PriceTable } from './price.ts';

export interface Ai {
  /** Observes the client of an SDK (OpenAI's, Anthropic's, Google's): the same instance, each of its calls an operation. */
  readonly client: ObserveAiClient;
  /**
   * What Vercel's AI SDK takes with a call, as `experimental_telemetry` in its version 6 and `telemetry` in 7. Models are
   * `chat` and `embeddings`, tools `execute_tool`, and around the steps of a text is `invoke_agent`, with the name of the
   * agent. When the client of the request in hand goes away, a stream that has begun is cut off; until then, and for whole
   * answers, the SDK goes on unless it is given the request's signal.
   * @example
   * streamText({ model, prompt, abortSignal: session.signal, experimental_telemetry: obs.ai.telemetry('planner') });
   */
  telemetry(name?: string): AiSdkTelemetry;
  /**
   * A callback handler of LangChain.js and LangGraph.js; one serves all runs. Models are `chat`, tools `execute_tool`,
   * retrievers `retrieval`, the outermost chain `invoke_workflow`, agents `invoke_agent`. A handler hears and cannot stop:
   * LangChain ends its calls when the client goes away only where it is given the request's signal.
   * @example
   * await chain.invoke(input, { callbacks: [obs.ai.langchain()], signal: session.signal });
   */
  langchain(): LangChainHandler;
  /** Makes the series of a model exist at 0, before its first call. */
  expect(info: OperationInfo): void;
  /** Starts an operation that the caller ends. */
  operation(info: OperationInfo): Operation;
  /** A single call: ends when it does. */
  call<T>(info: OperationInfo, work: (operation: Operation) => Promise<T>): Promise<T>;
  /** A streamed call: each item is a chunk; ends with the stream, its error, or its reader's leaving. Items pass unchanged. */
  stream<T>(
    info: OperationInfo,
    open: (operation: Operation) => AsyncIterable<T>,
    tokensOf?: (item: T) => number | undefined,
  ): AsyncGenerator<T>;
  /** A call of a tool, as a child of what asked for it. */
  tool<T>(name: string, work: (operation: Operation) => Promise<T>, id?: string): Promise<T>;
  /** A run of an agent, or of a workflow: what it asks and does is its child. */
  agent<T>(name: string, work: (operation: Operation) => Promise<T>): Promise<T>;
  workflow<T>(name: string, work: (operation: Operation) => Promise<T>): Promise<T>;
  /** Scores an operation that has ended, by its `reference`. */
  score(of: OperationReference, score: Score): void;
}

export interface AiOptions extends Pick<OperationOptions, 'capture' | 'redact' | 'countTokens' | 'olderNames'> {
  readonly prices: PriceTable | undefined;
}

const STATUSES: readonly CallStatus[] = ['success', 'error', 'cancelled'];
/** Models whose series are made beforehand, and told of as unpriced, by name; more than these are made of data. */
const MODELS_LIMIT = 1000;
const UNPRICED: Level = 'INFO';

export function createAi(signals: Signals, options: AiOptions): Ai & { readonly start: StartOperation } {
  const start = createStart(signals, options);
  const call = async <T>(info: OperationInfo, work: (operation: Operation) => Promise<T>): Promise<T> => {
    const operation = start(info);
    try {
      const value = await operation.run(() => work(operation));
      operation.end();
      return value;
    } catch (error) {
      operation.error(error);
      throw error;
    }
  };
  const langchain = createLangChainHandler(start);
  const within = (operation: string, name: string, id?: string): OperationInfo => ({
    operation,
    provider: '',
    model: '',
    name,
    id,
  });
  return {
    start,
    client: createAiClients(joinOrStart(start, true), [openAiKind, anthropicKind, googleKind]),
    telemetry: createAiSdkTelemetry(start),
    langchain: () => langchain,
    expect: (info) => void start.expect(info),
    operation: start,
    call,
    async *stream(info, open, tokensOf) {
      const operation = start(info);
      try {
        // Each step runs within the operation's span, so that what the provider's client does is its child.
        for await (const item of streamWith({ otel: operation.context }, () => open(operation))) {
          operation.chunk(countTokens(tokensOf, item));
          let taken = false;
          try {
            yield item;
            taken = true;
          } finally {
            // Its reader left: it has ended, however long the stream then takes to close.
            if (!taken) operation.abort();
          }
        }
        operation.end();
      } catch (error) {
        operation.error(error);
        throw error;
      } finally {
        operation.abort();
      }
    },
    tool: (name, work, id) => call(within('execute_tool', name, id), work),
    agent: (name, work) => call(within('invoke_agent', name), work),
    workflow: (name, work) => call(within('invoke_workflow', name), work),
    score: (of, score) => recordScore(signals, of, score),
  };
}

/** A count that throws is none: telemetry does not break the stream it counts. */
function countTokens<T>(tokensOf: ((item: T) => number | undefined) | undefined, item: T): number | undefined {
  try {
    return tokensOf?.(item);
  } catch {
    return undefined;
  }
}

function createStart(signals: Signals, options: AiOptions): StartOperation & { expect(info: OperationInfo): void } {
  const { meters } = signals;
  for (const source of ['provider', 'estimated', 'missing']) meters.aiUsageSource.bind({ source });
  meters.aiAfterDisconnect.bind({});
  const seen = new Set<string>();
  const unpriced = new Set<string>();
  const shared: OperationOptions = {
    ...options,
    priceOf: createPriceOf(options.prices),
    priced: options.prices !== undefined,
    onUnpriced(model) {
      if (unpriced.has(model) || unpriced.size >= MODELS_LIMIT) return;
      unpriced.add(model);
      signals.write(UNPRICED, 'ai', `No price is known of ${model}: its cost is not counted`, {
        'gen_ai.request.model': model,
        prices_as_of: options.prices?.as_of,
      });
    },
  };
  /** A model's series exist at 0 from when it is first known. */
  const expect = (info: OperationInfo): void => {
    const { model } = info;
    if (!isInference(info) || seen.has(model) || seen.size >= MODELS_LIMIT) return;
    seen.add(model);
    for (const status of STATUSES) meters.llmCalls.bind({ model, status });
    meters.llmLatency.bind({ model });
  };
  const start = (info: OperationInfo): RunningOperation => {
    expect(info);
    return new RunningOperation(signals, info, shared);
  };
  return Object.assign(start, { expect });
}

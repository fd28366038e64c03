/**
 * One AI operation, streamed or not, by OpenTelemetry's GenAI conventions (in development): its time, its first chunk,
 * its tokens, and exactly one of three endings. Content is never read here.
 */
import { type Attributes, type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { activeContext, currentRequest, runWith, streamWith } from '../context.ts';
import { roundMs } from '../duration.ts';
import { errorTypeOf, outcomeOf } from '../endings.ts';
import type { Signals } from '../signals.ts';

export interface OperationInfo {
  /** `gen_ai.operation.name`: `chat`, `embeddings`, `execute_tool`… */
  readonly operation: string;
  /** `gen_ai.provider.name`: `openai`, `anthropic`, `embedded`… */
  readonly provider: string;
  /** `gen_ai.request.model`. */
  readonly model: string;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Who counted: the provider, or an estimate of the caller's. `provider` unless told. */
  readonly source?: 'provider' | 'estimated';
}

/** A running operation. The first ending stands; whatever comes later changes nothing. */
export interface Operation {
  /** A chunk arrived, with its tokens where they are known. */
  chunk(tokens?: number): void;
  /** What it used; the last one told counts. */
  usage(usage: Usage): void;
  /** What the answer says of itself: `gen_ai.response.model`, `.id`, `.finish_reasons`. */
  response(response: {
    readonly model?: string;
    readonly id?: string;
    readonly finishReasons?: readonly string[];
  }): void;
  end(): void;
  abort(): void;
  error(error: unknown): void;
}

export interface Ai {
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
}

type CallStatus = 'success' | 'error' | 'cancelled';
const STATUSES: readonly CallStatus[] = ['success', 'error', 'cancelled'];

export function createAi(signals: Signals): Ai {
  const seen = new Set<string>();
  for (const source of ['provider', 'estimated', 'missing']) signals.meters.aiUsageSource.bind({ source });
  signals.meters.aiAfterDisconnect.bind({});
  const start = (info: OperationInfo): RunningOperation => {
    expectModel(signals, seen, info.model);
    return new RunningOperation(signals, info);
  };
  return {
    expect: ({ model }) => expectModel(signals, seen, model),
    operation: start,
    async call(info, work) {
      const operation = start(info);
      try {
        const value = await operation.run(() => work(operation));
        operation.end();
        return value;
      } catch (error) {
        operation.error(error);
        throw error;
      }
    },
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

/** A model's series exist at 0 from when it is first known. */
function expectModel({ meters }: Signals, seen: Set<string>, model: string): void {
  if (seen.has(model) || seen.size >= 1000) return;
  seen.add(model);
  for (const status of STATUSES) meters.llmCalls.bind({ model, status });
  meters.llmLatency.bind({ model });
}

class RunningOperation implements Operation {
  readonly #signals: Signals;
  readonly #info: OperationInfo;
  readonly #startedAt: number;
  readonly context: Context;
  readonly #request = currentRequest();
  #lastChunkAt: number | undefined;
  #usage: Usage | undefined;
  #ended = false;

  constructor(signals: Signals, info: OperationInfo) {
    this.#signals = signals;
    this.#info = info;
    this.#startedAt = signals.clock.now();
    const attributes: Attributes = {
      'gen_ai.operation.name': info.operation,
      'gen_ai.provider.name': info.provider,
      'gen_ai.request.model': info.model,
    };
    if (this.#request?.sessionId !== undefined) {
      attributes['gen_ai.conversation.id'] = this.#request.sessionId;
    }
    const parent = activeContext();
    const kind = info.provider === 'embedded' ? SpanKind.INTERNAL : SpanKind.CLIENT;
    const span = signals.spans.start(`${info.operation} ${info.model}`, kind, attributes, parent);
    this.context = trace.setSpan(parent, span);
  }

  run<T>(work: () => T): T {
    return runWith({ otel: this.context }, work);
  }

  chunk(tokens?: number): void {
    if (this.#ended) return;
    const now = this.#signals.clock.now();
    const { meters } = this.#signals;
    const labels = this.#labels();
    if (this.#lastChunkAt === undefined) meters.aiFirstChunk.bind(labels).observe((now - this.#startedAt) / 1000);
    else meters.aiChunkGap.bind(labels).observe((now - this.#lastChunkAt) / 1000);
    if (this.#lastChunkAt === undefined)
      this.#span()?.setAttribute('gen_ai.response.time_to_first_chunk', (now - this.#startedAt) / 1000);
    this.#lastChunkAt = now;
    if (tokens !== undefined && this.#request?.carrier?.signal.aborted) meters.aiAfterDisconnect.bind({}).inc(tokens);
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  response({ model, id, finishReasons }: Parameters<Operation['response']>[0]): void {
    const span = this.#span();
    if (model !== undefined) span?.setAttribute('gen_ai.response.model', model);
    if (id !== undefined) span?.setAttribute('gen_ai.response.id', id);
    if (finishReasons !== undefined) span?.setAttribute('gen_ai.response.finish_reasons', [...finishReasons]);
  }

  end(): void {
    this.#settle('success', '');
  }

  abort(): void {
    this.#settle('cancelled', 'cancelled');
  }

  error(error: unknown): void {
    const outcome = outcomeOf(error, this.#request?.signal ?? this.#request?.carrier?.signal);
    if (outcome === 'cancelled') this.abort();
    else this.#settle('error', outcome === 'timeout' ? 'timeout' : errorTypeOf(error));
  }

  #labels(): { gen_ai_operation_name: string; gen_ai_provider_name: string; gen_ai_request_model: string } {
    const { operation, provider, model } = this.#info;
    return { gen_ai_operation_name: operation, gen_ai_provider_name: provider, gen_ai_request_model: model };
  }

  #span(): ReturnType<typeof trace.getSpan> {
    return trace.getSpan(this.context);
  }

  #settle(status: CallStatus, errorType: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { meters, clock } = this.#signals;
    const durationMs = roundMs(clock.now() - this.#startedAt);
    const { model } = this.#info;
    const span = this.#span();
    const exemplar = span?.spanContext();
    meters.llmCalls.bind({ model, status }).inc();
    meters.llmLatency.bind({ model }).observe(durationMs / 1000, exemplar);
    meters.aiDuration.bind({ ...this.#labels(), error_type: errorType }).observe(durationMs / 1000, exemplar);
    this.#settleUsage();
    this.#note(durationMs);
    if (errorType !== '') span?.setAttribute('error.type', errorType);
    if (status === 'error') span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  }

  /** Figures of a provider's go to the convention's names; estimates to a metric of their own. */
  #settleUsage(): void {
    const { meters } = this.#signals;
    const usage = this.#usage;
    const source = usage === undefined ? 'missing' : (usage.source ?? 'provider');
    meters.aiUsageSource.bind({ source }).inc();
    if (usage === undefined) return;
    const counts = [
      ['input', usage.inputTokens],
      ['output', usage.outputTokens],
    ] as const;
    for (const [type, tokens] of counts) {
      if (source === 'estimated')
        meters.aiEstimated.bind({ gen_ai_request_model: this.#info.model, gen_ai_token_type: type }).inc(tokens);
      else {
        meters.aiTokens.bind({ ...this.#labels(), gen_ai_token_type: type }).observe(tokens);
        this.#span()?.setAttribute(`gen_ai.usage.${type}_tokens`, tokens);
      }
    }
  }

  /** What the closing line says of AI. */
  #note(durationMs: number): void {
    const closing = this.#request?.carrier?.closing;
    if (closing === undefined) return;
    const before = (closing.llm ?? {}) as {
      calls?: number;
      input_tokens?: number;
      output_tokens?: number;
      duration_ms?: number;
    };
    closing.llm = {
      model: this.#info.model,
      provider: this.#info.provider,
      calls: (before.calls ?? 0) + 1,
      duration_ms: roundMs((before.duration_ms ?? 0) + durationMs),
      input_tokens: (before.input_tokens ?? 0) + (this.#usage?.inputTokens ?? 0),
      output_tokens: (before.output_tokens ?? 0) + (this.#usage?.outputTokens ?? 0),
      usage_source: this.#usage === undefined ? 'missing' : (this.#usage.source ?? 'provider'),
    };
  }
}

/**
 * One AI operation, streamed or not, by OpenTelemetry's GenAI conventions (in development): its time, its first chunk,
 * its tokens, its cost, and exactly one of three endings.
 */
import { type Context, createContextKey, type Span, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { activeContext, type CallInHand, currentRequest, currentScope } from '../context.ts';
import { roundMs } from '../duration.ts';
import { errorTypeOf, outcomeOf } from '../endings.ts';
import type { BoundHistogram, Signals } from '../signals.ts';
import { Content, type ContentOptions } from './content.ts';
import { type OperationReference, recordScore, referenceTo, type Score } from './evaluation.ts';
import { attributesOf, isInference, type OperationInfo, spanKindOf, spanNameOf } from './info.ts';
import { costOf, type Price } from './price.ts';
import { recordUsage, sourceOf, type Usage } from './usage.ts';
import { createWithin, type Within } from './within.ts';

/** A running operation. The first ending stands; whatever comes later changes nothing. */
export interface Operation {
  /** Names it where it is not at hand any more, for a score that comes later. */
  readonly reference: OperationReference;
  /** A chunk arrived, with its tokens where they are known. */
  chunk(tokens?: number): void;
  /** What the chunk says: text, or anything else that is meant for the reader (a tool call, a refusal). */
  content(text?: string): void;
  /** The prompt: its length and hash are told, its words where that is switched on. */
  input(messages: unknown): void;
  /** The whole answer, where it did not come in pieces of text. */
  output(messages: unknown): void;
  /** What it used; the last one told counts. */
  usage(usage: Usage): void;
  /** What the answer says of itself: `gen_ai.response.model`, `.id`, `.finish_reasons`. */
  response(response: {
    readonly model?: string | undefined;
    readonly id?: string | undefined;
    readonly finishReasons?: readonly string[] | undefined;
  }): void;
  /** Runs `work` within its span: what that starts is its child. */
  run<T>(work: () => T): T;
  /** A user's or a judge's mark of it, when it has ended or before. */
  score(score: Score): void;
  end(): void;
  abort(): void;
  error(error: unknown): void;
}

/** What operations share. */
export interface OperationOptions extends ContentOptions {
  readonly priceOf: (...models: string[]) => Price | undefined;
  /** Whether there are prices at all: without them nothing is told of what is unpriced. */
  readonly priced: boolean;
  /** Counts a text's tokens with a real tokenizer, for answers whose provider told nothing. */
  readonly countTokens: ((text: string, model: string) => number) | undefined;
  /** Told once a model that has no price. */
  readonly onUnpriced: (model: string) => void;
  /** The names of conventions up to 1.36 as well. */
  readonly olderNames: boolean;
}

export type CallStatus = 'success' | 'error' | 'cancelled';

/** A stream that ended, and did not say that it was whole. Its reader saw it end well. */
export class IncompleteStreamError extends Error {
  override readonly name = 'IncompleteStreamError';
  constructor() {
    super('the stream ended without a finish reason');
  }
}

/** An operation as the client of an SDK tells it. */
export interface ClientOperation extends Operation {
  /**
   * It failed, and nobody will be told but by what is recorded: a stream broke off (the default), or the answer itself says
   * so. The breaker above it takes it for a failure.
   */
  breakOff(error?: Error): void;
  /** It was aborted, by a time limit where one is given, and who reads it is told of a whole: SDKs end aborted streams so. */
  cutOff(timeout?: Error): void;
}

/** The most chunks whose times are kept for whoever looks on. */
const CHUNK_TIMES = 2000;

/** Under what a running operation is found by what is done within it. */
export const RUNNING: symbol = createContextKey('binnacle ai operation');

/** One call's claim to be an operation that its caller has begun. */
export interface Claim {
  /** Whether what it does within itself is of that operation too. */
  readonly open: boolean;
  /** Whether it has told what it used. */
  told: boolean;
}

export class RunningOperation implements ClientOperation {
  readonly context: Context;
  readonly #signals: Signals;
  readonly #options: OperationOptions;
  readonly #info: OperationInfo;
  readonly #startedAt: number;
  readonly #span: Span;
  readonly #request = currentRequest();
  readonly #call: CallInHand | undefined = currentScope()?.call;
  readonly #content: Content;
  readonly #within: Within;
  #gap: BoundHistogram | undefined;
  /** When its chunks came, where somebody looks on. */
  readonly #times: number[] | undefined;
  /** A number from the start, and never anything else: so V8 keeps it in place, and makes no object of it for each chunk. */
  #lastChunkAt = Number.NaN;
  #spoke = false;
  #usage: Usage | undefined;
  #responseModel: string | undefined;
  #responseId: string | undefined;
  #claim: Claim | undefined;
  #speaker: object | undefined;
  #cut: { readonly timeout: Error | undefined } | undefined;
  #ended = false;

  constructor(signals: Signals, info: OperationInfo, options: OperationOptions) {
    this.#signals = signals;
    this.#info = info;
    this.#options = options;
    this.#content = new Content(options);
    this.#startedAt = signals.clock.now();
    this.#times = signals.onlooker && [];
    const attributes = attributesOf(info, this.#request?.sessionId, options.olderNames);
    const parent = activeContext();
    this.#span = signals.spans.start(spanNameOf(info), spanKindOf(info), attributes, parent);
    this.context = trace.setSpan(parent, this.#span).setValue(RUNNING, this);
    this.#within = createWithin(this.context);
  }

  get reference(): OperationReference {
    return referenceTo(this.#span.spanContext(), this.#info, this.#responseId);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  isOf({ operation, model }: OperationInfo): boolean {
    return model === this.#info.model && kindOf(operation) === kindOf(this.#info.operation);
  }

  /** A claim to tell of it, where nobody has one, or the claim that one is made `within`. */
  claim(within: unknown, open: boolean): Claim | undefined {
    if (this.#ended) return undefined;
    if (this.#claim !== undefined) return this.#claim === within && this.#claim.open ? this.#claim : undefined;
    this.#claim = { open, told: false };
    this.#cut = undefined;
    return this.#claim;
  }

  release(claim: Claim): void {
    if (this.#claim === claim) this.#claim = undefined;
  }

  run<T>(work: () => T): T {
    return this.#within(work);
  }

  chunk(tokens?: number): void {
    if (this.#ended) return;
    const { clock, meters } = this.#signals;
    const now = clock.now();
    if (Number.isNaN(this.#lastChunkAt)) this.#begin(now);
    else {
      // Looked up once a stream, not once a chunk.
      this.#gap ??= meters.aiChunkGap.bind(this.#labels());
      this.#gap.observe((now - this.#lastChunkAt) / 1000);
    }
    this.#lastChunkAt = now;
    if (this.#times !== undefined && this.#times.length < CHUNK_TIMES) this.#times.push(roundMs(now - this.#startedAt));
    if (tokens !== undefined && this.#request?.carrier?.signal.aborted) meters.aiAfterDisconnect.bind({}).inc(tokens);
  }

  /** Apart, as `#speak` is: what is done for each chunk stays short enough for V8 to take it into its caller. */
  #begin(now: number): void {
    const seconds = (now - this.#startedAt) / 1000;
    this.#signals.meters.aiFirstChunk.bind(this.#labels()).observe(seconds, this.#span.spanContext());
    this.#span.setAttribute('gen_ai.response.time_to_first_chunk', seconds);
  }

  content(text?: string): void {
    if (this.#speaker === undefined) this.#hear(text);
  }

  /** What a call that is this operation says. It reads before whoever is around it: their telling the same is not heard. */
  contentOf(speaker: object, text?: string): void {
    if (text !== undefined && text !== '') this.#speaker ??= speaker;
    if (this.#speaker === undefined || this.#speaker === speaker) this.#hear(text);
  }

  /** That call came to nothing; another one may say it all again. */
  silence(speaker: object): void {
    if (this.#speaker === speaker) this.#speaker = undefined;
  }

  /** Sets on its span what its caller left out, and who makes the call knows: its endpoint, its parameters. */
  complete(info: OperationInfo): void {
    const own = attributesOf(this.#info, this.#request?.sessionId, false);
    const known = Object.entries(attributesOf(info, undefined, false));
    this.#span.setAttributes(Object.fromEntries(known.filter(([name]) => own[name] === undefined)));
  }

  #hear(text = ''): void {
    if (this.#ended) return;
    if (text !== '') this.#content.add(text);
    if (text !== '' && this.#request?.carrier?.signal.aborted) this.#spentInVain(text);
    if (!this.#spoke) this.#speak();
  }

  #speak(): void {
    this.#spoke = true;
    const now = this.#signals.clock.now();
    const { meters } = this.#signals;
    meters.aiFirstContent.bind(this.#labels()).observe((now - this.#startedAt) / 1000, this.#span.spanContext());
    this.#request?.carrier?.onNextPiece?.((left) =>
      meters.aiOverhead.bind({ gen_ai_request_model: this.#info.model }).observe((left - now) / 1000),
    );
  }

  input(messages: unknown): void {
    this.#content.input(messages);
  }

  output(messages: unknown): void {
    this.#content.output(messages);
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  response({ model, id, finishReasons }: Parameters<Operation['response']>[0]): void {
    if (this.#ended) return;
    if (model !== undefined) this.#span.setAttribute('gen_ai.response.model', model);
    if (id !== undefined) this.#span.setAttribute('gen_ai.response.id', id);
    if (finishReasons !== undefined) this.#span.setAttribute('gen_ai.response.finish_reasons', [...finishReasons]);
    this.#responseModel = model ?? this.#responseModel;
    this.#responseId = id ?? this.#responseId;
  }

  score(score: Score): void {
    recordScore(this.#signals, this.reference, score);
  }

  end(): void {
    if (this.#cut === undefined) this.#settle('success', '');
    else this.cutOff(this.#cut.timeout);
  }

  abort(): void {
    this.#settle('cancelled', 'cancelled');
  }

  error(error: unknown): void {
    const outcome = outcomeOf(error, this.#request?.signal ?? this.#request?.carrier?.signal);
    if (outcome === 'cancelled') this.abort();
    else this.#settle('error', outcome === 'timeout' ? 'timeout' : failureOf(error));
  }

  breakOff(error: Error = new IncompleteStreamError()): void {
    if (this.#ended) return;
    if (this.#call !== undefined) this.#call.fault ??= error;
    this.error(error);
  }

  cutOff(timeout?: Error): void {
    if (timeout === undefined) this.abort();
    else this.breakOff(timeout);
  }

  /** A call that is this operation was cut off: so was this, unless its caller knows better or makes another. */
  callWasCutOff(timeout: Error | undefined): void {
    this.#cut = { timeout };
  }

  #labels(): { gen_ai_operation_name: string; gen_ai_provider_name: string; gen_ai_request_model: string } {
    const { operation, provider, model } = this.#info;
    return { gen_ai_operation_name: operation, gen_ai_provider_name: provider, gen_ai_request_model: model };
  }

  #settle(status: CallStatus, errorType: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { meters, clock } = this.#signals;
    const durationMs = roundMs(clock.now() - this.#startedAt);
    const { model } = this.#info;
    const exemplar = this.#span.spanContext();
    meters.aiDuration.bind({ ...this.#labels(), error_type: errorType }).observe(durationMs / 1000, exemplar);
    if (isInference(this.#info)) {
      meters.llmCalls.bind({ model, status }).inc();
      meters.llmLatency.bind({ model }).observe(durationMs / 1000, exemplar);
      const usage = this.#usage ?? this.#estimate();
      recordUsage(this.#signals, this.#info, usage, this.#span);
      this.#charge(usage);
      this.#note(durationMs, usage);
    }
    this.#content.write(this.#span);
    if (errorType !== '') this.#span.setAttribute('error.type', errorType);
    if (status === 'error') this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
    if (this.#times !== undefined && this.#times.length > 0 && (exemplar.traceFlags & TraceFlags.SAMPLED) !== 0)
      this.#signals.onlooker?.chunks(exemplar, this.#times);
  }

  /** What was received counts, whoever ended it: by a real tokenizer where there is one. */
  #estimate(): Usage | undefined {
    const { countTokens } = this.#options;
    const { prompt, text } = this.#content;
    if (countTokens === undefined || (prompt === undefined && text === undefined)) return undefined;
    const count = (words: string | undefined): number => {
      const tokens = words === undefined ? 0 : countTokens(words, this.#info.model);
      return Number.isFinite(tokens) && tokens >= 0 ? tokens : 0;
    };
    try {
      return { inputTokens: count(prompt), outputTokens: count(text), source: 'estimated' };
    } catch {
      // A tokenizer of the host's that throws gives no estimate.
      return undefined;
    }
  }

  /** What a model says to nobody: its client went before. */
  #spentInVain(text: string): void {
    try {
      const tokens = this.#options.countTokens?.(text, this.#info.model) ?? 0;
      this.#signals.meters.aiAfterDisconnect.bind({}).inc(tokens);
    } catch {
      // A tokenizer that throws counts nothing.
    }
  }

  #charge(usage: Usage | undefined): void {
    const { priceOf, priced, onUnpriced } = this.#options;
    if (!priced || usage === undefined) return;
    const { model } = this.#info;
    const price = priceOf(this.#responseModel ?? '', model);
    if (price === undefined) {
      onUnpriced(model);
      return;
    }
    const cost = costOf(price, usage);
    this.#signals.meters.aiCost.bind({ gen_ai_request_model: model }).inc(cost);
    this.#span.setAttribute('binnacle.ai.cost_usd', cost);
  }

  /** What the closing line says of AI. */
  #note(durationMs: number, usage: Usage | undefined): void {
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
      input_tokens: (before.input_tokens ?? 0) + (usage?.inputTokens ?? 0),
      output_tokens: (before.output_tokens ?? 0) + (usage?.outputTokens ?? 0),
      usage_source: sourceOf(usage),
    };
  }
}

/** One SDK's word for what asks a model to answer is another's: they are the same. */
function kindOf(operation: string): string {
  return operation === 'generate_content' || operation === 'text_completion' ? 'chat' : operation;
}

/** What came within a stream has no status: the provider's own word for it says more than the SDK's class. */
function failureOf(error: unknown): string {
  const { status, code, type } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const said = typeof status === 'number' || typeof code === 'string' ? '_OTHER' : errorTypeOf({ code: type });
  return said === '_OTHER' ? errorTypeOf(error) : said;
}

/** Starts operations of one `observe`. */
export type StartOperation = (info: OperationInfo) => RunningOperation;

/** The same for observed clients: a call joins the operation that its caller has begun. */
export type StartClientOperation = (info: OperationInfo) => ClientOperation;

/**
 * Spans of requests, for nearly nothing: of most nobody asks anything but their ids while they run. Such a span is ids
 * and a start; when its request has ended, it is written as bytes around what was encoded once for all of its kind. One
 * that is asked for more, as by `trace.getActiveSpan()`, becomes a span of the SDK's with the same ids and start.
 */
import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  type TimeInput,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import type { DrawnIds } from '../random.ts';
import type { EndedRequest, EndedSpan, RequestSpan, RequestSpans, SpanOwner } from '../signals.ts';
import type { SpanSlot } from './encoded-queue.ts';
import type { Ids } from './ids.ts';
import type { MaybeSilent } from './silent-tracer.ts';
import { SpanTemplates } from './span-template.ts';

export interface RequestSpansOptions {
  readonly ids: Ids;
  readonly sampler: Sampler;
  /** Makes spans that were asked for; absent where nothing is recorded. */
  readonly tracer?: Tracer;
  /** Where the others are written to. */
  readonly slot?: SpanSlot;
}

export function createRequestSpans(options: RequestSpansOptions): RequestSpans {
  return {
    begin: (parent, owner) => new LazySpan(options, parent, owner),
    compile: (kind) => new SpanTemplates(kind),
    write(compiled, span, ended) {
      // Made by `compile` here.
      if (options.slot !== undefined) write(options.slot, compiled as SpanTemplates, span, ended);
    },
  };
}

function write(slot: SpanSlot, templates: SpanTemplates, span: EndedSpan, ended: EndedRequest): void {
  const to = slot.begin(templates.sizeOf(ended));
  if (to === undefined) return;
  try {
    templates.write(to, span, ended);
  } catch (error) {
    slot.cancel();
    throw error;
  }
  slot.end();
}

class LazySpan implements RequestSpan, Span, MaybeSilent {
  readonly drawn: DrawnIds | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: TraceFlags;
  readonly startedAt: number;
  readonly parent: SpanContext | undefined;
  made: Span | undefined;
  endedAt: number | undefined;
  readonly #options: RequestSpansOptions;
  readonly #outer: Context;
  readonly #owner: SpanOwner;
  readonly #sampled: boolean;
  #ownContext: SpanContext | undefined;
  #context: Context | undefined;
  #ended = false;

  constructor(options: RequestSpansOptions, outer: Context, owner: SpanOwner) {
    const { ids, sampler } = options;
    const above = outer === ROOT_CONTEXT ? undefined : trace.getSpanContext(outer);
    const parent = above !== undefined && isSpanContextValid(above) ? above : undefined;
    const drawn = parent === undefined ? ids.draw() : undefined;
    this.drawn = drawn;
    this.traceId = drawn?.traceId ?? (parent as SpanContext).traceId;
    this.spanId = drawn?.spanId ?? ids.generateSpanId();
    // The standard samplers read neither attributes nor links.
    const { decision } = sampler.shouldSample(outer, this.traceId, '', SpanKind.SERVER, NONE, NO_LINKS);
    this.#sampled = decision === SamplingDecision.RECORD_AND_SAMPLED;
    this.traceFlags = this.#sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    this.#options = options;
    this.#outer = outer;
    this.#owner = owner;
    this.parent = parent;
    this.startedAt = Date.now();
  }

  get silent(): boolean {
    return !this.#sampled || this.#options.tracer === undefined;
  }

  get context(): Context {
    this.#context ??= trace.setSpan(this.#outer, this);
    return this.#context;
  }

  endTime(durationMs: number): number {
    return this.startedAt + durationMs;
  }

  settle(durationMs: number): boolean {
    this.#ended = true;
    this.endedAt = this.startedAt + durationMs;
    return this.#sampled && this.made === undefined && this.#options.slot !== undefined;
  }

  spanContext(): SpanContext {
    this.#ownContext ??= {
      traceId: this.traceId,
      spanId: this.spanId,
      traceFlags: this.traceFlags,
      traceState: this.parent?.traceState,
    };
    return this.#ownContext;
  }

  isRecording(): boolean {
    return this.made?.isRecording() ?? (this.#sampled && !this.#ended && this.#options.tracer !== undefined);
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.#make()?.setAttribute(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    this.#make()?.setAttributes(attributes);
    return this;
  }

  addEvent(name: string, attributesOrStartTime?: Attributes | TimeInput, startTime?: TimeInput): this {
    this.#make()?.addEvent(name, attributesOrStartTime, startTime);
    return this;
  }

  addLink(link: Link): this {
    this.#make()?.addLink(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.#make()?.addLinks(links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.#make()?.setStatus(status);
    return this;
  }

  updateName(name: string): this {
    this.#make()?.updateName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.#make()?.recordException(exception, time);
  }

  /** A user may end it, as every active span: then it has ended. */
  end(endTime?: TimeInput): void {
    this.#make()?.end(endTime);
  }

  #make(): Span | undefined {
    const { ids, tracer } = this.#options;
    if (this.made !== undefined || !this.#sampled || this.#ended || tracer === undefined) return this.made;
    ids.preset(this.traceId, this.spanId);
    const options = { kind: SpanKind.SERVER, attributes: this.#owner.spanAttributes(), startTime: this.startedAt };
    this.made = tracer.startSpan(this.#owner.spanName(), options, this.#outer);
    return this.made;
  }
}

const NONE: Attributes = {};
const NO_LINKS: Link[] = [];

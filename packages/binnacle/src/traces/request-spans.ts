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
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import type { CompiledSpan, EndedRequest, RequestKind, RequestSpan, RequestSpans, SpanOwner } from '../signals.ts';
import { ByteWriter } from './bytes.ts';
import type { SpanSlot } from './encoded-queue.ts';
import type { Ids } from './ids.ts';
import { flagsOf, SPAN, writeAttribute, writeBareEvent, writeMs, writeStatus } from './otlp-span.ts';

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
    compile: (kind) => ({ kind, bytes: encodeKind(kind) }),
  };
}

/** More bytes than a span needs beside what is encoded of its kind, and its path. */
const OWN_BYTES = 400;

class LazySpan implements RequestSpan, Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: TraceFlags;
  made: Span | undefined;
  endedAt: number | undefined;
  readonly #options: RequestSpansOptions;
  readonly #outer: Context;
  readonly #owner: SpanOwner;
  readonly #parent: SpanContext | undefined;
  readonly #startedAt: number;
  readonly #sampled: boolean;
  #ownContext: SpanContext | undefined;
  #context: Context | undefined;
  #ended = false;

  constructor(options: RequestSpansOptions, outer: Context, owner: SpanOwner) {
    const { ids, sampler } = options;
    const above = trace.getSpanContext(outer);
    const parent = above !== undefined && isSpanContextValid(above) ? above : undefined;
    this.traceId = parent === undefined ? ids.generateTraceId() : parent.traceId;
    this.spanId = ids.generateSpanId();
    // The standard samplers read neither attributes nor links.
    const { decision } = sampler.shouldSample(outer, this.traceId, '', SpanKind.SERVER, NONE, NO_LINKS);
    this.#sampled = decision === SamplingDecision.RECORD_AND_SAMPLED;
    this.traceFlags = this.#sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    this.#options = options;
    this.#outer = outer;
    this.#owner = owner;
    this.#parent = parent;
    this.#startedAt = Date.now();
  }

  get context(): Context {
    this.#context ??= trace.setSpan(this.#outer, this);
    return this.#context;
  }

  endTime(durationMs: number): number {
    return this.#startedAt + durationMs;
  }

  write({ bytes, kind }: CompiledSpan, ended: EndedRequest): void {
    this.#ended = true;
    this.endedAt = this.#startedAt + ended.durationMs;
    const { slot } = this.#options;
    if (!this.#sampled || this.made !== undefined || slot === undefined) return;
    const to = slot.begin(bytes.length + ended.path.length * 3 + OWN_BYTES);
    if (to === undefined) return;
    try {
      this.#encode(to, bytes, kind, ended);
    } catch (error) {
      slot.cancel();
      throw error;
    }
    slot.end();
  }

  #encode(to: ByteWriter, common: Uint8Array, kind: RequestKind, ended: EndedRequest): void {
    const { request, path, durationMs, firstByteMs } = ended;
    const parent = this.#parent;
    to.hex(SPAN.traceId, this.traceId);
    to.hex(SPAN.spanId, this.spanId);
    if (parent !== undefined) {
      to.hex(SPAN.parentSpanId, parent.spanId);
      const state = parent.traceState?.serialize();
      if (state) to.string(SPAN.traceState, state);
    }
    to.raw(common);
    writeMs(to, SPAN.start, this.#startedAt);
    writeMs(to, SPAN.end, this.#startedAt + durationMs);
    writeAttribute(to, SPAN.attributes, 'url.path', path);
    if (request.ip !== undefined) writeAttribute(to, SPAN.attributes, 'client.address', request.ip);
    if (request.sessionId !== undefined) writeAttribute(to, SPAN.attributes, 'session.id', request.sessionId);
    if (firstByteMs !== undefined) writeBareEvent(to, 'first_byte', this.#startedAt + firstByteMs);
    if (kind.errorType === 'client_disconnect') writeBareEvent(to, 'client_disconnect', this.#startedAt + durationMs);
    to.fixed32(SPAN.flags, flagsOf(this.traceFlags, parent?.isRemote));
  }

  spanContext(): SpanContext {
    this.#ownContext ??= {
      traceId: this.traceId,
      spanId: this.spanId,
      traceFlags: this.traceFlags,
      traceState: this.#parent?.traceState,
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

  /** A user may end it, as any span that is active: then it has ended. */
  end(endTime?: TimeInput): void {
    this.#make()?.end(endTime);
  }

  #make(): Span | undefined {
    const { ids, tracer } = this.#options;
    if (this.made !== undefined || !this.#sampled || this.#ended || tracer === undefined) return this.made;
    ids.preset(this.traceId, this.spanId);
    const options = { kind: SpanKind.SERVER, attributes: this.#owner.spanAttributes(), startTime: this.#startedAt };
    this.made = tracer.startSpan(this.#owner.spanName(), options, this.#outer);
    return this.made;
  }
}

const NONE: Attributes = {};
const NO_LINKS: Link[] = [];

/** The fields that are the same for all spans of a kind, but for what each says of itself. */
function encodeKind(kind: RequestKind): Uint8Array {
  const to = new ByteWriter(512);
  const { method, route, sentStatus, errorType, outcome } = kind;
  const set = (name: string, value: AttributeValue): void => writeAttribute(to, SPAN.attributes, name, value);
  to.string(SPAN.name, kind.isMatched ? `${method} ${route}` : method);
  to.uint(SPAN.kind, SpanKind.SERVER + 1);
  set('http.request.method', method);
  set('url.scheme', kind.scheme);
  set('network.protocol.version', kind.protocol);
  if (kind.isMatched) set('http.route', route);
  if (sentStatus !== undefined) set('http.response.status_code', sentStatus);
  if (errorType !== '') set('error.type', errorType);
  if (outcome === 'error' || outcome === 'timeout') writeStatus(to, SpanStatusCode.ERROR);
  return to.written();
}

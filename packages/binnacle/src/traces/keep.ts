/**
 * `BINNACLE_KEEP`: requests that the sampler left out are recorded too, and when one ends badly this process's spans of
 * it are exported whole. Tail sampling within one process: those that were called meanwhile were told "not sampled".
 */
import { type Attributes, type Context, type SpanContext, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import { type ReadableSpan, type Sampler, SamplingDecision, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { KeepReason, KeepSettings } from '../settings-otel.ts';
import { estimateSpanBytes } from './span-size.ts';

/** What is told of traces that were not sampled. */
export interface KeepRecorder {
  /** One trace ended badly and was kept. */
  kept(reason: KeepReason): void;
  /** One of its spans goes to be exported. */
  span(): void;
  /** One trace was let go: it ended well, or (`overflow`) the buffer had no room for it. */
  letGo(why: 'ended_well' | 'overflow'): void;
  /** Spans of a kept trace that it had no room for. */
  cut(spans: number): void;
}

/** What may wait: traces, and bytes of their spans by estimate. */
export interface KeepLimits {
  readonly traces: number;
  readonly bytes: number;
  /** Spans of one trace. */
  readonly spans: number;
}

const LIMITS: KeepLimits = { traces: 2000, bytes: 16 * 1024 * 1024, spans: 1000 };
/** Traces that were kept and may still have spans under way, remembered by id. */
const REMEMBERED = 1000;

/** Records what the sampler would leave out, without the sampled flag: the decision that others read stays as it is. */
export function createKeepingSampler(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const result = sampler.shouldSample(context, traceId, name, kind, attributes, links);
      return result.decision === SamplingDecision.NOT_RECORD
        ? { ...result, decision: SamplingDecision.RECORD }
        : result;
    },
    toString: () => `Keeping{${sampler}}`,
  };
}

export interface KeepOptions {
  readonly settings: KeepSettings;
  readonly recorder: KeepRecorder;
  /** Takes a span that is kept. */
  readonly emit: (span: ReadableSpan) => void;
  readonly limits?: KeepLimits;
}

interface Waiting {
  readonly spans: ReadableSpan[];
  bytes: number;
  /** Spans beyond the limit. */
  cut: number;
  /** Roots of this process that have not ended: two requests may belong to one trace. */
  roots: number;
}

/** Holds the spans of unsampled traces until their root in this process has ended, then emits or forgets them. */
export function createKeepBuffer(options: KeepOptions): SpanProcessor {
  const buffer = new KeepBuffer(options);
  return {
    onStart: (span, parent) => buffer.start(span, parent),
    onEnd: (span) => buffer.end(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

class KeepBuffer {
  readonly #options: KeepOptions;
  readonly #limits: KeepLimits;
  /** In the order in which they began. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #kept = new Map<string, KeepReason>();
  #bytes = 0;

  constructor(options: KeepOptions) {
    this.#options = options;
    this.#limits = options.limits ?? LIMITS;
  }

  start(span: ReadableSpan, _parent: Context): void {
    if (isSampled(span) || !isLocalRoot(span)) return;
    const { traceId } = span.spanContext();
    const waiting = this.#waiting.get(traceId);
    if (waiting !== undefined) waiting.roots += 1;
    else {
      if (this.#waiting.size >= this.#limits.traces) this.#dropOldest();
      this.#waiting.set(traceId, { spans: [], bytes: 0, cut: 0, roots: 1 });
    }
  }

  end(span: ReadableSpan): void {
    if (isSampled(span)) return;
    const { traceId } = span.spanContext();
    const reason = this.#kept.get(traceId);
    const waiting = this.#waiting.get(traceId);
    if (reason !== undefined) this.#emit(span, reason);
    else if (waiting !== undefined) this.#hold(span, waiting, traceId);
    if (waiting !== undefined && isLocalRoot(span)) this.#endRoot(span, waiting, traceId);
  }

  #hold(span: ReadableSpan, waiting: Waiting, traceId: string): void {
    // The root says how it ended: it always has room.
    if (waiting.spans.length >= this.#limits.spans && !isLocalRoot(span)) {
      waiting.cut += 1;
      return;
    }
    const bytes = estimateSpanBytes(span);
    waiting.spans.push(span);
    waiting.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > this.#limits.bytes && this.#waiting.size > 0) {
      const [oldest] = this.#waiting.keys();
      this.#dropOldest();
      if (oldest === traceId) return;
    }
  }

  #endRoot(root: ReadableSpan, waiting: Waiting, traceId: string): void {
    waiting.roots -= 1;
    const reason = this.#kept.get(traceId) ?? reasonOf(root, this.#options.settings);
    if (reason !== undefined && !this.#kept.has(traceId)) this.#keepTrace(waiting, traceId, reason);
    if (waiting.roots > 0) return;
    this.#forget(traceId, waiting);
    if (reason === undefined) this.#options.recorder.letGo('ended_well');
  }

  #keepTrace(waiting: Waiting, traceId: string, reason: KeepReason): void {
    // What ends later than its root, such as a write that nobody awaits, follows.
    if (this.#kept.size >= REMEMBERED) this.#kept.delete(this.#kept.keys().next().value as string);
    this.#kept.set(traceId, reason);
    this.#options.recorder.kept(reason);
    if (waiting.cut > 0) this.#options.recorder.cut(waiting.cut);
    for (const span of waiting.spans.splice(0)) this.#emit(span, reason);
    this.#bytes -= waiting.bytes;
    waiting.bytes = 0;
  }

  #emit(span: ReadableSpan, reason: KeepReason): void {
    this.#options.recorder.span();
    this.#options.emit(keep(span, reason));
  }

  #dropOldest(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#forget(...first);
    this.#options.recorder.letGo('overflow');
  }

  #forget(traceId: string, waiting: Waiting): void {
    this.#waiting.delete(traceId);
    this.#bytes -= waiting.bytes;
  }
}

/** Why a trace is kept, by how its root ended. */
function reasonOf(root: ReadableSpan, { reasons, slowMs }: KeepSettings): KeepReason | undefined {
  const cause = root.attributes['error.type'];
  if (reasons.includes('error') && root.status.code === SpanStatusCode.ERROR) return 'error';
  const aborted = cause === 'client_disconnect' || cause === 'shutdown' || cause === 'cancelled';
  if (reasons.includes('abort') && aborted) return 'abort';
  return reasons.includes('slow') && hrTimeToMilliseconds(root.duration) >= slowMs ? 'slow' : undefined;
}

/** The span as it is exported: sampled, and with why. The span itself stays as it is, since others hold it. */
function keep(span: ReadableSpan, reason: KeepReason): ReadableSpan {
  const own = span.spanContext();
  const context: SpanContext = { ...own, traceFlags: own.traceFlags | TraceFlags.SAMPLED };
  const attributes: Attributes = { ...span.attributes, 'binnacle.kept': reason };
  return Object.create(span, {
    spanContext: { value: () => context },
    attributes: { value: attributes },
  }) as ReadableSpan;
}

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

function isLocalRoot({ parentSpanContext }: ReadableSpan): boolean {
  return parentSpanContext === undefined || parentSpanContext.isRemote === true;
}

/** Spans for somebody who looks on: as the exporter's queue encodes them, or encoded for the looking alone. */
import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { ByteWriter } from './bytes.ts';
import type { SpanSlot } from './encoded-queue.ts';
import { writeSpan } from './otlp-span.ts';
import { SPAN_BOUNDS } from './span-queue.ts';
import { estimateSpanBytes } from './span-size.ts';

/** Who looks on. It does not throw, and keeps no reference to the bytes: they are written over. */
export interface SpanWatch {
  /** A span that has ended, and was sampled: one OTLP `Span` message, by the name of its scope. */
  encoded(message: Uint8Array, scope: string): void;
  /** One that is too large to be shown, or cannot be read. */
  leftOut(): void;
}

/** Bytes that a writer may keep for the next span: one that was larger gives its memory back. */
const KEPT_BYTES = 64 * 1024;

/** The message of a field that was written from a place to another: behind its tag and length. */
export function messageIn(bytes: Uint8Array, from: number, to: number): Uint8Array {
  let at = from + 1;
  while ((bytes[at] as number) > 0x7f) at += 1;
  return bytes.subarray(at + 1, to);
}

/** Takes in spans of one scope that are written by hand, for the looking alone. */
export function createWatchSlot(watch: SpanWatch, scope: string): SpanSlot {
  let to = new ByteWriter(KEPT_BYTES);
  return {
    begin(size) {
      if (to.bytes.length > KEPT_BYTES) to = new ByteWriter(KEPT_BYTES);
      to.length = 0;
      to.reserve(size);
      return to;
    },
    end: () => watch.encoded(to.written(), scope),
    cancel() {},
  };
}

/** A way for spans on which somebody looks. */
export interface Watched {
  /** For a queue behind it: what that encodes is not encoded a second time. */
  readonly watch: SpanWatch;
  /** Shows each sampled span, and passes all of them on to `next`. */
  around(next?: SpanProcessor): SpanProcessor;
}

export function createWatched(watch: SpanWatch): Watched {
  let isShown = false;
  let to = new ByteWriter(KEPT_BYTES);
  const show = (span: ReadableSpan): void => {
    if (estimateSpanBytes(span) > SPAN_BOUNDS.span) {
      watch.leftOut();
      return;
    }
    if (to.bytes.length > KEPT_BYTES) to = new ByteWriter(KEPT_BYTES);
    to.length = 0;
    try {
      writeSpan(to, span);
    } catch {
      // What a host's own span says may not be read: a getter that throws.
      watch.leftOut();
      return;
    }
    watch.encoded(to.written(), span.instrumentationScope.name);
  };
  return {
    watch: {
      encoded(message, scope) {
        isShown = true;
        watch.encoded(message, scope);
      },
      leftOut: watch.leftOut,
    },
    around: (next) => ({
      onStart: (span, parent) => next?.onStart(span, parent),
      onEnd(span) {
        isShown = false;
        next?.onEnd(span);
        // What a full queue does not take is shown all the same.
        if (!isShown && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) show(span);
      },
      forceFlush: () => next?.forceFlush() ?? Promise.resolve(),
      shutdown: () => next?.shutdown() ?? Promise.resolve(),
    }),
  };
}

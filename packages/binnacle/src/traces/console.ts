/** `OTEL_TRACES_EXPORTER=console`: each span as a line of the log, in the log's own format. */
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { roundMs } from '../duration.ts';
import type { WriteLine } from '../signals.ts';
import type { SpanRecorder } from './processor.ts';

/**
 * Writes each sampled span at its end, at INFO by the logger `span`: not one beneath `otel`, whose level is WARNING
 * unless told, so that whoever asks for spans on the console sees them.
 */
export function createConsoleProcessor(write: WriteLine, recorder: SpanRecorder): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
      write('INFO', 'span', span.name, describeSpan(span));
      recorder.result('exported', 1);
    },
    async forceFlush() {},
    async shutdown() {},
  };
}

function describeSpan(span: ReadableSpan): Record<string, unknown> {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    trace_id: traceId,
    span_id: spanId,
    trace_flags: traceFlags.toString(16).padStart(2, '0'),
    parent_span_id: span.parentSpanContext?.spanId,
    kind: SpanKind[span.kind].toLowerCase(),
    duration_ms: roundMs(hrTimeToMilliseconds(span.duration)),
    span_status: SpanStatusCode[span.status.code].toLowerCase(),
    attributes: span.attributes,
    ...(span.events.length > 0 && {
      events: span.events.map(({ name, time, attributes }) => ({
        name,
        at: new Date(hrTimeToMilliseconds(time)).toISOString(),
        attributes,
      })),
    }),
    ...(span.links.length > 0 && {
      links: span.links.map(({ context, attributes }) => ({
        trace_id: context.traceId,
        span_id: context.spanId,
        attributes,
      })),
    }),
  };
}

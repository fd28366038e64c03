/** Who and what a line belongs to: the fields of the request in hand. */
import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import { activeSpanContext, currentScope } from '../context.ts';
import type { SafeFields } from './safe.ts';

/** Fields that the context owns where it knows them: a line's own of these names do not replace them. */
export const CONTEXT_OWNED: ReadonlySet<string> = new Set(['request_id', 'trace_id', 'span_id', 'trace_flags']);

/**
 * Adds the context's fields to a line; tells whether a request was in hand. A span of another process alone (a
 * propagated parent, with tracing off here) gives no ids: nothing here is recorded under them.
 */
export function addContext(target: SafeFields): boolean {
  const scope = currentScope();
  if (scope === undefined) return false;
  const { request, phase } = scope;
  if (request !== undefined) {
    target.request_id = request.requestId;
    if (request.sessionId !== undefined) target.session_id = request.sessionId;
    if (request.userId !== undefined) target.user_id = request.userId;
    if (request.ip !== undefined) target.ip = request.ip;
  }
  const span = activeSpanContext();
  if (span !== undefined && span.isRemote !== true && isSpanContextValid(span as SpanContext)) {
    target.trace_id = span.traceId;
    target.span_id = span.spanId;
    target.trace_flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  }
  if (phase !== undefined) target.phase = phase;
  return request !== undefined;
}

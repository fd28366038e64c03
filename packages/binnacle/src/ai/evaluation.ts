/** Scores of finished operations: a user's thumb, a judge's mark (`gen_ai.evaluation.result` of the conventions). */
import { type Attributes, ROOT_CONTEXT, type SpanContext, SpanKind, trace } from '@opentelemetry/api';
import type { Signals } from '../signals.ts';
import type { OperationInfo } from './info.ts';

/** What a score is of. Plain data: it may be stored, and scored later by another process. */
export interface OperationReference {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly operation: string;
  readonly model: string;
  readonly responseId?: string | undefined;
}

export interface Score {
  /** `gen_ai.evaluation.name`: `helpful`, `relevance`… of few kinds. */
  readonly name: string;
  /** From 0 (worst) to 1 (best). */
  readonly value: number;
  /** `gen_ai.evaluation.score.label`: `pass`, `fail`… of few kinds. */
  readonly label?: string;
}

export function referenceTo(context: SpanContext, info: OperationInfo, responseId?: string): OperationReference {
  const { traceId, spanId, traceFlags } = context;
  const { operation, model } = info;
  return { traceId, spanId, traceFlags, operation, model, ...(responseId !== undefined && { responseId }) };
}

/** Writes a score down: a metric, and an event on a span of its own below the operation. What is no score is told of. */
export function recordScore(signals: Signals, of: OperationReference, { name, value, label }: Score): void {
  const { meters, spans } = signals;
  if (typeof name !== 'string' || name === '' || typeof value !== 'number' || !(value >= 0 && value <= 1)) {
    // What is no number may be anything, a judge's whole answer too: only its kind is told.
    const told = { value: typeof value === 'number' ? value : typeof value };
    signals.write('WARNING', 'ai', 'A score was left out: it needs a name, and a value from 0 to 1', told);
    return;
  }
  const attributes: Attributes = {
    'gen_ai.evaluation.name': name,
    'gen_ai.evaluation.score.value': value,
    ...(label !== undefined && { 'gen_ai.evaluation.score.label': label }),
    ...(of.responseId !== undefined && { 'gen_ai.response.id': of.responseId }),
  };
  const { traceId, spanId, traceFlags } = of;
  const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  const span = spans.start(`evaluate ${name}`, SpanKind.INTERNAL, { 'gen_ai.request.model': of.model }, parent);
  span.addEvent('gen_ai.evaluation.result', attributes);
  const labels = { gen_ai_evaluation_name: name, gen_ai_request_model: of.model };
  meters.aiEvaluation.bind(labels).observe(value, span.spanContext());
  span.end();
}

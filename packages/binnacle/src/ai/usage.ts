/** Tokens: what the provider counted, else an estimate that says so, else counted as missing. */
import type { Span } from '@opentelemetry/api';
import type { Signals } from '../signals.ts';
import type { OperationInfo } from './info.ts';

export interface Usage {
  /** All input tokens, cached ones included. */
  readonly inputTokens: number;
  /** All output tokens, reasoning ones included. */
  readonly outputTokens: number;
  /** Of the input: read from the provider's cache. */
  readonly cachedInputTokens?: number | undefined;
  /** Of the input: written to the provider's cache. */
  readonly cacheWriteTokens?: number | undefined;
  /** Of the output: spent on thinking. */
  readonly reasoningTokens?: number | undefined;
  /** Who counted: the provider, or an estimate of the caller's. `provider` unless told. */
  readonly source?: 'provider' | 'estimated';
}

export type UsageSource = 'provider' | 'estimated' | 'missing';

export function sourceOf(usage: Usage | undefined): UsageSource {
  return usage === undefined ? 'missing' : (usage.source ?? 'provider');
}

/** Writes a usage down: figures of a provider's under the convention's names, estimates under a metric of their own. */
export function recordUsage({ meters }: Signals, info: OperationInfo, usage: Usage | undefined, span: Span): void {
  const source = sourceOf(usage);
  meters.aiUsageSource.bind({ source }).inc();
  if (usage === undefined) return;
  const labels = {
    gen_ai_operation_name: info.operation,
    gen_ai_provider_name: info.provider,
    gen_ai_request_model: info.model,
  };
  const counts = [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
  ] as const;
  for (const [type, tokens] of counts) {
    if (source === 'estimated')
      meters.aiEstimated.bind({ gen_ai_request_model: info.model, gen_ai_token_type: type }).inc(tokens);
    else {
      meters.aiTokens.bind({ ...labels, gen_ai_token_type: type }).observe(tokens, span.spanContext());
      span.setAttribute(`gen_ai.usage.${type}_tokens`, tokens);
    }
  }
  if (source === 'estimated') return;
  const { cachedInputTokens, cacheWriteTokens, reasoningTokens } = usage;
  if (cachedInputTokens) span.setAttribute('gen_ai.usage.cache_read.input_tokens', cachedInputTokens);
  if (cacheWriteTokens) span.setAttribute('gen_ai.usage.cache_creation.input_tokens', cacheWriteTokens);
  if (reasoningTokens) span.setAttribute('gen_ai.usage.reasoning.output_tokens', reasoningTokens);
}

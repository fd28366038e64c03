/** The language model behind its breaker, observed as one AI operation, with the embedded analyst to stand in. */
import { type Breaker, BreakerOpenError, errorTypeOf, type Observability, outcomeOf } from 'binnacle';
import type { VerdictInput } from '../domain/index.ts';
import { UpstreamError } from '../errors.ts';
import type { CallLimits } from '../limits.ts';
import type { FitCheckSettings } from '../settings.ts';
import { embeddedAnalyst } from './embedded.ts';
import { createOpenAiProvider } from './openai.ts';
import type { LlmProvider, VerdictChunk, VerdictSource } from './provider.ts';

export interface Llm {
  readonly provider: string;
  readonly model: string;
  readonly breaker: Breaker;
  /** Streams a verdict; `source` is told who wrote it and what was used, as soon as that is known. */
  verdict(input: VerdictInput, limits: CallLimits, source: VerdictSource): AsyncGenerator<VerdictChunk>;
}

export function createLlm(obs: Observability, settings: FitCheckSettings): Llm {
  const provider: LlmProvider =
    settings.llm.kind === 'embedded' ? embeddedAnalyst : createOpenAiProvider(obs, settings.llm, settings.llmTimeoutMs);
  const breaker = obs.breaker('llm', { failures: 3, openMs: settings.breakerOpenMs });
  const log = obs.logger('llm');
  const standsIn = settings.llmFallback && provider !== embeddedAnalyst;
  for (const each of standsIn ? [provider, embeddedAnalyst] : [provider]) obs.ai.expect(infoOf(each));
  return {
    provider: provider.name,
    model: provider.model,
    breaker,
    async *verdict(input, limits, source) {
      let said = false;
      try {
        for await (const chunk of breaker.stream(() => observed(obs, provider, input, limits, source))) {
          said = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (limits.signal.aborted || outcomeOf(error, limits.signal) === 'cancelled') throw error;
        // Half a verdict cannot be taken back: what has begun is told as it ended.
        if (said || !standsIn)
          throw error instanceof BreakerOpenError ? error : new UpstreamError('the language model', error);
        source.fallback = error instanceof BreakerOpenError ? 'breaker_open' : 'llm_failed';
        // Endpoints quote the prompt in what they refuse: its kind is logged, never its text.
        log.warn({ error_type: errorTypeOf(error) }, 'The LLM failed; the embedded analyst writes this verdict');
      }
      yield* observed(obs, embeddedAnalyst, input, limits, source);
    },
  };
}

/** One operation, however often its endpoint is asked. */
function observed(
  obs: Observability,
  provider: LlmProvider,
  input: VerdictInput,
  limits: CallLimits,
  source: VerdictSource,
): AsyncGenerator<VerdictChunk> {
  source.provider = provider.name;
  source.model = provider.model;
  source.usage = null;
  return obs.ai.stream(
    infoOf(provider),
    (operation) => provider.stream(input, { operation, limits, source }),
    (chunk) => chunk.tokens,
  );
}

function infoOf({ name, model }: LlmProvider): { operation: string; provider: string; model: string } {
  return { operation: 'chat', provider: name, model };
}

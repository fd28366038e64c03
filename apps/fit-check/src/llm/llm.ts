/** The language model behind its breaker, observed as one AI operation. */
import { type Breaker, BreakerOpenError, type Observability, outcomeOf, type Usage } from 'binnacle';
import type { VerdictInput } from '../domain/index.ts';
import { UpstreamError } from '../errors.ts';
import type { LlmSettings } from '../settings.ts';
import { embeddedAnalyst } from './embedded.ts';
import { createOpenAiProvider } from './openai.ts';
import type { LlmProvider, VerdictChunk } from './provider.ts';

export interface Llm {
  readonly provider: string;
  readonly model: string;
  readonly breaker: Breaker;
  /** Streams a verdict; `onUsage` is told what it used, as soon as that is known. */
  verdict(input: VerdictInput, signal: AbortSignal, onUsage: (usage: Usage) => void): AsyncGenerator<VerdictChunk>;
}

export function createLlm(obs: Observability, settings: LlmSettings): Llm {
  const source: LlmProvider =
    settings.kind === 'embedded' ? embeddedAnalyst : createOpenAiProvider(settings, obs.logger('openai'));
  const breaker = obs.breaker('llm', { failures: 3, openMs: 30_000 });
  const info = { operation: 'chat', provider: source.name, model: source.model };
  obs.ai.expect(info);
  return {
    provider: source.name,
    model: source.model,
    breaker,
    async *verdict(input, signal, onUsage) {
      try {
        yield* breaker.stream(() =>
          obs.ai.stream(
            info,
            (operation) => {
              const usage = (used: Usage): void => {
                operation.usage(used);
                onUsage(used);
              };
              return source.stream(input, { usage, response: (said) => operation.response(said) }, signal);
            },
            (chunk) => chunk.tokens,
          ),
        );
      } catch (error) {
        if (error instanceof BreakerOpenError || outcomeOf(error, signal) === 'cancelled' || signal.aborted)
          throw error;
        throw new UpstreamError('the language model', error);
      }
    },
  };
}

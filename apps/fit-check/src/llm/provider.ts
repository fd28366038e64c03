/** Who writes the verdict: a provider gives chunks, and says what it used. */
import type { Operation } from 'binnacle';
import type { VerdictInput } from '../domain/index.ts';
import type { CallLimits } from '../limits.ts';

export interface VerdictChunk {
  readonly text: string;
  /** Its tokens, where the provider counts them chunk by chunk. */
  readonly tokens?: number;
}

export interface LlmProvider {
  /** `gen_ai.provider.name`. */
  readonly name: string;
  readonly model: string;
  /** Streams a verdict; ends by itself only when it is whole. */
  stream(
    input: VerdictInput,
    operation: Pick<Operation, 'usage' | 'response'>,
    limits: CallLimits,
  ): AsyncIterable<VerdictChunk>;
}

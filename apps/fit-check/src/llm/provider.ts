/** Who writes the verdict: a provider gives chunks, and says what it used. */
import type { Operation, Usage } from 'binnacle';
import type { VerdictInput } from '../domain/index.ts';
import type { CallLimits } from '../limits.ts';

/** Why the embedded analyst stood in. */
export type Fallback = 'llm_failed' | 'breaker_open';

/** What a verdict came from; filled in as it streams. */
export interface VerdictSource {
  provider: string;
  model: string;
  usage: Usage | null;
  fallback?: Fallback;
}

export interface VerdictChunk {
  readonly text: string;
  /** Its tokens, where the provider counts them chunk by chunk. */
  readonly tokens?: number;
}

/** What a provider streams within. */
export interface VerdictCall {
  readonly operation: Operation;
  readonly limits: CallLimits;
  /** Told what was used, as soon as that is known. */
  readonly source: VerdictSource;
}

export interface LlmProvider {
  /** `gen_ai.provider.name`. */
  readonly name: string;
  readonly model: string;
  /** Streams a verdict; ends by itself only when it is whole. */
  stream(input: VerdictInput, call: VerdictCall): AsyncIterable<VerdictChunk>;
}

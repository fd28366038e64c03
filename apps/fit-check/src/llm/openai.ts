/** Any endpoint that speaks OpenAI Chat Completions, streamed, with its usage. */
import type { Observability } from 'binnacle';
import OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { composePrompt, type VerdictInput } from '../domain/index.ts';
import { isTransient, retrying } from '../retry.ts';
import type { LlmSettings } from '../settings.ts';
import type { LlmProvider, VerdictChunk, VerdictSource } from './provider.ts';
import { createSilenceLimit } from './silence.ts';

type OpenAiSettings = Extract<LlmSettings, { kind: 'openai' }>;

/** Attempts after the first, before an answer has begun. */
const RETRIES = 2;
const PAUSE_MS = 500;

/** `timeoutMs` is how long the endpoint may be silent, before and within its answer. */
export function createOpenAiProvider(obs: Observability, settings: OpenAiSettings, timeoutMs: number): LlmProvider {
  const { model } = settings;
  const client = obs.ai.client(
    new OpenAI({
      // Endpoints of one's own often ask for no key; the SDK wants one all the same.
      apiKey: settings.apiKey ?? 'none',
      ...(settings.baseUrl !== undefined && { baseURL: settings.baseUrl }),
      // Repeated here, where a pause ends with the session and fits into what is left of it.
      maxRetries: 0,
      logger: obs.logger('openai'),
      // Below it the SDK writes whole prompts; what is written of the rest is for LOG_LEVELS to say.
      logLevel: 'info',
    }),
  );
  return {
    name: 'openai',
    model,
    async *stream(input, { limits: { signal, remainingMs }, source }) {
      const silence = createSilenceLimit(signal, timeoutMs);
      const attempt = () => {
        silence.heard();
        return client.chat.completions.create(toRequest(model, input), { signal: silence.signal });
      };
      try {
        const chunks = await retrying(
          {
            retries: RETRIES,
            pauseMs: PAUSE_MS,
            signal: silence.signal,
            remainingMs: () => Math.min(remainingMs(), timeoutMs),
            retryable: isTransient,
          },
          attempt,
        );
        yield* read(chunks, source, silence.heard);
        // The SDK ends an aborted stream as if it were whole.
        silence.signal.throwIfAborted();
      } catch (error) {
        silence.signal.throwIfAborted();
        throw error;
      } finally {
        silence.end();
      }
    },
  };
}

function toRequest(model: string, input: VerdictInput): ChatCompletionCreateParamsStreaming {
  const { system, user } = composePrompt(input);
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
  };
}

async function* read(
  chunks: AsyncIterable<ChatCompletionChunk>,
  source: VerdictSource,
  heard: () => void,
): AsyncGenerator<VerdictChunk> {
  let finished = false;
  for await (const { usage, choices } of chunks) {
    heard();
    if (usage) source.usage = { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens };
    const choice = choices[0];
    if (choice?.finish_reason) finished = true;
    if (choice?.delta?.content) {
      yield { text: choice.delta.content };
      // A slow reader's time is not the endpoint's silence.
      heard();
    }
  }
  if (!finished) throw new IncompleteStreamError();
}

/** A stream that ended without saying that it was whole. */
class IncompleteStreamError extends Error {
  override readonly name = 'IncompleteStreamError';
  constructor() {
    super('the stream ended without a finish reason');
  }
}

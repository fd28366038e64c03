/** Any endpoint that speaks OpenAI Chat Completions, streamed, with its usage. */

import OpenAI from 'openai';
import type { Logger } from 'pino';
import { composePrompt } from '../domain/index.ts';
import type { LlmSettings } from '../settings.ts';
import type { LlmProvider } from './provider.ts';

/** How long an endpoint may take to begin its answer, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

export function createOpenAiProvider(settings: Extract<LlmSettings, { kind: 'openai' }>, logger: Logger): LlmProvider {
  const { model } = settings;
  const client = new OpenAI({
    // Endpoints of one's own often ask for no key; the SDK wants one all the same.
    apiKey: settings.apiKey ?? 'none',
    ...(settings.baseUrl !== undefined && { baseURL: settings.baseUrl }),
    timeout: CONNECT_TIMEOUT_MS,
    maxRetries: 1,
    logger,
  });
  return {
    name: 'openai',
    model,
    async *stream(input, operation, signal) {
      const prompt = composePrompt(input);
      const chunks = await client.chat.completions.create(
        {
          model,
          stream: true,
          stream_options: { include_usage: true },
          messages: [
            { role: 'system', content: prompt.system },
            { role: 'user', content: prompt.user },
          ],
        },
        { signal },
      );
      let finishReason: string | undefined;
      for await (const chunk of chunks) {
        if (chunk.usage)
          operation.usage({ inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens });
        const choice = chunk.choices[0];
        if (choice?.finish_reason) {
          finishReason = choice.finish_reason;
          operation.response({ model: chunk.model, id: chunk.id, finishReasons: [finishReason] });
        }
        if (choice?.delta?.content) yield { text: choice.delta.content };
      }
      signal.throwIfAborted();
      if (finishReason === undefined) throw new IncompleteStreamError();
    },
  };
}

/** A stream that ended without saying that it was whole. */
class IncompleteStreamError extends Error {
  override readonly name = 'IncompleteStreamError';
  constructor() {
    super('the stream ended without a finish reason');
  }
}

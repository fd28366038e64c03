/** The embedded analyst: computes the verdict from the data, and counts its tokens exactly. */
import { composePrompt, composeVerdict, countTokens, streamVerdict } from '../domain/index.ts';
import type { LlmProvider } from './provider.ts';

export const embeddedAnalyst: LlmProvider = {
  name: 'embedded',
  model: 'embedded-analyst',
  async *stream(input, { operation, limits, source }) {
    const prompt = composePrompt(input);
    const inputTokens = countTokens(prompt.system) + countTokens(prompt.user);
    let outputTokens = 0;
    const tell = (): void => {
      source.usage = { inputTokens, outputTokens };
      operation.usage(source.usage);
    };
    tell();
    for await (const chunk of streamVerdict(composeVerdict(input).text, { signal: limits.signal })) {
      outputTokens += chunk.tokens;
      tell();
      yield chunk;
    }
    operation.response({ model: 'embedded-analyst', finishReasons: ['stop'] });
  },
};

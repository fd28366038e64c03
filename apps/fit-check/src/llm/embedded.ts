/** The embedded analyst: computes the verdict from the data, and counts its tokens exactly. */
import { composePrompt, composeVerdict, countTokens, streamVerdict } from '../domain/index.ts';
import type { LlmProvider } from './provider.ts';

export const embeddedAnalyst: LlmProvider = {
  name: 'embedded',
  model: 'embedded-analyst',
  async *stream(input, operation, { signal }) {
    const prompt = composePrompt(input);
    const inputTokens = countTokens(prompt.system) + countTokens(prompt.user);
    let outputTokens = 0;
    operation.usage({ inputTokens, outputTokens });
    for await (const chunk of streamVerdict(composeVerdict(input).text, { signal })) {
      outputTokens += chunk.tokens;
      operation.usage({ inputTokens, outputTokens });
      yield chunk;
    }
    operation.response({ model: 'embedded-analyst', finishReasons: ['stop'] });
  },
};

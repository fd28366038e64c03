/** What `obs.ai` gives is what the SDKs take, by their own types and without a cast. Compiled, never run. */
import type { BaseCallbackHandler, CallbackHandlerMethods } from '@langchain/core/callbacks/base';
import type { Callbacks } from '@langchain/core/callbacks/manager';
import { ChatOpenAI } from '@langchain/openai';
import { type EmbeddingModel, embed, generateText, type LanguageModel, streamText, ToolLoopAgent } from 'ai';
import type { Observability } from 'binnacle';

export async function typesOfAiSdk({ ai }: Observability, model: LanguageModel, words: EmbeddingModel): Promise<void> {
  const experimental_telemetry = ai.telemetry('planner');
  await generateText({ model, prompt: 'x', experimental_telemetry });
  streamText({ model, prompt: 'x', experimental_telemetry: { ...ai.telemetry(), functionId: 'planner' } });
  await embed({ model: words, value: 'x', experimental_telemetry });
  new ToolLoopAgent({ model, experimental_telemetry });
}

export async function typesOfLangChain({ ai }: Observability): Promise<void> {
  const callbacks: Callbacks = [ai.langchain()];
  const handler: BaseCallbackHandler | CallbackHandlerMethods = ai.langchain();
  const model = new ChatOpenAI({ model: 'x', callbacks: [handler] });
  await model.invoke('x', { callbacks });
  await model.withConfig({ callbacks: [ai.langchain()] }).invoke('x');
}

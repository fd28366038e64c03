/** AI SDK's calls against a replay of OpenAI's endpoints, and what was told of them. */
import { createOpenAI } from '@ai-sdk/openai';
import { jsonSchema, type LanguageModel, stepCountIs, streamText, tool } from 'ai';
import type { WireAnswer } from '../../../test/wire/replay.ts';
import { type AiSdkTelemetry, createAiSdkTelemetry } from './ai-sdk.ts';
import { MARKER, type Told, tellOf } from './observed.test-helper.ts';

export interface Sdk extends Told {
  readonly openai: ReturnType<typeof createOpenAI>;
  telemetry(name?: string): AiSdkTelemetry;
}

export async function observeSdk(...answers: readonly WireAnswer[]): Promise<Sdk> {
  const told = await tellOf(...answers);
  return {
    ...told,
    openai: createOpenAI({ apiKey: `sk-${MARKER}`, baseURL: `${told.replay.url}/v1` }),
    // Streams that stand still are let go at once.
    telemetry: createAiSdkTelemetry(told.start, 200),
  };
}

export interface Asked {
  readonly model?: LanguageModel;
  readonly telemetry?: AiSdkTelemetry | undefined;
  readonly abortSignal?: AbortSignal;
  readonly maxRetries?: number;
  readonly tools?: readonly string[];
  readonly execute?: () => unknown;
}

const toolOf = (execute: () => unknown) =>
  tool({
    inputSchema: jsonSchema<Record<string, string>>({ type: 'object', additionalProperties: true }),
    execute: async () => execute(),
  });

/** Streams an answer, tools at hand. */
export function ask(sdk: Sdk, { telemetry, abortSignal, execute = () => MARKER, ...asked }: Asked = {}) {
  const { model = sdk.openai.chat('gpt-4o'), tools = ['weather'], maxRetries = 0 } = asked;
  return streamText({
    model,
    prompt: MARKER,
    temperature: 0.5,
    maxRetries,
    tools: Object.fromEntries(tools.map((name) => [name, toolOf(execute)])),
    stopWhen: stepCountIs(3),
    onError: () => {},
    ...(telemetry && { experimental_telemetry: telemetry }),
    ...(abortSignal && { abortSignal }),
  });
}

/** All parts, without what differs from run to run, and the error that they end with. */
export async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const parts: unknown[] = [];
  try {
    for await (const part of items) parts.push(part);
  } catch (error) {
    parts.push(`threw ${error}`);
  }
  const differs = /timestamp|^id$|^date$|headers|Ms$|PerSecond$|callId|^url$|performance/;
  return JSON.parse(JSON.stringify(parts, (key, value) => (differs.test(key) ? undefined : value)));
}

/** What LangChain tells of a model's run, in the words of the conventions. */
import type { OperationInfo } from '../info.ts';
import type { Usage } from '../usage.ts';
import { providerNameOf } from './provider-names.ts';
import { listOf, type Message, objectOf, stringOf } from './stainless.ts';

/** The class of what runs: the last of its serialized id, or its own name. */
export function nameOf(serialized: Message): string | undefined {
  const { id, name } = serialized;
  return stringOf(name) ?? (Array.isArray(id) ? stringOf(id.at(-1)) : undefined);
}

/** A chain that is an agent, by its type, its class, or what LangChain's `createAgent` says of it. */
export function agentNameOf(
  name: string | undefined,
  runType: unknown,
  metadata: Message,
  isRoot: boolean,
): string | undefined {
  // Metadata is inherited: further down it tells of the agent above.
  const own = isRoot ? stringOf(metadata.lc_agent_name) : undefined;
  if (own !== undefined) return own;
  return runType === 'agent' || (name !== undefined && /Agent(Executor)?$/.test(name)) ? (name ?? 'agent') : undefined;
}

export function modelInfoOf(
  operation: 'chat' | 'text_completion',
  model: Message,
  extra: Message,
  metadata: Message,
  runName: string | undefined,
): OperationInfo {
  const given = objectOf(extra.invocation_params);
  const built = objectOf(model.kwargs);
  const stop = metadata.ls_stop;
  const names = [metadata.ls_model_name, given.model, given.model_name, built.model, built.model_name];
  return {
    operation,
    provider: providerNameOf(stringOf(metadata.ls_provider) ?? ''),
    model: names.map(stringOf).find((name) => name !== undefined) ?? nameOf(model) ?? runName ?? '',
    stream: given.stream === true,
    parameters: {
      temperature: countOf(metadata.ls_temperature),
      maxTokens: countOf(metadata.ls_max_tokens),
      stopSequences: Array.isArray(stop) ? stop.filter((word) => typeof word === 'string') : undefined,
    },
  };
}

/** What a model's result says. */
export interface Answer {
  readonly usage: Usage | undefined;
  readonly response: { readonly id?: string; readonly model?: string; readonly finishReasons?: string[] };
  /** Undefined where there is nothing at all. */
  readonly output: unknown;
}

export function answerOf(result: Message): Answer {
  // Of a stream that said nothing there is an empty place.
  const generations = listOf(listOf(result.generations)[0]).map(objectOf);
  const message = objectOf(generations[0]?.message);
  const told = objectOf(message.response_metadata);
  const more = objectOf(message.additional_kwargs);
  const reasons = generations.flatMap((each) => finishReasonOf(each) ?? []);
  return {
    usage: usageOf(message, objectOf(result.llmOutput)),
    response: {
      id: stringOf(told.id) ?? providersId(message.id),
      model: stringOf(told.model_name) ?? stringOf(told.model) ?? stringOf(more.model),
      finishReasons: reasons.length > 0 ? reasons : undefined,
    },
    output: message.content ?? stringOf(generations[0]?.text),
  };
}

/** LangChain gives an id of its own to what has none. */
function providersId(id: unknown): string | undefined {
  const text = stringOf(id);
  return text === undefined || /^(lc_)?run-/.test(text) ? undefined : text;
}

/** Providers whose packages tell why a stream ended: where none is told, theirs broke off. */
const TELLS_REASON: ReadonlySet<string> = new Set([
  ...['openai', 'azure.ai.openai', 'anthropic', 'gcp.gemini', 'groq', 'mistral_ai'],
]);

export function tellsReason(info: OperationInfo | undefined): boolean {
  return info !== undefined && TELLS_REASON.has(info.provider);
}

/** Of OpenAI's Responses API `status` says it. */
const REASONS = ['finish_reason', 'stop_reason', 'finishReason', 'stopReason', 'status'];

function finishReasonOf(generation: Message): string | undefined {
  const { response_metadata, additional_kwargs } = objectOf(generation.message);
  for (const told of [response_metadata, generation.generationInfo, additional_kwargs].map(objectOf)) {
    const words = [objectOf(told.incomplete_details).reason, ...REASONS.map((name) => told[name])];
    const word = words.map(stringOf).find((each) => each !== undefined);
    if (word !== undefined) return word;
  }
  return undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function usageOf({ usage_metadata }: Message, { tokenUsage }: Message): Usage | undefined {
  const told = objectOf(usage_metadata);
  const older = objectOf(tokenUsage);
  const input = countOf(told.input_tokens) ?? countOf(older.promptTokens);
  const output = countOf(told.output_tokens) ?? countOf(older.completionTokens);
  if (input === undefined && output === undefined) return undefined;
  const [read, written] = [objectOf(told.input_token_details), objectOf(told.output_token_details)];
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    cachedInputTokens: countOf(read.cache_read),
    cacheWriteTokens: countOf(read.cache_creation),
    reasoningTokens: countOf(written.reasoning),
  };
}

/** LangChain raises `Aborted`, and its OpenAI package `AbortError`, as plain errors, told by their whole message alone. */
export function isCancellation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ['AbortError', 'ModelAbortError'].includes(error.name) || ['Aborted', 'AbortError'].includes(error.message);
}

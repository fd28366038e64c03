/** Chat completions on the wire: https://platform.openai.com/docs/api-reference/chat */
import type { ClientOperation } from '../operation.ts';
import type { Usage } from '../usage.ts';
import { listOf, type Message, numberOf, objectOf, type ResultReader, stringOf } from './stainless.ts';

/** `asks`: the usage of a stream is asked for here, and hidden from its reader. */
export function chatReader(operation: ClientOperation, asks?: () => boolean): ResultReader {
  return {
    whole(answer) {
      const choices = listOf(answer.choices);
      operation.output(choices.map(({ message, text }) => message ?? text));
      const finishReasons = reasonsOf(choices);
      operation.response({ ...namesOf(answer), ...(finishReasons.length > 0 && { finishReasons }) });
      tellUsage(operation, answer.usage);
    },
    stream: () => {
      const finished = new Map<number, string>();
      return {
        read(chunk) {
          tellUsage(operation, chunk.usage);
          if (asks?.() && chunk.usage === null) Reflect.deleteProperty(chunk, 'usage');
          for (const choice of listOf(chunk.choices)) {
            readDelta(operation, choice);
            const reason = stringOf(choice.finish_reason);
            if (reason !== undefined) finished.set(numberOf(choice.index) ?? 0, reason);
          }
          if (finished.size > 0) operation.response({ ...namesOf(chunk), finishReasons: [...finished.values()] });
        },
        isWhole: () => finished.size > 0,
        ...(asks && {
          hides: (chunk: Message) => asks() && listOf(chunk.choices).length === 0 && chunk.usage !== undefined,
        }),
      };
    },
  };
}

function readDelta(operation: ClientOperation, { delta, text }: Message): void {
  const told = objectOf(delta);
  const said = stringOf(told.content) ?? stringOf(text);
  if (said !== undefined) {
    operation.content(said);
    return;
  }
  const { refusal, reasoning_content: reasoning, tool_calls: tools, function_call: call } = told;
  if ((stringOf(refusal) ?? stringOf(reasoning) ?? listOf(tools)[0] ?? objectOf(call).name) !== undefined)
    operation.content();
}

function namesOf({ id, model }: Message): { id: string | undefined; model: string | undefined } {
  return { id: stringOf(id), model: stringOf(model) };
}

function reasonsOf(choices: readonly Message[]): string[] {
  return choices.flatMap(({ finish_reason: reason }) => stringOf(reason) ?? []);
}

function tellUsage(operation: ClientOperation, usage: unknown): void {
  const told = usageOf(usage);
  if (told !== undefined) operation.usage(told);
}

/** Cached tokens are a part of the prompt's, reasoning ones of the completion's. */
function usageOf(usage: unknown): Usage | undefined {
  // Most chunks have none.
  if (usage === null || usage === undefined) return undefined;
  const { prompt_tokens: input, completion_tokens: output, ...details } = objectOf(usage);
  const inputTokens = numberOf(input);
  if (inputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens: numberOf(output) ?? 0,
    cachedInputTokens: numberOf(objectOf(details.prompt_tokens_details).cached_tokens),
    cacheWriteTokens: numberOf(objectOf(details.prompt_tokens_details).cache_write_tokens),
    reasoningTokens: numberOf(objectOf(details.completion_tokens_details).reasoning_tokens),
  };
}

/** Responses on the wire: https://platform.openai.com/docs/api-reference/responses-streaming */
import type { ClientOperation } from '../operation.ts';
import { listOf, type Message, numberOf, objectOf, type ResultReader, stringOf } from './stainless.ts';

const SAYS =
  /^response\.(output_text|refusal|reasoning_(summary_)?text|(function|mcp)_call_arguments|custom_tool_call_input)\.delta$/;
const LAST: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** A response that failed by its own word: the SDK gives it like any other. */
class ResponseFailedError extends Error {
  override readonly name = 'ResponseFailedError';
  readonly code: string | undefined;
  constructor(code: string | undefined) {
    super('the response failed');
    this.code = code;
  }
}

export function responsesReader(operation: ClientOperation): ResultReader {
  return {
    whole: (answer) => readResponse(operation, answer),
    stream: () => {
      let whole = false;
      return {
        read(event) {
          const type = stringOf(event.type) ?? '';
          if (SAYS.test(type)) operation.content(type.startsWith('response.output_text') ? stringOf(event.delta) : '');
          if (type === 'error') operation.breakOff(new ResponseFailedError(stringOf(event.code)));
          if (!LAST.has(type)) return;
          whole = true;
          readResponse(operation, objectOf(event.response));
        },
        isWhole: () => whole,
      };
    },
  };
}

function readResponse(operation: ClientOperation, response: Message): void {
  const { input_tokens: input, output_tokens: output, ...details } = objectOf(response.usage);
  const inputTokens = numberOf(input);
  if (inputTokens !== undefined) {
    operation.usage({
      inputTokens,
      outputTokens: numberOf(output) ?? 0,
      cachedInputTokens: numberOf(objectOf(details.input_tokens_details).cached_tokens),
      cacheWriteTokens: numberOf(objectOf(details.input_tokens_details).cache_write_tokens),
      reasoningTokens: numberOf(objectOf(details.output_tokens_details).reasoning_tokens),
    });
  }
  const status = stringOf(response.status);
  const reason = stringOf(objectOf(response.incomplete_details).reason) ?? status;
  operation.response({
    id: stringOf(response.id),
    model: stringOf(response.model),
    finishReasons: reason ? [reason] : [],
  });
  operation.output(listOf(response.output));
  if (status === 'failed') operation.breakOff(new ResponseFailedError(stringOf(objectOf(response.error).code)));
}

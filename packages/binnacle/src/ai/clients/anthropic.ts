/** The official `@anthropic-ai/sdk`: messages, one operation a call, in place. */
import type { OperationInfo } from '../info.ts';
import type { ClientOperation, StartClientOperation } from '../operation.ts';
import type { AiClientKind } from './client.ts';
import {
  endpointOf,
  listOf,
  type Message,
  numberOf,
  objectOf,
  partOf,
  type ResultReader,
  stringOf,
  watchCall,
} from './stainless.ts';
import { guard, replace, signalFor } from './watched.ts';

/** Where messages are made; the helpers `stream()` and `parse()` go through them. */
const PATHS: readonly (readonly string[])[] = [['messages'], ['beta', 'messages']];

export const anthropicKind: AiClientKind = {
  name: 'Anthropic of "@anthropic-ai/sdk"',
  is: (client) =>
    'baseURL' in client && 'create' in (partOf(client, ['messages']) ?? {}) && partOf(client, ['chat']) === undefined,
  observe(client, start) {
    for (const path of PATHS) observeMessages(client, path, start);
  },
};

type Create = [body: Message, options?: Message];

function observeMessages(client: object, path: readonly string[], start: StartClientOperation): void {
  const owner = partOf(client, path);
  if (owner === undefined) return;
  replace<Create, unknown>(owner, 'create', (original) => (given, options) => {
    const body = objectOf(given);
    const operation = start(infoOf(client, body));
    guard(() => operation.input([body.system, body.messages].filter((part) => part !== undefined)));
    const signal = signalFor(objectOf(options).signal as AbortSignal | undefined);
    const more = signal === undefined ? options : { ...options, signal };
    try {
      return watchCall(
        operation,
        operation.run(() => original(given, more)),
        messageReader(operation),
      );
    } catch (error) {
      guard(() => operation.error(error));
      throw error;
    }
  });
}

function infoOf(client: object, body: Message): OperationInfo {
  const stops = body.stop_sequences;
  return {
    operation: 'chat',
    provider: providerOf(client),
    model: stringOf(body.model) ?? '',
    stream: body.stream === true,
    parameters: {
      temperature: numberOf(body.temperature),
      topP: numberOf(body.top_p),
      topK: numberOf(body.top_k),
      maxTokens: numberOf(body.max_tokens),
      stopSequences: Array.isArray(stops) ? stops.map(String) : undefined,
    },
    ...endpointOf((client as { baseURL?: unknown }).baseURL),
  };
}

/** Bedrock and Vertex have clients of their own, which speak the same. */
function providerOf(client: object): string {
  const maker = client.constructor?.name ?? '';
  if (maker.includes('Bedrock')) return 'aws.bedrock';
  return maker.includes('Vertex') ? 'gcp.vertex_ai' : 'anthropic';
}

/** https://docs.claude.com/en/docs/build-with-claude/streaming: usage is cumulative, and the whole ends in `message_stop`. */
function messageReader(operation: ClientOperation): ResultReader {
  return {
    whole(answer) {
      operation.output(listOf(answer.content));
      readMessage(operation, answer);
      tellUsage(operation, objectOf(answer.usage));
    },
    stream: () => {
      let usage: Message = {};
      let whole = false;
      return {
        read(event) {
          const message = objectOf(event.message);
          usage = { ...usage, ...withValues(objectOf(message.usage)), ...withValues(objectOf(event.usage)) };
          if (event.type === 'message_start') readMessage(operation, message);
          if (event.type === 'content_block_delta') readDelta(operation, objectOf(event.delta));
          if (event.type === 'message_delta') readMessage(operation, objectOf(event.delta));
          if (event.type === 'message_stop') whole = true;
          tellUsage(operation, usage);
        },
        isWhole: () => whole,
      };
    },
  };
}

function readDelta(operation: ClientOperation, { type, text }: Message): void {
  const said = stringOf(text);
  if (said !== undefined) operation.content(said);
  else if (type === 'input_json_delta') operation.content();
}

function readMessage(operation: ClientOperation, message: Message): void {
  const reason = stringOf(message.stop_reason);
  operation.response({
    id: stringOf(message.id),
    model: stringOf(message.model),
    ...(reason !== undefined && { finishReasons: [reason] }),
  });
}

/** Later events leave out, or give as null, what has not changed. */
function withValues(usage: Message): Message {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined));
}

/** `input_tokens` leaves cached ones out here; the conventions count them in. */
function tellUsage(operation: ClientOperation, usage: Message): void {
  const plain = numberOf(usage.input_tokens);
  if (plain === undefined) return;
  const cachedInputTokens = numberOf(usage.cache_read_input_tokens) ?? 0;
  const cacheWriteTokens = numberOf(usage.cache_creation_input_tokens) ?? 0;
  operation.usage({
    inputTokens: plain + cachedInputTokens + cacheWriteTokens,
    outputTokens: numberOf(usage.output_tokens) ?? 0,
    cachedInputTokens,
    cacheWriteTokens,
    reasoningTokens: numberOf(objectOf(usage.output_tokens_details).thinking_tokens),
  });
}

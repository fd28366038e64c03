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
  observeCreate,
  partOf,
  type ResultReader,
  stringOf,
} from './stainless.ts';
import { guard } from './watched.ts';

/** Where messages are made; the helpers `stream()` and `parse()` go through them. */
const PATHS: readonly (readonly string[])[] = [['messages'], ['beta', 'messages']];

export const anthropicKind: AiClientKind = {
  name: 'Anthropic of "@anthropic-ai/sdk"',
  is: (client) =>
    'baseURL' in client && 'create' in (partOf(client, ['messages']) ?? {}) && partOf(client, ['chat']) === undefined,
  observe(client, start) {
    guard(() => silence(client));
    for (const path of PATHS) observeMessages(client, path, start);
  },
};

/**
 * The SDK makes a span of each call by itself, which would tell of the same call again and count its tokens twice. It is left
 * where the host has handed the SDK a provider of its own.
 */
function silence(client: object): void {
  const { openTelemetry } = client as { readonly openTelemetry?: Message };
  if ('_tracer' in client && objectOf(openTelemetry).tracerProvider === undefined) client._tracer = undefined;
}

function observeMessages(client: object, path: readonly string[], start: StartClientOperation): void {
  const owner = partOf(client, path);
  if (owner === undefined) return;
  observeCreate(owner, (given) => {
    const operation = start(infoOf(client, given));
    guard(() => operation.input([given.system, given.messages].filter((part) => part !== undefined)));
    return { operation, reader: messageReader(operation) };
  });
}

function infoOf(client: object, body: Message): OperationInfo {
  const stops = body.stop_sequences;
  const endpoint = endpointOf((client as { baseURL?: unknown }).baseURL);
  return {
    operation: 'chat',
    provider: providerOf(client, endpoint.address),
    model: stringOf(body.model) ?? '',
    stream: body.stream === true,
    parameters: {
      temperature: numberOf(body.temperature),
      topP: numberOf(body.top_p),
      topK: numberOf(body.top_k),
      maxTokens: numberOf(body.max_tokens),
      stopSequences: Array.isArray(stops) ? stops.map(String) : undefined,
    },
    ...endpoint,
  };
}

/** Bedrock and Vertex have clients of their own, which speak the same; a bundler may have renamed them. */
function providerOf(client: object, host = ''): string {
  const maker = client.constructor?.name ?? '';
  if (maker.includes('Bedrock') || /(^|\.)bedrock[^/]*\.amazonaws\.com$/.test(host)) return 'aws.bedrock';
  return maker.includes('Vertex') || /aiplatform\.googleapis\.com$/.test(host) ? 'gcp.vertex_ai' : 'anthropic';
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
      const add = (more: unknown): void => {
        if (!more) return;
        usage = { ...usage, ...withValues(objectOf(more)) };
        tellUsage(operation, usage);
      };
      return {
        read(event) {
          const { type } = event;
          // Nearly all are of this one.
          if (type === 'content_block_delta') readDelta(operation, objectOf(event.delta));
          else if (type === 'message_start') readMessage(operation, objectOf(event.message));
          else if (type === 'message_delta') readMessage(operation, objectOf(event.delta));
          else if (type === 'message_stop') whole = true;
          // The first event and the last but one have any.
          if (event.message !== undefined) add(objectOf(event.message).usage);
          if (event.usage !== undefined) add(event.usage);
        },
        isWhole: () => whole,
      };
    },
  };
}

function readDelta(operation: ClientOperation, { type, text, thinking }: Message): void {
  const said = stringOf(text);
  if (said !== undefined) operation.content(said);
  else if (type === 'input_json_delta' || stringOf(thinking) !== undefined) operation.content();
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

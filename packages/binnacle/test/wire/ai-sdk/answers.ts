/**
 * What OpenAI's endpoints answer, held to the types that the `openai` package (6.49, Apache-2.0) publishes, with words and
 * figures of our own: for what the recorded streams of `../openai/` do not hold (cached and reasoning tokens that are not 0,
 * answers at once, embeddings, errors, words to look for in what leaves).
 */
import type OpenAI from 'openai';
import { sse, type WireAnswer } from '../replay.ts';

type Chunk = OpenAI.Chat.ChatCompletionChunk;
type Choice = Chunk['choices'][number];

export const USAGE: OpenAI.CompletionUsage = {
  prompt_tokens: 21,
  completion_tokens: 9,
  total_tokens: 30,
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 5 },
};
const HEAD = { id: 'chatcmpl-ours-7', created: 1_700_000_000, model: 'gpt-4o-2024-08-06' };

function event(choices: Choice[], usage?: OpenAI.CompletionUsage): string {
  const chunk: Chunk = { ...HEAD, object: 'chat.completion.chunk', choices, ...(usage && { usage }) };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

const says = (delta: Choice['delta']): string => event([{ index: 0, delta, finish_reason: null }]);
const ends = (reason: Choice['finish_reason']): string => event([{ index: 0, delta: {}, finish_reason: reason }]);
const DONE = 'data: [DONE]\n\n';

/** An answer in words, a chunk each; its last three events are the finish reason, the usage and the end. */
export function textEvents(...words: readonly string[]): string[] {
  const said = words.map((content, i) => says(i === 0 ? { role: 'assistant', content } : { content }));
  return [...said, ends('stop'), event([], USAGE), DONE];
}

/** Asks for a tool, its arguments in two pieces. */
export function toolEvents(name: string, id: string, args: readonly [string, string]): string[] {
  const call = { index: 0, id, type: 'function' as const, function: { name, arguments: '' } };
  const more = args.map((part) => says({ tool_calls: [{ index: 0, function: { arguments: part } }] }));
  return [says({ role: 'assistant', tool_calls: [call] }), ...more, ends('tool_calls'), event([], USAGE), DONE];
}

export const text = (...words: readonly string[]): WireAnswer => sse(textEvents(...words));

/** An error in the middle of a stream, as the API's own clients take it. */
export const errorEvent = (message: string): string =>
  `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code: 'overloaded' } })}\n\n`;

export function json(body: object, status = 200, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, pieces: [JSON.stringify(body)] };
}

/** The same, not streamed. */
export function whole(content: string): WireAnswer {
  return completion({ role: 'assistant', content, refusal: null }, 'stop');
}

export function asksFor(name: string): WireAnswer {
  const call = { id: 'call-1', type: 'function' as const, function: { name, arguments: '{}' } };
  return completion({ role: 'assistant', content: null, refusal: null, tool_calls: [call] }, 'tool_calls');
}

function completion(message: OpenAI.Chat.ChatCompletionMessage, reason: 'stop' | 'tool_calls'): WireAnswer {
  const choices = [{ index: 0, message, finish_reason: reason, logprobs: null }];
  return json({ ...HEAD, object: 'chat.completion', choices, usage: USAGE } satisfies OpenAI.Chat.ChatCompletion);
}

export function embeddings(count: number, tokens: number): WireAnswer {
  const data = Array.from({ length: count }, (_, index) => ({ object: 'embedding' as const, index, embedding: [0.1] }));
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  const body: OpenAI.CreateEmbeddingResponse = { object: 'list', model: 'text-embedding-3-small', data, usage };
  return json(body);
}

export const tooMany = (message: string): WireAnswer =>
  json({ error: { message, type: 'requests', param: null, code: 'rate_limit_exceeded' } }, 429, {
    'retry-after': '0',
    'retry-after-ms': '1',
  });

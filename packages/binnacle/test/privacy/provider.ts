/** What the SDKs ask: answers by the model's name, in each provider's shape, and whatever else is asked of a service. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Asked, mark } from './marks.ts';

export interface Provider {
  readonly url: string;
  /** Requests as they came: line, headers and body. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const received: string[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const piece of req.setEncoding('utf8')) body += piece as string;
    received.push(`${req.url}\n${JSON.stringify(req.headers)}\n${body}`);
    answer(req, body, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(req: IncomingMessage, body: string, res: ServerResponse): void {
  const sdk = wireOf(req.url ?? '');
  const model = /"model":"(\w+)"/.exec(body)?.[1] ?? /models\/(\w+)/.exec(req.url ?? '')?.[1];
  if (sdk === undefined) {
    res.writeHead(500, { 'x-said': mark('response-header') }).end(mark('other-answer'));
    return;
  }
  if (model === 'limited') {
    const error = { type: mark('error-type'), code: mark('error-code'), status: mark('status'), message: mark('429') };
    res
      .writeHead(429, { 'content-type': 'application/json', 'x-said': mark('response-header') })
      .end(JSON.stringify({ type: 'error', error }));
    return;
  }
  const { events, error } = WIRES[sdk];
  res.writeHead(200, { 'content-type': 'text/event-stream', 'x-said': mark('response-header') });
  for (const event of model === 'whole' ? events : events.slice(0, 2)) res.write(toWire(event));
  if (model === 'broken') res.write(toWire(error));
  res.end();
}

/** What stands on others' SDKs speaks as they do. */
type Wire = Exclude<Asked['sdk'], 'ai-sdk' | 'langchain'>;

function wireOf(path: string): Wire | undefined {
  const known = [
    [/^\/v1\/chat\/completions/, 'chat'],
    [/^\/v1\/responses/, 'responses'],
    [/^\/v1\/messages/, 'messages'],
    [/:streamGenerateContent/, 'google'],
  ] as const;
  return known.find(([pattern]) => pattern.test(path))?.[1];
}

type Event = Readonly<Record<string, unknown>>;

function toWire(event: Event): string {
  const name = typeof event.type === 'string' ? `event: ${event.type}\n` : '';
  return `${name}data: ${JSON.stringify(event)}\n\n`;
}

const chunk = (delta: object, more: object = {}): Event => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'whole',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const call = { index: 0, id: 'call-1', type: 'function', function: { name: 'search', arguments: mark('arguments') } };
const response = { id: 'resp_1', object: 'response', model: 'whole', output: [], usage: null };
const candidate = (part: object, more: object = {}): Event => ({
  candidates: [{ content: { parts: [part], role: 'model' }, ...more }],
  modelVersion: 'whole',
  responseId: 'google-1',
});

/** Each ends whole; the last of the first two says something already. */
const WIRES: Readonly<Record<Wire, { readonly events: readonly Event[]; readonly error: Event }>> = {
  chat: {
    events: [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: mark('answer') }),
      chunk({ refusal: mark('refusal') }),
      chunk({ tool_calls: [call] }),
      chunk({}, { finish_reason: 'tool_calls' }),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
    ],
    error: { error: { message: mark('mid-stream'), type: mark('error-type'), code: mark('error-code') } },
  },
  responses: {
    events: [
      { type: 'response.created', response },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: mark('answer'),
      },
      {
        type: 'response.completed',
        response: {
          ...response,
          status: 'completed',
          output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: mark('answer') }] }],
          usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
        },
      },
    ],
    error: { type: 'error', code: mark('error-code'), message: mark('mid-stream'), param: mark('param') },
  },
  messages: {
    events: [
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'whole',
          content: [],
          usage: { input_tokens: 3, output_tokens: 1 },
        },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: mark('answer') } },
      { type: 'content_block_delta', index: 1, delta: { type: 'thinking_delta', thinking: mark('thinking') } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: mark('arguments') } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ],
    error: { type: 'error', error: { type: mark('error-type'), message: mark('mid-stream') } },
  },
  google: {
    events: [
      candidate({ text: mark('answer') }),
      candidate({ functionCall: { name: 'search', args: { q: mark('arguments') } } }),
      {
        ...candidate({ text: '.' }, { finishReason: 'STOP' }),
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
      },
    ],
    error: { error: { code: 403, message: mark('mid-stream'), status: mark('status') } },
  },
};

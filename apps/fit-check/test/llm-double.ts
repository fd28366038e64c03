/** An endpoint that speaks OpenAI Chat Completions over a real socket, and does as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export type Behaviour =
  /** Answers `chunks`, one each `paceMs` milliseconds (all at once unless told), says its usage, and ends. */
  | { readonly kind: 'answer'; readonly chunks?: readonly string[]; readonly usage?: boolean; readonly paceMs?: number }
  /** Sends one chunk, then nothing until `release`. */
  | { readonly kind: 'hold' }
  /** Sends one chunk and closes without a finish reason. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** Refuses, and quotes the whole prompt in what it says, with the refusal's status or as an event of its answer. */
  | { readonly kind: 'quote'; readonly as: 'status' | 'event' }
  /** Accepts the request and never answers. */
  | { readonly kind: 'silent' }
  /** Does the first for this request, the rest for those that follow. */
  | { readonly kind: 'then'; readonly first: Behaviour; readonly rest: Behaviour };

export interface LlmDouble {
  readonly url: string;
  behaviour: Behaviour;
  /** Bodies of the requests so far. */
  readonly requests: readonly { body: Record<string, unknown>; headers: IncomingMessage['headers'] }[];
  /** Requests whose caller went away before the answer was whole. */
  readonly aborted: number;
  /** Lets held answers go on. */
  release(): void;
  close(): Promise<void>;
}

export async function startLlm(behaviour: Behaviour = { kind: 'answer' }): Promise<LlmDouble> {
  const requests: LlmDouble['requests'][number][] = [];
  let aborted = 0;
  let held: (() => void)[] = [];
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req.setEncoding('utf8')) text += chunk as string;
    requests.push({ body: JSON.parse(text) as Record<string, unknown>, headers: req.headers });
    res.once('close', () => {
      if (!res.writableFinished) aborted += 1;
    });
    const { behaviour } = double;
    if (behaviour.kind === 'then') double.behaviour = behaviour.rest;
    const told = behaviour.kind === 'then' ? behaviour.first : behaviour;
    if (told.kind === 'quote') {
      quote(told.as, text, res);
      return;
    }
    await answer(told, res, () => new Promise((resolve) => held.push(resolve)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const double: LlmDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    behaviour,
    requests,
    get aborted() {
      return aborted;
    },
    release: () => {
      for (const resolve of held) resolve();
      held = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return double;
}

function quote(as: 'status' | 'event', prompt: string, res: ServerResponse): void {
  const error = { error: { message: `this prompt is refused: ${prompt}`, type: 'invalid_request_error', code: null } };
  if (as === 'status') {
    res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error));
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${JSON.stringify(error)}\n\n`);
}

async function answer(
  behaviour: Exclude<Behaviour, { kind: 'quote' }>,
  res: ServerResponse,
  hold: () => Promise<void>,
): Promise<void> {
  if (behaviour.kind === 'silent') return;
  if (behaviour.kind === 'status') {
    const retry = behaviour.retryAfter === undefined ? {} : { 'retry-after': behaviour.retryAfter };
    res
      .writeHead(behaviour.status, { 'content-type': 'application/json', ...retry })
      .end(JSON.stringify({ error: { message: 'told to fail' } }));
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choice: object, usage?: object): void =>
    void res.write(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'double-1', choices: [choice], usage: usage ?? null })}\n\n`,
    );
  const say = (content: string): void => send({ index: 0, delta: { content }, finish_reason: null });
  const chunks = behaviour.kind === 'answer' ? (behaviour.chunks ?? ['A fit ', '[work:1] ', '[query:1].']) : ['A fit '];
  const paceMs = behaviour.kind === 'answer' ? behaviour.paceMs : undefined;
  for (const chunk of chunks) {
    if (paceMs !== undefined) await wait(paceMs);
    // The caller may go away within a paced answer.
    if (res.destroyed) return;
    say(chunk);
  }
  if (behaviour.kind === 'cut') {
    res.end();
    return;
  }
  if (behaviour.kind === 'hold') await hold();
  send({ index: 0, delta: {}, finish_reason: 'stop' });
  if (behaviour.kind !== 'answer' || behaviour.usage !== false) {
    const usage = { prompt_tokens: 120, completion_tokens: 8, total_tokens: 128 };
    res.write(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'double-1', choices: [], usage })}\n\n`,
    );
  }
  res.end('data: [DONE]\n\n');
}

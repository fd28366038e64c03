/** The SDKs of OpenAI and Anthropic, real, over real sockets, against streams in their providers' shape, with words and figures of our own. */
import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { anthropicKind } from './anthropic.ts';
import { openAiKind } from './openai.ts';
import { collect, cutAt, type Observed, observeClient } from './wire.test-helper.ts';

const KINDS = [openAiKind, anthropicKind];
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Items = Promise<AsyncIterable<unknown>>;
type Ask = (url: string, observe: boolean) => { observed: Observed | undefined; ask(): Items };

const openAi = (url: string, observe: boolean) => {
  const client = new OpenAI({ apiKey: 'sk-secret-key', baseURL: `${url}/v1`, maxRetries: 1 });
  return { client, observed: observe ? observeClient(client, KINDS) : undefined };
};
const anthropic = (url: string, observe: boolean) => {
  const client = new Anthropic({ apiKey: 'sk-secret-key', baseURL: url, maxRetries: 1 });
  return { client, observed: observe ? observeClient(client, KINDS) : undefined };
};
const MESSAGES = [{ role: 'user' as const, content: 'marker-7781' }];
const chat: Ask = (url, observe) => {
  const { client, observed } = openAi(url, observe);
  const body = { model: 'gpt-4o', messages: MESSAGES, stream: true as const };
  return { observed, ask: async () => client.chat.completions.create(body) };
};
const responses: Ask = (url, observe) => {
  const { client, observed } = openAi(url, observe);
  return {
    observed,
    ask: async () => client.responses.create({ model: 'gpt-4o', input: 'marker-7781', stream: true }),
  };
};
const messages: Ask = (url, observe) => {
  const { client, observed } = anthropic(url, observe);
  const body = { model: 'claude-opus-4-8', max_tokens: 99, messages: MESSAGES, stream: true as const };
  return { observed, ask: async () => client.messages.create(body) };
};

interface Wire {
  readonly fixture: string;
  readonly ask: Ask;
  readonly name: string;
  /** What the wire says. */
  readonly says: Readonly<Record<string, unknown>>;
}
const GPT = { 'gen_ai.provider.name': 'openai', 'gen_ai.response.model': 'gpt-4o-2024-08-06' };
const tokens = (input: number, output: number, more: object = {}) => ({
  'gen_ai.usage.input_tokens': input,
  'gen_ai.usage.output_tokens': output,
  ...more,
});
const WIRES: readonly Wire[] = [
  {
    fixture: 'openai/structured.sse',
    ask: chat,
    name: 'chat gpt-4o',
    says: {
      ...GPT,
      ...tokens(23, 9),
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.id': 'chatcmpl-ours-1',
    },
  },
  {
    fixture: 'openai/refusal.sse',
    ask: chat,
    name: 'chat gpt-4o',
    says: { ...GPT, ...tokens(21, 8), 'gen_ai.response.finish_reasons': ['stop'] },
  },
  {
    fixture: 'openai/responses.sse',
    ask: responses,
    name: 'chat gpt-4o',
    says: {
      ...GPT,
      ...tokens(14, 5, { 'gen_ai.usage.cache_read.input_tokens': 6, 'gen_ai.usage.reasoning.output_tokens': 2 }),
      'gen_ai.response.id': 'resp_ours_1',
    },
  },
  {
    fixture: 'anthropic/text.sse',
    ask: messages,
    name: 'chat claude-opus-4-8',
    says: {
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.response.model': 'claude-opus-4-8',
      'gen_ai.response.id': 'msg_ours_1',
      'gen_ai.response.finish_reasons': ['end_turn'],
      'gen_ai.request.max_tokens': 99,
      ...tokens(13, 7),
    },
  },
  {
    fixture: 'anthropic/tools.sse',
    ask: messages,
    name: 'chat claude-opus-4-8',
    says: {
      ...tokens(400, 41, {
        'gen_ai.usage.cache_read.input_tokens': 50,
        'gen_ai.usage.cache_creation.input_tokens': 40,
      }),
      'gen_ai.response.finish_reasons': ['tool_use'],
    },
  },
  {
    fixture: 'anthropic/max-tokens.sse',
    ask: messages,
    name: 'chat claude-opus-4-8',
    says: {
      ...tokens(220, 99),
      'gen_ai.response.finish_reasons': ['max_tokens'],
      'gen_ai.response.model': 'claude-sonnet-4-5',
    },
  },
  {
    fixture: 'anthropic/refusal.sse',
    ask: messages,
    name: 'chat claude-opus-4-8',
    says: {
      ...tokens(31, 52, { 'gen_ai.usage.reasoning.output_tokens': 33 }),
      'gen_ai.response.finish_reasons': ['refusal'],
    },
  },
];

async function replay(...answers: WireAnswer[]): Promise<Replay> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  return server;
}

async function run(wire: Wire, answer: WireAnswer, observe: boolean) {
  const server = await replay(answer);
  const { observed, ask } = wire.ask(server.url, observe);
  const asked = async () => collect(await ask());
  const got = await (observed === undefined ? asked() : observed.request(asked)).catch((error: unknown) => ({
    items: [],
    error,
  }));
  return { server, observed: observed as Observed, ...got };
}

const model = (wire: Wire): string => wire.name.split(' ')[1] ?? '';

describe.each(WIRES)('$fixture', (wire) => {
  const events = readWire(wire.fixture);

  test('whole: tokens, reasons, names as the wire says them, and its reader sees what a bare SDK gives', async () => {
    const { observed, items, server } = await run(wire, sse(events), true);
    const bare = await run(wire, sse(events), false);
    expect(items).toEqual(bare.items);
    expect(items.length).toBeGreaterThan(2);
    expect(observed.told()).toMatchObject({ name: wire.name, status: 0, attributes: wire.says });
    expect(await observed.calls(model(wire))).toEqual([1, 0, 0]);
    expect(server.requests.map(({ body }) => body)).toEqual(bare.server.requests.map(({ body }) => body));
    const everything = JSON.stringify([observed.told(), observed.signals.lines, await observed.signals.scrape()]);
    expect(everything).not.toMatch(/marker-7781|sk-secret-key/);
  });

  test('cut before its end: a failure of ours, while its reader sees what a bare SDK gives', async () => {
    const cut = events.slice(0, 3);
    const { observed, items, error } = await run(wire, sse(cut), true);
    const bare = await run(wire, sse(cut), false);
    expect([items, String(error)]).toEqual([bare.items, String(bare.error)]);
    expect(await observed.calls(model(wire))).toEqual([0, 1, 0]);
    expect(observed.told().attributes['error.type']).toBe('IncompleteStreamError');
  });

  test('reset in the middle, as an error', async () => {
    const { observed, items, error } = await run(wire, sse(events.slice(0, 3), 'reset'), true);
    const bare = await run(wire, sse(events.slice(0, 3), 'reset'), false);
    expect([items, String(error)]).toEqual([bare.items, String(bare.error)]);
    expect(await observed.calls(model(wire))).toEqual([0, 1, 0]);
  });

  test('left by its client after each item: cancelled once, and the provider hears of it at once', async () => {
    for (let taken = 1; taken < Math.min(events.length - 2, 8); taken += 1) {
      const server = await replay(sse(events.slice(0, -2), 'hold'));
      const { observed, ask } = wire.ask(server.url, true);
      if (observed === undefined) throw new Error('not observed');
      let leftAt = 0;
      await observed.request(async () => {
        let seen = 0;
        for await (const _ of await ask()) {
          seen += 1;
          if (seen !== taken) continue;
          leftAt = performance.now();
          observed.leave();
        }
      });
      await until(() => server.aborts.length === 1);
      expect((server.aborts[0] ?? Infinity) - leftAt).toBeLessThan(100);
      expect(await observed.calls(model(wire))).toEqual([0, 0, 1]);
      expect(observed.told().attributes['error.type']).toBe('cancelled');
    }
  });

  test('left by its own reader: cancelled', async () => {
    const server = await replay(sse(events.slice(0, -2), 'hold'));
    const { observed, ask } = wire.ask(server.url, true);
    for await (const _ of await ask()) break;
    expect(await observed?.calls(model(wire))).toEqual([0, 0, 1]);
  });

  test('however its bytes are cut, and however it ends: one ending, and the items of a bare SDK', async () => {
    const text = events.join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(text.length), { maxLength: 12 }),
        fc.constantFrom<WireAnswer['then']>('end', 'reset'),
        fc.nat(text.length),
        async (places, then, length) => {
          const answer = sse(cutAt(text.slice(0, Math.max(1, length)), places), then);
          const { observed, items } = await run(wire, answer, true);
          const bare = await run(wire, answer, false);
          if (then === 'end') expect(items).toEqual(bare.items);
          const counts = await observed.calls(model(wire));
          expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
          expect(observed.told().name).toBe(wire.name);
        },
      ),
      { numRuns: 15 },
    );
  });
});

async function until(ready: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!ready()) {
    if (performance.now() > deadline) throw new Error('not within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('what goes wrong before an answer', () => {
  const [wire] = WIRES as [Wire];
  const busy: WireAnswer = {
    status: 429,
    headers: { 'content-type': 'application/json', 'retry-after-ms': '1' },
    pieces: ['{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}'],
  };

  test('429 and a retry is one operation', async () => {
    const server = await replay(busy, sse(readWire(wire.fixture)));
    const { observed, ask } = wire.ask(server.url, true);
    expect((await collect(await ask())).items.length).toBeGreaterThan(2);
    expect(server.requests).toHaveLength(2);
    expect(await observed?.calls('gpt-4o')).toEqual([1, 0, 0]);
  });

  test('an error is the SDK’s own, and recorded by its status', async () => {
    const server = await replay(busy);
    const { observed, ask } = wire.ask(server.url, true);
    await expect(ask()).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    expect(observed?.told()).toMatchObject({ status: 2, attributes: { 'error.type': '429' } });
    expect(await observed?.calls('gpt-4o')).toEqual([0, 1, 0]);
  });

  test('an error event in the middle of a stream', async () => {
    const event =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"All hands are busy"}}\n\n';
    const server = await replay(sse([...readWire('anthropic/text.sse').slice(0, 4), event]));
    const { observed, ask } = messages(server.url, true);
    const { error } = await collect(await ask());
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(await observed?.calls('claude-opus-4-8')).toEqual([0, 1, 0]);
  });
});

describe('the SDKs’ own ways stay', () => {
  const completion = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi', refusal: null } }],
    usage: {
      prompt_tokens: 19,
      completion_tokens: 10,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 4 },
    },
  };
  const json = (body: object): WireAnswer => ({
    headers: { 'content-type': 'application/json' },
    pieces: [JSON.stringify(body)],
  });
  const ask = { model: 'gpt-4o', messages: MESSAGES };

  test('withResponse, asResponse, parse and the stream helper, each one operation', async () => {
    const whole = json(completion);
    const server = await replay(whole, whole, whole, sse(readWire('openai/structured.sse')));
    const { client, observed } = openAi(server.url, true);
    const { data, response } = await client.chat.completions.create(ask).withResponse();
    expect([data, response.status]).toEqual([completion, 200]);
    expect((await client.chat.completions.create(ask).asResponse()).status).toBe(200);
    expect((await client.chat.completions.parse(ask)).choices[0]?.message.parsed).toBeNull();
    const runner = client.chat.completions.stream(ask);
    expect((await runner.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await observed?.calls('gpt-4o')).toEqual([4, 0, 0]);
    expect(observed?.signals.ended()[0]?.attributes).toMatchObject({
      ...tokens(19, 10),
      'gen_ai.usage.cache_read.input_tokens': 8,
      'gen_ai.usage.reasoning.output_tokens': 4,
    });
  });

  test('embeddings', async () => {
    const server = await replay(
      json({
        object: 'list',
        model: 'text-embedding-3-small',
        data: [{ index: 0, embedding: [0.1] }],
        usage: { prompt_tokens: 8, total_tokens: 8 },
      }),
    );
    const { client, observed } = openAi(server.url, true);
    await client.embeddings.create({
      model: 'text-embedding-3-small',
      input: 'marker',
      encoding_format: 'float',
      dimensions: 1,
    });
    expect(observed?.told()).toMatchObject({
      name: 'embeddings text-embedding-3-small',
      attributes: { 'gen_ai.embeddings.dimension.count': 1, 'gen_ai.usage.input_tokens': 8 },
    });
  });

  test('the usage of a stream is asked for where its caller did not, and stays unseen by it', async () => {
    const events = readWire('openai/structured.sse');
    const without = events.filter((event) => !event.includes('"usage"'));
    expect(without).toHaveLength(events.length - 1);
    const server = await replay(sse(events), sse(without));
    const client = (): OpenAI =>
      new OpenAI({
        apiKey: 'k',
        fetch: (url, init) => fetch(String(url).replace('https://api.openai.com', server.url), init),
      });
    const observed = client();
    const { told } = observeClient(observed, KINDS);
    const seen = await collect(await observed.chat.completions.create({ ...ask, stream: true }));
    const bare = await collect(await client().chat.completions.create({ ...ask, stream: true }));
    expect(server.requests[0]?.body.stream_options).toEqual({ include_usage: true });
    expect(seen.items).toEqual(bare.items);
    expect(told().attributes).toMatchObject(tokens(23, 9));
  });

  test('a tee of a stream is read once by us', async () => {
    const server = await replay(sse(readWire('openai/structured.sse')));
    const { client, observed } = openAi(server.url, true);
    const [left, right] = (await client.chat.completions.create({ ...ask, stream: true })).tee();
    const both = await Promise.all([collect(left), collect(right)]);
    expect(both[0].items).toEqual(both[1].items);
    expect(await observed?.calls('gpt-4o')).toEqual([1, 0, 0]);
  });

  test('what is no client is refused, with what is one', () => {
    expect(() => observeClient({}, KINDS)).toThrow(/OpenAI.*Anthropic.*it was given Object/);
  });
});

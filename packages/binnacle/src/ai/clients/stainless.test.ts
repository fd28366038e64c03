/** The SDKs of OpenAI and Anthropic, real, over real sockets, against what their providers say on the wire. */
import { AsyncLocalStorage } from 'node:async_hooks';
import Anthropic from '@anthropic-ai/sdk';
import { trace } from '@opentelemetry/api';
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { isReported } from '../../drivers/client.test-helper.ts';
import { observeUndici } from '../../drivers/undici.ts';
import { anthropicKind } from './anthropic.ts';
import { middleOf } from './observed.test-helper.ts';
import { openAiKind } from './openai.ts';
import { replace } from './watched.ts';
import { attemptsOf, collect, cutAt, type Observed, observeClient } from './wire.test-helper.ts';

const KINDS = [openAiKind, anthropicKind];
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Ask = (
  url: string,
  observe: boolean,
  options?: { readonly signal?: AbortSignal; readonly fetch?: typeof fetch },
) => { observed: Observed | undefined; ask(): Promise<AsyncIterable<unknown>> };

const openAi = (url: string, observe: boolean, own: typeof fetch | undefined) => {
  const client = new OpenAI({ apiKey: 'sk-secret-key', baseURL: `${url}/v1`, maxRetries: 1, fetch: own });
  return { client, observed: observe ? observeClient(client, KINDS) : undefined };
};
const MESSAGES = [{ role: 'user' as const, content: 'marker-7781' }];
const chat: Ask = (url, observe, { fetch: own, ...options } = {}) => {
  const { client, observed } = openAi(url, observe, own);
  const body = { model: 'm1', messages: MESSAGES, stream: true as const, stream_options: { include_usage: true } };
  return { observed, ask: async () => client.chat.completions.create(body, options) };
};
const responses: Ask = (url, observe, { fetch: own, ...options } = {}) => {
  const { client, observed } = openAi(url, observe, own);
  const body = { model: 'm1', input: 'marker-7781', stream: true as const };
  return { observed, ask: async () => client.responses.create(body, options) };
};
const messages: Ask = (url, observe, { fetch: own, ...options } = {}) => {
  const client = new Anthropic({ apiKey: 'sk-secret-key', baseURL: url, maxRetries: 1, fetch: own });
  const body = { model: 'm1', max_tokens: 99, messages: MESSAGES, stream: true as const };
  return {
    observed: observe ? observeClient(client, KINDS) : undefined,
    ask: async () => client.messages.create(body, options),
  };
};

interface Wire {
  readonly fixture: string;
  readonly ask: Ask;
  /** What the wire says: tokens, reasons, model, id. */
  readonly says: Readonly<Record<string, unknown>>;
}
const says = (input: number, output: number, reason: string, model: string, id: string, more: object = {}) => ({
  'gen_ai.usage.input_tokens': input,
  'gen_ai.usage.output_tokens': output,
  'gen_ai.response.finish_reasons': [reason],
  'gen_ai.response.model': model,
  'gen_ai.response.id': id,
  ...more,
});
const REASONING = 'gen_ai.usage.reasoning.output_tokens';
const CACHE_READ = 'gen_ai.usage.cache_read.input_tokens';
const CACHE_WRITE = 'gen_ai.usage.cache_creation.input_tokens';
const GPT_5 = 'gpt-5.2-2025-12-11';
const GPT_4O = 'gpt-4o-2024-08-06';
const WIRES: readonly Wire[] = [
  {
    fixture: 'openai/text.sse',
    ask: chat,
    says: says(12, 5, 'stop', 'gpt-4-0613', 'chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl', {
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.stream': true,
      'server.address': '127.0.0.1',
    }),
  },
  {
    fixture: 'openai/tools.sse',
    ask: chat,
    says: says(75, 51, 'tool_calls', 'gpt-4o-mini-2024-07-18', 'chatcmpl-ASYMbACebDoWcuraMEWQhU48q4dAp'),
  },
  {
    fixture: 'openai/structured.sse',
    ask: chat,
    says: says(62, 5, 'stop', GPT_4O, 'chatcmpl-D7TizYTgMM4izexCX65MQOBtuUlTD'),
  },
  {
    fixture: 'openai/refusal.sse',
    ask: chat,
    says: says(64, 13, 'stop', GPT_4O, 'chatcmpl-CoDWxLsl1kVbpr74j0IN577ELqIIt'),
  },
  {
    fixture: 'openai/responses.sse',
    ask: responses,
    says: says(100, 19, 'completed', GPT_5, 'resp_029d9e2b7350eaff0069ad6b7d556c8191ae5651cfed963a80'),
  },
  {
    fixture: 'openai/responses-tools.sse',
    ask: responses,
    says: says(53, 33, 'completed', GPT_5, 'resp_029d9e2b7350eaff0069ad6b7b86808191bbf237459edcedee', {
      [REASONING]: 10,
    }),
  },
  {
    fixture: 'openai/responses-refusal.sse',
    ask: responses,
    says: says(54, 11, 'completed', GPT_4O, 'resp_05f46fd4032c869b0068f966cb89248197969af833ea7a7e33'),
  },
  {
    fixture: 'openai/responses-incomplete.sse',
    ask: responses,
    says: says(
      18,
      16,
      'max_output_tokens',
      'gpt-4o-mini-2024-07-18',
      'resp_04b3a279f6e72eb000690e02baa5c48191bd32bb8b3d375529',
    ),
  },
  {
    fixture: 'anthropic/text.sse',
    ask: messages,
    says: says(11, 6, 'end_turn', 'claude-3-opus-latest', 'msg_4QpJur2dWWDjF6C758FbBw5vm12BaVipnK', {
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.max_tokens': 99,
    }),
  },
  {
    fixture: 'anthropic/tools.sse',
    ask: messages,
    says: says(377, 65, 'tool_use', 'claude-sonnet-4-20250514', 'msg_019Q1hrJbZG26Fb9BQhrkHEr'),
  },
  {
    fixture: 'anthropic/thinking.sse',
    ask: messages,
    says: says(171, 107, 'end_turn', 'claude-sonnet-4-20250514', 'msg_011KMeq28e9hx61PDujBbLjL'),
  },
  {
    fixture: 'anthropic/cached.sse',
    ask: messages,
    says: says(25 + 10 + 5, 8, 'end_turn', 'claude-sonnet-4-5', 'msg_01MessageDeltaOmitted00000001', {
      [CACHE_READ]: 5,
      [CACHE_WRITE]: 10,
    }),
  },
  {
    fixture: 'anthropic/max-tokens.sse',
    ask: messages,
    says: says(450, 124, 'max_tokens', 'claude-3-7-sonnet-20250219', 'msg_01UdjYBBipA9omjYhicnevgq'),
  },
  {
    fixture: 'anthropic/refusal.sse',
    ask: messages,
    says: says(20, 0, 'refusal', 'claude-opus-4-7', 'msg_01RefusalTestMessage123456789'),
  },
];
/** The event that says that a stream is whole. */
const WHOLE = /"finish_reason":"|"type":"response\.(completed|incomplete)"|"message_stop"/;

async function replay(...answers: WireAnswer[]): Promise<Replay> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  return server;
}

/** What a reader gets, byte for byte, and what it ends with. */
async function run(wire: Wire, answer: WireAnswer, observe: boolean) {
  const server = await replay(answer);
  const { observed, ask } = wire.ask(server.url, observe);
  const asked = async () => collect(await ask());
  const { items, error } = await (observed === undefined ? asked() : observed.request(asked)).catch(
    (thrown: unknown) => ({ items: [], error: thrown }),
  );
  return { server, observed: observed as Observed, seen: JSON.stringify(items), items, error: String(error) };
}

describe.each(WIRES)('$fixture', (wire) => {
  const events = readWire(wire.fixture);
  const finish = events.findIndex((event) => WHOLE.test(event));

  test('whole: tokens, reasons, names as the wire says them, and its reader sees what a bare SDK gives', async () => {
    const { observed, seen, items, server } = await run(wire, sse(events), true);
    const bare = await run(wire, sse(events), false);
    expect(seen).toBe(bare.seen);
    expect(items.length).toBeGreaterThan(3);
    expect(observed.told()).toMatchObject({ name: 'chat m1', status: 0, attributes: wire.says });
    // A subset of none is not told of.
    for (const subset of [REASONING, CACHE_READ, CACHE_WRITE])
      expect(observed.told().attributes[subset]).toBe(wire.says[subset]);
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
    expect(server.requests.map(({ body }) => body)).toEqual(bare.server.requests.map(({ body }) => body));
    const scrape = await observed.signals.scrape();
    expect(countOf(scrape, 'time_to_first_chunk')).toBe(1);
    expect(countOf(scrape, 'time_per_output_chunk')).toBe(items.length - 1);
    const everything = JSON.stringify([observed.told(), observed.signals.lines, scrape]);
    expect(everything).not.toMatch(/marker-7781|sk-secret-key/);
  });

  test('cut after each event: a failure of ours until it is whole, while its reader sees what a bare SDK gives', async () => {
    expect(finish).toBeGreaterThan(0);
    for (let sent = 0; sent <= events.length; sent += 1) {
      const { observed, seen, error } = await run(wire, sse(events.slice(0, sent)), true);
      const bare = await run(wire, sse(events.slice(0, sent)), false);
      expect([seen, error]).toEqual([bare.seen, bare.error]);
      const whole = sent > finish;
      expect([sent, await observed.calls('m1')]).toEqual([sent, whole ? [1, 0, 0] : [0, 1, 0]]);
      expect(observed.told().attributes['error.type']).toBe(whole ? undefined : 'IncompleteStreamError');
    }
  });

  test('reset in the middle, as an error', async () => {
    const { observed, error } = await run(wire, sse(events.slice(0, 3), 'reset'), true);
    const bare = await run(wire, sse(events.slice(0, 3), 'reset'), false);
    expect(error).toBe(bare.error);
    expect(await observed.calls('m1')).toEqual([0, 1, 0]);
    expect(observed.told().attributes['error.type']).not.toBe('IncompleteStreamError');
  });

  test('left by its client after each item: cancelled once, and the provider hears of it at once', async () => {
    const sent = events.slice(0, finish);
    const { items } = await run(wire, sse(sent), false);
    const delays: number[] = [];
    for (let taken = 1; taken <= items.length; taken += 1) {
      const server = await replay(sse(sent, 'hold'));
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
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect([taken, await observed.calls('m1')]).toEqual([taken, [0, 0, 1]]);
      expect(observed.told()).toMatchObject({ status: 0, attributes: { 'error.type': 'cancelled' } });
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });

  test('left by its own reader after each item: cancelled, unless it has said that it is whole', async () => {
    const { items } = await run(wire, sse(events), false);
    const last = items.findIndex((item) => WHOLE.test(JSON.stringify(item)));
    for (let taken = 1; taken <= items.length; taken += 1) {
      const server = await replay(sse(events, 'hold'));
      const { observed, ask } = wire.ask(server.url, true);
      let seen = 0;
      for await (const _ of await ask()) {
        seen += 1;
        if (seen === taken) break;
      }
      await until(() => server.aborts.length === 1);
      expect([taken, await observed?.calls('m1')]).toEqual([taken, taken > last ? [1, 0, 0] : [0, 0, 1]]);
    }
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
          const { observed, seen, error } = await run(wire, answer, true);
          const bare = await run(wire, answer, false);
          // What of it arrives before a reset is the network's to say.
          if (then === 'end') expect([seen, error]).toEqual([bare.seen, bare.error]);
          const counts = await observed.calls('m1');
          expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
          expect(observed.told().name).toBe('chat m1');
        },
      ),
      { numRuns: 15 },
    );
  });
});

function countOf(scrape: string, metric: string): number {
  return Number(new RegExp(`^gen_ai_client_operation_${metric}_seconds_count\\{.*\\} (\\d+)$`, 'm').exec(scrape)?.[1]);
}

const [text] = WIRES as [Wire];

function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('times are those of the wire', async () => {
  const gates = [createGate(), createGate()] as const;
  const events = readWire(text.fixture);
  const server = await replay({ ...sse(events), before: (index) => gates[index]?.opened });
  const { observed, ask } = text.ask(server.url, true);
  const startedBefore = performance.now();
  const asked = ask();
  const startedAfter = performance.now();
  const times: number[] = [];
  let items: AsyncIterator<unknown> | undefined;
  for (const gate of gates) {
    times.push(performance.now());
    gate.open();
    items ??= (await asked)[Symbol.asyncIterator]();
    await items.next();
    times.push(performance.now());
  }
  while ((await items?.next())?.done === false);
  const [released = 0, arrived = 0, releasedNext = 0] = times;
  const first = Number(observed?.told().attributes['gen_ai.response.time_to_first_chunk']) * 1000;
  expect(first).toBeGreaterThanOrEqual(released - startedAfter);
  expect(first).toBeLessThanOrEqual(arrived - startedBefore);
  const scrape = (await observed?.signals.scrape()) ?? '';
  const gaps = Number(/time_per_output_chunk_seconds_sum\{.*\} (\S+)/.exec(scrape)?.[1]) * 1000;
  expect(gaps).toBeGreaterThanOrEqual(releasedNext - arrived);
  expect(gaps).toBeLessThanOrEqual(performance.now() - released);
});

interface Provider {
  readonly name: string;
  readonly ask: Ask;
  readonly fixture: string;
  readonly busy: string;
  readonly RateLimitError: new (...args: never[]) => Error;
}
const PROVIDERS: readonly Provider[] = [
  { name: 'chat', ask: chat, fixture: 'openai/text.sse', busy: 'openai', RateLimitError: OpenAI.RateLimitError },
  {
    name: 'responses',
    ask: responses,
    fixture: 'openai/responses.sse',
    busy: 'openai',
    RateLimitError: OpenAI.RateLimitError,
  },
  {
    name: 'messages',
    ask: messages,
    fixture: 'anthropic/text.sse',
    busy: 'anthropic',
    RateLimitError: Anthropic.RateLimitError,
  },
];

describe.each(PROVIDERS)('$name: what goes wrong before an answer', ({ ask: open, fixture, busy, RateLimitError }) => {
  const limited: WireAnswer = {
    status: 429,
    headers: { 'content-type': 'application/json', 'retry-after': '0.01' },
    pieces: readWire(`${busy}/rate-limited.body`),
  };

  test('429 and a retry is one operation, each attempt a span below it', async () => {
    const server = await replay(limited, sse(readWire(fixture)));
    const { observed, ask } = open(server.url, true);
    if (observed === undefined) throw new Error('not observed');
    closers.push(observeUndici(observed.signals));
    expect((await collect(await ask())).items.length).toBeGreaterThan(2);
    expect(server.requests).toHaveLength(2);
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
    expect(await attemptsOf(observed, 'chat m1', 2)).toEqual([429, 200]);
  });

  test('an error is the SDK’s own, and recorded by its status', async () => {
    const server = await replay(limited);
    const { observed, ask } = open(server.url, true);
    await expect(ask()).rejects.toBeInstanceOf(RateLimitError);
    expect(server.requests).toHaveLength(2);
    expect(observed?.told()).toMatchObject({ status: 2, attributes: { 'error.type': '429' } });
    expect(await observed?.calls('m1')).toEqual([0, 1, 0]);
  });

  test('a client that leaves before the answer has begun takes its call with it', async () => {
    const delays: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const server = await replay(sse([], 'hold'));
      const { observed, ask } = open(server.url, true);
      const asked = observed?.request(async () => collect(await ask()));
      await until(() => server.requests.length === 1);
      const leftAt = performance.now();
      observed?.leave();
      await asked?.catch(() => undefined);
      await until(() => server.aborts.length === 1);
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect(await observed?.calls('m1')).toEqual([0, 0, 1]);
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });
});

describe.each(PROVIDERS)('$name: whose signal is aborted', ({ ask: open, fixture }) => {
  const REASONS = [
    { name: 'by a time limit', reason: new DOMException('late', 'TimeoutError'), calls: [0, 1, 0], type: 'timeout' },
    { name: 'by its caller', reason: new Error('enough'), calls: [0, 0, 1], type: 'cancelled' },
  ] as const;
  /** One piece: how many more come before an abort is heard of is the network's to say. */
  const begun = readWire(fixture).slice(0, 1);

  test.each(REASONS)('$name, before it is answered', async ({ reason, calls, type }) => {
    const server = await replay(sse([], 'hold'));
    const own = new AbortController();
    const { observed, ask } = open(server.url, true, { signal: own.signal });
    const asked = ask();
    await until(() => server.requests.length === 1);
    own.abort(reason);
    await expect(asked).rejects.toThrow('Request was aborted.');
    expect(await observed?.calls('m1')).toEqual(calls);
    expect(observed?.told().attributes['error.type']).toBe(type);
  });

  test.each(REASONS)(
    '$name, within its stream: its reader sees what a bare SDK gives',
    async ({ reason, calls, type }) => {
      const server = await replay(sse(begun, 'hold'));
      const follow = async (observe: boolean) => {
        const own = new AbortController();
        const { observed, ask } = open(server.url, observe, { signal: own.signal });
        const stream = await ask();
        const seen: unknown[] = [];
        for await (const item of stream) {
          seen.push(item);
          own.abort(reason);
        }
        return { observed, seen };
      };
      const { observed, seen } = await follow(true);
      expect(seen).toEqual((await follow(false)).seen);
      expect(await observed?.calls('m1')).toEqual(calls);
      expect(observed?.told().attributes['error.type']).toBe(type);
    },
  );

  test.each(REASONS)('$name, while nobody reads, and when its reader leaves', async ({ reason, calls, type }) => {
    const server = await replay(sse(begun, 'hold'));
    for (const reads of [false, true]) {
      const own = new AbortController();
      const { observed, ask } = open(server.url, true, { signal: own.signal });
      const stream = await ask();
      const items = reads ? stream[Symbol.asyncIterator]() : undefined;
      await items?.next();
      own.abort(reason);
      await items?.return?.();
      expect(await observed?.calls('m1')).toEqual(calls);
      expect(observed?.told().attributes['error.type']).toBe(type);
    }
  });
});

/** Hears of each read of a body: some SDKs iterate over it, some take its reader. */
function watchReads(body: ReadableStream | null, hear: () => void): void {
  if (body === null) return;
  const watch = (owner: object, name: string): void =>
    replace(owner, name, (original: () => unknown) => () => {
      hear();
      return original();
    });
  replace(body, 'getReader', (original: () => object) => () => {
    const reader = original();
    watch(reader, 'read');
    return reader;
  });
  const iterate = body[Symbol.asyncIterator].bind(body);
  const watched = (): AsyncIterator<unknown> => {
    const pieces = iterate();
    watch(pieces, 'next');
    return pieces;
  };
  Object.defineProperty(body, Symbol.asyncIterator, { value: watched });
}

describe.each(PROVIDERS)('$name: what its stream does', ({ ask: open, fixture }) => {
  test('is done within the operation, and what its reader does is not', async () => {
    const events = readWire(fixture);
    const pulled: (string | undefined)[] = [];
    const spanInHand = (): string | undefined => trace.getActiveSpan()?.spanContext().spanId;
    // A body that is made as it is read: each piece when it is asked for.
    const lazily = async (): Promise<Response> => {
      const pieces = events.map((event) => Buffer.from(event));
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled.push(spanInHand());
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), {
        headers: { 'content-type': 'text/event-stream' },
      });
    };
    const { observed, ask } = open('http://127.0.0.1:1', true, { fetch: lazily });
    let items = 0;
    for await (const _ of await ask()) {
      items += 1;
      expect(spanInHand()).toBeUndefined();
    }
    expect(items).toBeGreaterThan(2);
    const [operation] = observed?.signals.ended() ?? [];
    // Newer SDKs of OpenAI's do not wait for the end behind `[DONE]`.
    expect(pulled.length).toBeGreaterThanOrEqual(events.length);
    expect([...new Set(pulled)]).toEqual([operation?.spanContext().spanId]);
  });

  test('is left where its reader is when it only reads what comes over the network, as by a bare SDK', async () => {
    const server = await replay(sse(readWire(fixture)));
    const host = new AsyncLocalStorage<number>();
    const follow = async (observe: boolean) => {
      const seen: unknown[] = [];
      const watched: typeof fetch = async (input, init) => {
        const response = await fetch(input, init);
        seen.push(trace.getActiveSpan() !== undefined);
        watchReads(response.body, () => seen.push([trace.getActiveSpan(), host.getStore() !== undefined]));
        return response;
      };
      const { observed, ask } = open(server.url, observe, { fetch: watched });
      const items = (await ask())[Symbol.asyncIterator]();
      let read = 0;
      while ((await host.run(read, () => items.next())).done !== true) read += 1;
      return { calls: await observed?.calls('m1'), seen, read };
    };
    const { calls, seen, read } = await follow(true);
    expect(read).toBeGreaterThan(2);
    expect([calls, seen[0], seen.length > 1]).toEqual([[1, 0, 0], true, true]);
    for (const step of seen.slice(1)) expect(step).toEqual([undefined, true]);
    expect(read).toBe((await follow(false)).read);
  });

  test('and fails in is an error that nobody handles where nobody does, and handled where somebody does', async () => {
    const server = await replay(sse(readWire(fixture).slice(0, 3), 'reset'));
    for (const handles of [false, true]) {
      const { observed, ask } = open(server.url, true);
      const items = (await ask())[Symbol.asyncIterator]();
      // All at once: to wait for one would be to handle it.
      const read = (): void => {
        for (let n = 0; n < 9; n += 1) void (handles ? items.next().catch(() => {}) : items.next());
      };
      const isOver = (): boolean => observed?.signals.ended().length === 1;
      expect(await isReported(read, isOver)).toBe(!handles);
    }
  });

  test('is asked for as many items at once as its reader likes, and gives each in its turn', async () => {
    const server = await replay(sse(readWire(fixture)));
    const take = async (observe: boolean) => {
      const { observed, ask } = open(server.url, observe);
      const items = (await ask())[Symbol.asyncIterator]();
      return { observed, steps: await Promise.all(Array.from({ length: 99 }, () => items.next())) };
    };
    const { observed, steps } = await take(true);
    expect(steps).toEqual((await take(false)).steps);
    expect(steps.at(-1)).toEqual({ done: true, value: undefined });
    expect(await observed?.calls('m1')).toEqual([1, 0, 0]);
  });
});

describe('an error in the middle of a stream is recorded by the provider’s own word for it', () => {
  test.each([
    { name: 'chat', ask: chat, before: 'openai/text.sse', event: 'openai/server-error.sse', word: 'server_error' },
    {
      name: 'messages',
      ask: messages,
      before: 'anthropic/text.sse',
      event: 'anthropic/overloaded.sse',
      word: 'overloaded_error',
    },
  ])('$name: $word', async ({ ask, before, event, word }) => {
    const events = [...readWire(before).slice(0, 4), ...readWire(event)];
    const wire = { fixture: before, ask, says: {} };
    const { observed, seen, error } = await run(wire, sse(events), true);
    const bare = await run(wire, sse(events), false);
    expect([seen, error]).toEqual([bare.seen, bare.error]);
    expect(error).toMatch(/error/i);
    expect(observed.told()).toMatchObject({ status: 2, attributes: { 'error.type': word } });
    expect(await observed.calls('m1')).toEqual([0, 1, 0]);
  });

  test('responses: an answer that says itself that it failed is thrown by nobody, and a failure', async () => {
    const wire = { fixture: '', ask: responses, says: {} };
    const { observed, seen, error } = await run(wire, sse(readWire('openai/responses-failed.sse')), true);
    expect(error).toBe('undefined');
    expect(seen).toBe((await run(wire, sse(readWire('openai/responses-failed.sse')), false)).seen);
    expect(observed.told()).toMatchObject({ status: 2, attributes: { 'error.type': 'server_error' } });
    expect(await observed.calls('m1')).toEqual([0, 1, 0]);
  });
});

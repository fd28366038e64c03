/** What `@anthropic-ai/sdk` has of its own: helpers that stream, caches, other clouds. Its wires are in `stainless.test.ts`. */
import Anthropic from '@anthropic-ai/sdk';
import { trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../test/garbage.ts';
import { createSignals } from '../../../test/signals.ts';
import { until } from '../../../test/until.ts';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { anthropicKind } from './anthropic.ts';
import { middleOf } from './observed.test-helper.ts';
import { collect, cutAt, type Observed, observeClient } from './wire.test-helper.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function replay(...answers: WireAnswer[]): Promise<Replay> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  return server;
}

const bareOf = (url: string): Anthropic => new Anthropic({ apiKey: 'secret-key', baseURL: url, maxRetries: 1 });

function observe(url: string, client: Anthropic = bareOf(url)): { client: Anthropic; observed: Observed } {
  return { client, observed: observeClient(client, [anthropicKind]) };
}

const CLAUDE = 'claude-opus-4-8';
const ASK = { model: CLAUDE, max_tokens: 99, messages: [{ role: 'user' as const, content: 'marker-7781' }] };
const TEXT = readWire('anthropic/text.sse');
const CACHED = readWire('anthropic/cached.sse');
const OVERLOADED = readWire('anthropic/overloaded.sse');
const body = (name: string, status = 200): WireAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'retry-after-ms': '1' },
  pieces: readWire(`anthropic/${name}.body`),
});
const BUSY = body('rate-limited', 429);
const MESSAGE = JSON.parse(readWire('anthropic/message.body')[0] ?? '') as { readonly id: string };
const COUNTED: WireAnswer = { headers: { 'content-type': 'application/json' }, pieces: ['{"input_tokens":3}'] };
/** Newer types leave these out; older models take them. */
const SAMPLING = { temperature: 0.5, top_p: 0.9, top_k: 3, stop_sequences: ['x'] };
const USED = {
  'gen_ai.usage.input_tokens': 25 + 10 + 5,
  'gen_ai.usage.output_tokens': 8,
  'gen_ai.usage.cache_read.input_tokens': 5,
  'gen_ai.usage.cache_creation.input_tokens': 10,
};

describe('tokens', () => {
  test('cached ones are a part of the input, whole or streamed', async () => {
    const server = await replay(sse(CACHED), body('message'));
    const { client, observed } = observe(server.url);
    await collect(await client.messages.create({ ...ASK, stream: true }));
    expect(observed.told().attributes).toMatchObject(USED);
    await client.messages.create({ ...ASK, ...SAMPLING });
    expect(observed.signals.ended()[1]?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 151 + 4602,
      'gen_ai.usage.output_tokens': 38,
      'gen_ai.usage.cache_read.input_tokens': 4602,
      'gen_ai.response.finish_reasons': ['tool_use'],
      'gen_ai.response.model': 'claude-sonnet-4-20250514',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.top_k': 3,
      'gen_ai.request.stop_sequences': ['x'],
    });
  });

  test('what a stream that broke off had used by then', async () => {
    const server = await replay(sse(CACHED.slice(0, 3)));
    const { client, observed } = observe(server.url);
    await collect(await client.messages.create({ ...ASK, stream: true }));
    expect(observed.told().attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 25 + 10 + 5,
      'gen_ai.usage.output_tokens': 1,
      'error.type': 'IncompleteStreamError',
    });
  });

  test('missing ones are estimated, and told as an estimate', async () => {
    const without = (event: string): string =>
      event.replace(/,"usage":\{.*\}(?=\n)/, event.includes('"message":{') ? '}}' : '}');
    const server = await replay(sse(CACHED.map(without)));
    const { client, observed } = observe(server.url);
    await collect(await client.messages.create({ ...ASK, stream: true }));
    expect(await observed.calls(CLAUDE)).toEqual([1, 0, 0]);
    expect(observed.told().attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
    expect(await observed.signals.value('ai_usage_source_total{source="estimated"}')).toBe(1);
  });

  test('thinking says something', async () => {
    const events = readWire('anthropic/thinking.sse');
    const said = async (count: number): Promise<string> => {
      const server = await replay(sse(events.slice(0, count)));
      const { client, observed } = observe(server.url);
      await collect(await client.messages.create({ ...ASK, stream: true }));
      return observed.signals.scrape();
    };
    const first = events.findIndex((event) => event.includes('thinking_delta'));
    expect(await said(first)).not.toMatch(/time_to_first_content_seconds_count\{[^}]*\} 1/);
    expect(await said(first + 1)).toMatch(/time_to_first_content_seconds_count\{[^}]*\} 1/);
  });
});

/** Every event of a stream helper, and how it ended. */
async function follow(client: Anthropic): Promise<{ told: unknown[]; final: unknown }> {
  const told: unknown[] = [];
  const stream = client.messages.stream(ASK);
  for (const name of ['text', 'message', 'contentBlock', 'finalMessage', 'end'] as const)
    stream.on(name, (...args: unknown[]) => void told.push([name, ...args]));
  stream.on('streamEvent', (event) => void told.push(event));
  stream.on('error', (error) => void told.push(['error', String(error)]));
  stream.on('abort', (error) => void told.push(['abort', String(error)]));
  const final = await stream.finalMessage().catch((error: unknown) => String(error));
  return { told, final };
}

describe('messages.stream()', () => {
  test('is one operation, and tells its listeners the same', async () => {
    const server = await replay(sse(CACHED));
    const { client, observed } = observe(server.url);
    const seen = await follow(client);
    expect(seen).toEqual(await follow(bareOf(server.url)));
    expect(seen.told.length).toBeGreaterThan(CACHED.length);
    expect(await observed.calls(CLAUDE)).toEqual([1, 0, 0]);
    expect(observed.told().attributes).toMatchObject(USED);
    expect(server.requests[0]?.body).toEqual(server.requests[1]?.body);
  });

  test('left by its client after each event: cancelled once, and Anthropic hears of it at once', async () => {
    const sent = TEXT.slice(0, -2);
    // The SDK keeps pings to itself.
    const shown = sent.filter((event) => !event.includes('ping')).length;
    const delays: number[] = [];
    for (let taken = 1; taken <= shown; taken += 1) {
      const server = await replay(sse(sent, 'hold'));
      const { client, observed } = observe(server.url);
      const stream = observed.request(() => client.messages.stream(ASK));
      let seen = 0;
      let leftAt = 0;
      stream.on('streamEvent', () => {
        seen += 1;
        if (seen !== taken) return;
        leftAt = performance.now();
        observed.leave();
      });
      await expect(stream.finalMessage()).rejects.toThrow();
      await until(() => server.aborts.length === 1);
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect(await observed.calls(CLAUDE)).toEqual([0, 0, 1]);
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });

  test('an error event in its middle', async () => {
    const server = await replay(sse([...TEXT.slice(0, 4), ...OVERLOADED]));
    const { client, observed } = observe(server.url);
    expect(await follow(client)).toEqual(await follow(bareOf(server.url)));
    expect(await observed.calls(CLAUDE)).toEqual([0, 1, 0]);
    expect(observed.told().attributes['error.type']).toBe('overloaded_error');
  });

  test('however its bytes are cut, and however it ends: one ending, and the events of a bare SDK', async () => {
    const text = CACHED.join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(text.length), { maxLength: 12 }),
        fc.constantFrom<WireAnswer['then']>('end', 'reset'),
        fc.nat(text.length),
        async (places, then, length) => {
          const server = await replay(sse(cutAt(text.slice(0, Math.max(1, length)), places), then));
          const { client, observed } = observe(server.url);
          const seen = await follow(client);
          if (then === 'end') expect(seen).toEqual(await follow(bareOf(server.url)));
          const counts = await observed.calls(CLAUDE);
          expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('the SDK’s own ways stay', () => {
  test('withResponse, asResponse, parse and beta, each one operation; counting tokens is none', async () => {
    const whole = body('message');
    const server = await replay(whole, whole, whole, whole, sse(TEXT), COUNTED);
    const { client, observed } = observe(server.url);
    const { data, response } = await client.messages.create(ASK).withResponse();
    expect([data, response.status]).toEqual([MESSAGE, 200]);
    expect((await client.messages.create(ASK).asResponse()).status).toBe(200);
    expect((await client.messages.parse(ASK)).stop_reason).toBe('tool_use');
    expect((await client.beta.messages.create(ASK)).id).toBe(MESSAGE.id);
    expect((await client.beta.messages.stream(ASK).finalMessage()).id).toBe('msg_4QpJur2dWWDjF6C758FbBw5vm12BaVipnK');
    expect(await client.messages.countTokens({ model: CLAUDE, messages: ASK.messages })).toEqual({ input_tokens: 3 });
    await until(() => observed.signals.ended().length === 5);
    expect(await observed.calls(CLAUDE)).toEqual([5, 0, 0]);
    expect(JSON.stringify(observed.signals.ended().map(({ attributes }) => attributes))).not.toMatch(/marker|secret/);
  });

  test('429 and a retry is one operation; without one left it is the SDK’s own error', async () => {
    const server = await replay(BUSY, sse(TEXT), BUSY);
    const { client, observed } = observe(server.url);
    expect((await follow(client)).final).toMatchObject({ stop_reason: 'end_turn' });
    expect([server.requests.length, ...(await observed.calls(CLAUDE))]).toEqual([2, 1, 0, 0]);
    await expect(client.messages.create(ASK)).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    expect(observed.signals.ended()[1]?.attributes['error.type']).toBe('429');
  });

  test('a tee is read once by us, and an aborted controller is a cancellation', async () => {
    const server = await replay(sse(CACHED), sse(TEXT.slice(0, 4), 'hold'));
    const { client, observed } = observe(server.url);
    const [left, right] = (await client.messages.create({ ...ASK, stream: true })).tee();
    const both = await Promise.all([collect(left), collect(right)]);
    expect(both[0].items).toEqual(both[1].items);
    const stream = await client.messages.create({ ...ASK, stream: true });
    for await (const _ of stream) stream.controller.abort();
    expect(await observed.calls(CLAUDE)).toEqual([1, 0, 1]);
  });

  test('a stream that nobody reads ends with its client, or with its memory', async () => {
    const server = await replay(sse(TEXT.slice(0, 4), 'hold'));
    const { client, observed } = observe(server.url);
    await observed.request(async () => client.messages.create({ ...ASK, stream: true }));
    observed.leave();
    expect(await observed.calls(CLAUDE)).toEqual([0, 0, 1]);
    const second = observe(server.url);
    const forget = async (): Promise<void> => void (await second.client.messages.create({ ...ASK, stream: true }));
    await forget();
    await until(async () => {
      collectGarbage();
      return (await second.observed.calls(CLAUDE))[2] === 1;
    });
  });

  test('a client that leaves before a whole answer has begun takes its call with it', async () => {
    const delays: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const server = await replay(sse([], 'hold'));
      const { client, observed } = observe(server.url);
      const asked = observed.request(async () => client.messages.create(ASK));
      await until(() => server.requests.length === 1);
      const leftAt = performance.now();
      observed.leave();
      await expect(asked).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
      await until(() => server.aborts.length === 1);
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect(await observed.calls(CLAUDE)).toEqual([0, 0, 1]);
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });

  test('its own spans, which would tell of the same calls again, are left out; a host’s own provider keeps them', async () => {
    const server = await replay(body('message'));
    const { client, observed } = observe(server.url);
    trace.setGlobalTracerProvider({ getTracer: () => observed.signals.tracer });
    const own = createSignals();
    const openTelemetry = { tracerProvider: { getTracer: () => own.tracer } };
    try {
      const late = new Anthropic({ apiKey: 'k', baseURL: server.url });
      observed.observe(late);
      for (const each of [client, late, late.withOptions({ timeout: 1000 })]) await each.messages.create(ASK);
      const handed = new Anthropic({ apiKey: 'k', baseURL: server.url, openTelemetry } as object);
      observed.observe(handed);
      await handed.messages.create(ASK);
    } finally {
      trace.disable();
    }
    expect(observed.signals.ended().map(({ name }) => name)).toEqual(Array(4).fill(`chat ${CLAUDE}`));
    expect(own.ended().length).toBeLessThanOrEqual(1);
  });

  const WEATHER = {
    name: 'get_weather',
    description: 'The weather',
    input_schema: { type: 'object' as const, properties: {} },
    run: async (): Promise<string> => 'sunny',
    parse: (content: unknown): object => content as object,
  };

  test('toolRunner: a round whose client leaves is cancelled, one that breaks off a failure', async () => {
    const ask = async (client: Anthropic, onEvent = (): void => {}): Promise<void> => {
      const runner = client.beta.messages.toolRunner({ ...ASK, stream: true, tools: [WEATHER] });
      for await (const stream of runner) for await (const _ of stream) onEvent();
    };
    const server = await replay(sse(TEXT.slice(0, 4), 'hold'), sse(TEXT.slice(0, 4)));
    const { client, observed } = observe(server.url);
    await expect(observed.request(() => ask(client, observed.leave))).rejects.toThrow();
    await until(() => server.aborts.length === 1);
    await until(async () => (await observed.calls(CLAUDE))[2] === 1);
    await expect(ask(client)).rejects.toThrow();
    await until(async () => (await observed.calls(CLAUDE))[1] === 1);
  });

  test('toolRunner: each round is an operation of its own', async () => {
    const server = await replay(sse(readWire('anthropic/tools.sse')), sse(TEXT));
    const { client, observed } = observe(server.url);
    const follow = async (each: Anthropic): Promise<unknown[]> => {
      const seen: unknown[] = [];
      const runner = each.beta.messages.toolRunner({ ...ASK, stream: true, tools: [WEATHER] });
      for await (const stream of runner) {
        for await (const event of stream) seen.push(event);
        seen.push(await stream.finalMessage());
      }
      return seen;
    };
    const seen = await follow(client);
    server.answers = [...server.answers, ...server.answers];
    expect(JSON.stringify(seen)).toBe(JSON.stringify(await follow(bareOf(server.url))));
    await until(() => observed.signals.ended().length === 2);
    expect(await observed.calls(CLAUDE)).toEqual([2, 0, 0]);
    expect(observed.signals.ended().map(({ attributes }) => attributes['gen_ai.usage.output_tokens'])).toEqual([65, 6]);
  });

  test('whose cloud it is', async () => {
    class AnthropicBedrock extends Anthropic {}
    class AnthropicVertex extends Anthropic {}
    const server = await replay(body('message'));
    const options = { apiKey: 'k', baseURL: server.url };
    const at = (host: string): Anthropic =>
      new Anthropic({ apiKey: 'k', baseURL: `https://${host}`, fetch: (_, init) => fetch(server.url, init) });
    const clients: readonly (readonly [Anthropic, string])[] = [
      [new Anthropic(options), 'anthropic'],
      [new AnthropicBedrock(options), 'aws.bedrock'],
      [new AnthropicVertex(options), 'gcp.vertex_ai'],
      [at('bedrock-runtime.eu-west-1.amazonaws.com'), 'aws.bedrock'],
      [at('europe-west1-aiplatform.googleapis.com'), 'gcp.vertex_ai'],
      [at('gateway.example'), 'anthropic'],
    ];
    for (const [client, provider] of clients) {
      const { observed } = observe(server.url, client);
      await client.messages.create(ASK);
      expect(observed.told().attributes['gen_ai.provider.name']).toBe(provider);
    }
  });
});

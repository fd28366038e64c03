/** Which operation an SDK's call belongs to, where its caller has begun one: real SDKs, over real sockets. */
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../test/wire/replay.ts';
import { observeUndici } from '../drivers/undici.ts';
import { createBreaker } from '../work/breaker.ts';
import { openAiKind } from './clients/openai.ts';
import { attemptsOf, collect, type Observed, observeClient } from './clients/wire.test-helper.ts';
import type { OperationInfo } from './info.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const INFO: OperationInfo = { operation: 'chat', provider: 'openai', model: 'm1' };
const ASK = { model: 'm1', messages: [{ role: 'user' as const, content: 'hello' }] };
const STREAM = { ...ASK, stream: true as const };
/** 3,897 and 75 tokens; 12 and 5. */
const WHOLE: WireAnswer = { headers: { 'content-type': 'application/json' }, pieces: readWire('openai/chat.body') };
const TEXT = readWire('openai/text.sse');
const BUSY: WireAnswer = { ...WHOLE, status: 429, pieces: readWire('openai/rate-limited.body') };

async function setUp(...answers: WireAnswer[]): Promise<Observed & { client: OpenAI; server: Replay }> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  const client = new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 });
  return { ...observeClient(client, [openAiKind]), client, server };
}

/** Input and output tokens of each operation that ended, by its name, in the order of their endings. */
function used({ signals }: Observed): unknown[] {
  return signals
    .ended()
    .filter(({ name }) => name !== 'POST')
    .map(({ name, attributes }) => [
      name,
      attributes['gen_ai.usage.input_tokens'],
      attributes['gen_ai.usage.output_tokens'],
    ]);
}

describe('a call that its caller wraps', () => {
  test('is that operation, streamed or not', async () => {
    const observed = await setUp(WHOLE, sse(TEXT));
    await observed.ai.call(INFO, () => observed.client.chat.completions.create(ASK));
    const { client } = observed;
    await collect(
      observed.ai.stream(INFO, async function* () {
        yield* await client.chat.completions.create(STREAM);
      }),
    );
    expect(used(observed)).toEqual([
      ['chat m1', 3897, 75],
      ['chat m1', 12, 5],
    ]);
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
  });

  test('and repeats because it failed is that one operation still, each attempt a span below it', async () => {
    const observed = await setUp(BUSY, BUSY, WHOLE);
    closers.push(observeUndici(observed.signals));
    const ask = () => observed.client.chat.completions.create(ASK);
    await observed.ai.call(INFO, () => ask().catch(ask).catch(ask));
    expect(await attemptsOf(observed, 'chat m1', 3)).toEqual([429, 429, 200]);
    expect(used(observed)).toEqual([['chat m1', 3897, 75]]);
  });

  test('and that breaks off without a word is a failure, for the breaker above it too', async () => {
    const observed = await setUp(sse(TEXT.slice(0, 4)));
    const breaker = createBreaker('llm', observed.signals, { failures: 1 });
    const { ai, client } = observed;
    const { items, error } = await collect(
      breaker.stream(() =>
        ai.stream(INFO, async function* () {
          yield* await client.chat.completions.create(STREAM);
        }),
      ),
    );
    expect([items.length, error]).toEqual([4, undefined]);
    expect(await observed.calls('m1')).toEqual([0, 1, 0]);
    const operation = observed.signals.ended().find(({ name }) => name === 'chat m1');
    expect(operation?.attributes['error.type']).toBe('IncompleteStreamError');
    expect(breaker.state).toBe('open');
  });

  test('and that says itself that it failed is a failure', async () => {
    const observed = await setUp(sse(readWire('openai/responses-failed.sse')));
    const { ai, client } = observed;
    await collect(
      ai.stream(INFO, async function* () {
        yield* await client.responses.create({ model: 'm1', input: 'hello', stream: true });
      }),
    );
    expect(await observed.calls('m1')).toEqual([0, 1, 0]);
    expect(observed.told().attributes['error.type']).toBe('server_error');
  });

  test('and whose stream fails in its middle has the provider’s own word for it', async () => {
    const observed = await setUp(sse([...TEXT.slice(0, 4), ...readWire('openai/server-error.sse')]));
    const { ai, client } = observed;
    const { error } = await collect(
      ai.stream(INFO, async function* () {
        yield* await client.chat.completions.create(STREAM);
      }),
    );
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(observed.told().attributes['error.type']).toBe('server_error');
  });
});

describe('what else is asked within an operation is one of its own, below it', () => {
  const OUTER = ['chat m1', 3897, 75];
  const OWN = ['chat m1', 12, 5];

  test('a second call after the first', async () => {
    const observed = await setUp(WHOLE, sse(TEXT));
    const { ai, client } = observed;
    await ai.call(INFO, async () => {
      await client.chat.completions.create(ASK);
      await collect(await client.chat.completions.create(STREAM));
    });
    expect(used(observed)).toEqual([OWN, OUTER]);
    const [own, outer] = observed.signals.ended();
    expect(own?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
  });

  test('calls at the same time: what each used is told once', async () => {
    const observed = await setUp(sse(TEXT));
    const { ai, client } = observed;
    const ask = async () => collect(await client.chat.completions.create(STREAM));
    await ai.call(INFO, () => Promise.all([ask(), ask(), ask(), ask()]));
    expect(used(observed)).toEqual([OWN, OWN, OWN, OWN]);
    expect(await observed.calls('m1')).toEqual([4, 0, 0]);
  });

  test('within a tool, an agent and a tool of the model’s that nobody told of', async () => {
    const observed = await setUp(sse(TEXT), sse(TEXT), sse(TEXT), WHOLE);
    const { ai, client } = observed;
    const ask = async () => collect(await client.chat.completions.create(STREAM));
    await ai.call(INFO, async () => {
      await ai.tool('search', ask);
      await ai.agent('planner', ask);
      // The first that asks for itself is the operation; what it asks within is not.
      await ask();
      await client.chat.completions.create(ASK);
    });
    expect(used(observed)).toEqual([
      OWN,
      ['execute_tool search', undefined, undefined],
      OWN,
      ['invoke_agent planner', undefined, undefined],
      OUTER,
      OWN,
    ]);
  });

  test('within a `fetch` of the host’s that asks the same model', async () => {
    const server = await startReplay(sse(TEXT), WHOLE);
    closers.push(() => server.close());
    const inner = new OpenAI({ apiKey: 'k', baseURL: server.url });
    const client = new OpenAI({
      apiKey: 'k',
      baseURL: server.url,
      async fetch(url, init) {
        await collect(await inner.chat.completions.create(STREAM));
        return fetch(url, init);
      },
    });
    const observed = observeClient(client, [openAiKind]);
    observed.observe(inner);
    await client.chat.completions.create(ASK);
    server.answers = [sse(TEXT), WHOLE, sse(TEXT), WHOLE];
    await observed.ai.call(INFO, () => client.chat.completions.create(ASK));
    expect(used(observed)).toEqual([OWN, OUTER, OWN, OUTER]);
  });

  test('after one that failed with its tokens told; one that failed without is repeated', async () => {
    for (const [sent, told] of [
      [TEXT.slice(0, -2), [['chat m1', 62, 5]]],
      [TEXT.slice(0, -1), [['chat m1', 62, 5], OWN]],
    ] as const) {
      const observed = await setUp(sse(sent, 'reset'), sse(readWire('openai/structured.sse')));
      const { ai, client } = observed;
      const ask = async () => {
        const { error } = await collect(await client.chat.completions.create(STREAM));
        if (error !== undefined) throw error;
      };
      await ai.call(INFO, () => ask().catch(ask));
      expect(used(observed)).toEqual(told);
    }
  });
});

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

describe('what is told of a call that its caller wraps', () => {
  const words = (observed: Observed & { client: OpenAI }) => observed.client.chat.completions.create(STREAM);
  const countOf = async ({ signals }: Observed, metric: string): Promise<number> =>
    (await signals.scrape())
      .split('\n')
      .filter((line) => line.startsWith(`gen_ai_client_operation_${metric}_seconds_count`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  const LENGTH = '"This is a test."'.length;

  test('each chunk and each word is told once, whoever tells it', async () => {
    for (const alsoTold of [false, true]) {
      const observed = await setUp(sse(TEXT));
      const { items } = await collect(
        observed.ai.stream(INFO, async function* (operation) {
          for await (const chunk of await words(observed)) {
            if (alsoTold) operation.content(chunk.choices[0]?.delta.content ?? '');
            yield chunk;
          }
        }),
      );
      expect(observed.told().attributes['binnacle.ai.output.length']).toBe(LENGTH);
      expect(await countOf(observed, 'time_to_first_chunk')).toBe(1);
      expect(await countOf(observed, 'time_per_output_chunk')).toBe(items.length - 1);
      const of = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m1"';
      expect(await observed.signals.value(`ai_time_to_first_content_seconds_count{${of}}`)).toBe(1);
    }
  });

  test('what its caller alone tells is heard, before a call that says something, beside one, and after one that failed', async () => {
    const observed = await setUp(BUSY, sse(TEXT.slice(0, 3), 'reset'), sse(TEXT));
    const ask = async () => {
      const { error } = await collect(await words(observed));
      if (error !== undefined) throw error;
    };
    await observed.ai.call(INFO, async (operation) => {
      operation.content('Well: ');
      await expect(ask()).rejects.toThrow('429');
      operation.content('so. ');
      // Of what it said before it failed, the network says how much came.
      await expect(ask()).rejects.toThrow();
      await ask();
    });
    const length = Number(observed.told().attributes['binnacle.ai.output.length']);
    expect(length).toBeGreaterThanOrEqual('Well: so. '.length + LENGTH);
    expect(length).toBeLessThan('Well: so. '.length + 2 * LENGTH);
    expect(used(observed)).toEqual([['chat m1', 12, 5]]);
  });

  test('what its caller left out and the client knows is set; what its caller said stands', async () => {
    const observed = await setUp(sse(TEXT));
    const { ai, client, server } = observed;
    const parameters = { temperature: 0.5 };
    await observed.request(() =>
      ai.call({ ...INFO, provider: 'mine', conversationId: 's-2', parameters }, async () =>
        collect(await client.chat.completions.create({ ...STREAM, temperature: 1, max_tokens: 9 })),
      ),
    );
    expect(observed.told().attributes).toMatchObject({
      'gen_ai.provider.name': 'mine',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.stream': true,
      'gen_ai.conversation.id': 's-2',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(server.url).port),
    });
  });
});

describe('a call that its caller wraps, and whose stream is cut off as if it were whole', () => {
  const hold = sse(TEXT.slice(0, 1), 'hold');
  const follow = (observed: Observed & { client: OpenAI }, signal: AbortSignal | undefined, onItem = () => {}) =>
    collect(
      observed.ai.stream(INFO, async function* () {
        for await (const chunk of await observed.client.chat.completions.create(STREAM, { signal })) {
          yield chunk;
          onItem();
        }
      }),
    );
  const told = async (observed: Observed) => [
    await observed.calls('m1'),
    observed.signals.ended().find(({ name }) => name === 'chat m1')?.attributes['error.type'] ?? 'none',
  ];

  test('by the client that leaves, or by its caller: cancelled', async () => {
    const first = await setUp(hold);
    await first.request(() => follow(first, undefined, first.leave));
    expect(await told(first)).toEqual([[0, 0, 1], 'cancelled']);
    const second = await setUp(hold);
    const own = new AbortController();
    const { items, error } = await follow(second, own.signal, () => own.abort(new Error('enough')));
    expect([items.length, error]).toEqual([1, undefined]);
    expect(await told(second)).toEqual([[0, 0, 1], 'cancelled']);
  });

  test('by a time limit: a failure, for the breaker above it too', async () => {
    const observed = await setUp(hold);
    const breaker = createBreaker('llm', observed.signals, { failures: 1 });
    const own = new AbortController();
    const { error } = await collect(
      breaker.stream(() =>
        observed.ai.stream(INFO, async function* () {
          for await (const chunk of await observed.client.chat.completions.create(STREAM, { signal: own.signal })) {
            yield chunk;
            own.abort(new DOMException('late', 'TimeoutError'));
          }
        }),
      ),
    );
    expect(error).toBeUndefined();
    expect(await told(observed)).toEqual([[0, 1, 0], 'timeout']);
    expect(breaker.state).toBe('open');
  });

  test('and is asked again, or is said to have failed: what its caller makes of it', async () => {
    const observed = await setUp(hold, sse(TEXT));
    const { ai, client } = observed;
    await ai.call(INFO, async () => {
      const own = new AbortController();
      for await (const _ of await client.chat.completions.create(STREAM, { signal: own.signal }))
        own.abort(new DOMException('late', 'TimeoutError'));
      return collect(await client.chat.completions.create(STREAM));
    });
    expect(await told(observed)).toEqual([[1, 0, 0], 'none']);
    expect(used(observed)).toEqual([['chat m1', 12, 5]]);
    const failed = await setUp(hold);
    const own = new AbortController();
    await failed.ai
      .call(INFO, async () => {
        for await (const _ of await failed.client.chat.completions.create(STREAM, { signal: own.signal })) own.abort();
        throw new RangeError('too little');
      })
      .catch(() => {});
    expect(await told(failed)).toEqual([[0, 1, 0], 'RangeError']);
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

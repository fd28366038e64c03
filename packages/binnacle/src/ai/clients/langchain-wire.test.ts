/** LangChain.js with its package for OpenAI, both real, over real sockets, against recorded streams. */
import { HumanMessage, type ToolMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { type RunnableConfig, RunnableLambda } from '@langchain/core/runnables';
import { DynamicStructuredTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import { errorEvent, text, tooMany } from '../../../test/wire/ai-sdk/answers.ts';
import { readWire, sse, type WireAnswer } from '../../../test/wire/replay.ts';
import { createLangChainHandler, type LangChainHandler } from './langchain.ts';
import { MARKER, middleOf, type Told, tellOf } from './observed.test-helper.ts';
import { cutAt } from './wire.test-helper.ts';

interface Chain extends Told {
  readonly handler: LangChainHandler;
  model(useResponsesApi?: boolean, maxRetries?: number): ChatOpenAI;
}

async function observeChain(...answers: readonly WireAnswer[]): Promise<Chain> {
  const told = await tellOf(...answers);
  return {
    ...told,
    handler: createLangChainHandler(told.start, { idleMs: 200 }),
    model: (useResponsesApi = false, maxRetries = 0) =>
      new ChatOpenAI({
        ...{ model: 'gpt-4o', apiKey: `sk-${MARKER}`, temperature: 0.5, maxTokens: 99, maxRetries, useResponsesApi },
        configuration: { baseURL: `${told.replay.url}/v1` },
      }),
  };
}

interface Seen {
  readonly items: unknown[];
  readonly error?: unknown;
}

/** What differs from run to run, LangChain's own ids, is left out. */
async function collect(stream: Promise<AsyncIterable<unknown>>, tap: (seen: number) => void = () => {}): Promise<Seen> {
  const items: unknown[] = [];
  const plain = (key: string, value: unknown): unknown =>
    key === 'id' && /^(lc_)?run-/.test(String(value)) ? undefined : value;
  try {
    for await (const item of await stream) {
      items.push(JSON.parse(JSON.stringify(item, plain)));
      tap(items.length);
    }
    return { items };
  } catch (error) {
    return { items, error };
  }
}

interface Wire {
  readonly fixture: string;
  readonly responses: boolean;
  readonly says: Readonly<Record<string, unknown>>;
}

const WIRES: readonly Wire[] = [
  {
    fixture: 'openai/text.sse',
    responses: false,
    says: {
      'gen_ai.response.id': 'chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl',
      'gen_ai.response.model': 'gpt-4-0613',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 5,
    },
  },
  {
    fixture: 'openai/tools.sse',
    responses: false,
    says: {
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.usage.input_tokens': 75,
      'gen_ai.usage.output_tokens': 51,
    },
  },
  {
    fixture: 'openai/responses-tools.sse',
    responses: true,
    says: {
      'gen_ai.response.id': 'resp_029d9e2b7350eaff0069ad6b7b86808191bbf237459edcedee',
      'gen_ai.response.model': 'gpt-5.2-2025-12-11',
      'gen_ai.response.finish_reasons': ['completed'],
      'gen_ai.usage.input_tokens': 53,
      'gen_ai.usage.output_tokens': 33,
      'gen_ai.usage.reasoning.output_tokens': 10,
    },
  },
];

/** Streams, as the request of a client, a model alone or within a chain. */
function ask(chain: Chain, wire: Wire, observe: boolean, config: RunnableConfig = {}, chained = false) {
  const model = chain.model(wire.responses);
  const options = { ...config, ...(observe && { callbacks: [chain.handler] }) };
  return chain.request(
    async (): Promise<AsyncIterable<unknown>> =>
      chained ? model.pipe(new StringOutputParser()).stream(MARKER, options) : model.stream(MARKER, options),
  );
}

describe.each(WIRES)('$fixture', (wire) => {
  const events = readWire(wire.fixture);

  test('whole: what the wire says; its reader sees what is seen without it', async () => {
    const [chain, bare] = [await observeChain(sse(events)), await observeChain(sse(events))];
    expect(await collect(ask(chain, wire, true))).toEqual(await collect(ask(bare, wire, false)));
    expect(chain.replay.requests.map(({ body }) => body)).toEqual(bare.replay.requests.map(({ body }) => body));
    expect(chain.tree()).toEqual(['chat gpt-4o']);
    expect(chain.span('chat gpt-4o')?.attributes).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.conversation.id': 's-1',
      ...wire.says,
    });
    const tokens = [await chain.tokens('input'), await chain.tokens('output')];
    expect(tokens).toEqual([wire.says['gen_ai.usage.input_tokens'], wire.says['gen_ai.usage.output_tokens']]);
    expect(await chain.calls()).toEqual([1, 0, 0]);
    expect(chain.open()).toBe(0);
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test.each([
    [0, 'end'],
    [4, 'end'],
    [4, 'reset'],
  ] as const)(
    'cut after %i events (%s): a failure, while its reader sees what is seen without it',
    async (kept, then) => {
      const cut = sse(events.slice(0, kept), then);
      const [chain, bare] = [await observeChain(cut), await observeChain(cut)];
      const [seen, plain] = [await collect(ask(chain, wire, true)), await collect(ask(bare, wire, false))];
      if (then === 'end') expect([seen.items, String(seen.error)]).toEqual([plain.items, String(plain.error)]);
      expect(await chain.calls()).toEqual([0, 1, 0]);
      if (then === 'end' && seen.error === undefined)
        expect(chain.span('chat gpt-4o')?.attributes['error.type']).toBe('IncompleteStreamError');
      expect(chain.open()).toBe(0);
    },
  );

  test.each([false, true])(
    'aborted at each chunk (in a chain: %s): cancelled once, and the provider hears of it',
    async (chained) => {
      const kept = events.slice(0, -2);
      const { items } = await collect(ask(await observeChain(sse(kept)), wire, false, {}, chained));
      const delays: number[] = [];
      for (let at = 1; at <= items.length; at += 1) {
        const chain = await observeChain(sse(kept, 'hold'));
        const controller = new AbortController();
        let abortedAt = 0;
        const abort = (): void => {
          abortedAt = performance.now();
          controller.abort();
        };
        const asked = ask(chain, wire, true, { signal: controller.signal }, chained);
        expect((await collect(asked, (seen) => void (seen === at && abort()))).error).toBeDefined();
        await until(() => chain.replay.aborts.length === 1 && chain.open() === 0);
        delays.push((chain.replay.aborts[0] ?? Infinity) - abortedAt);
        expect(await chain.calls()).toEqual([0, 0, 1]);
        for (const { attributes } of chain.signals.ended()) expect(attributes['error.type']).toBe('cancelled');
        expect(chain.signals.ended()).toHaveLength(chained ? 2 : 1);
      }
      expect(items.length).toBeGreaterThan(2);
      expect(middleOf(delays)).toBeLessThan(100);
    },
  );

  test('however its bytes are cut, and however it ends: one ending, and what is seen without it', async () => {
    const whole = events.join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(whole.length), { maxLength: 12 }),
        fc.constantFrom<WireAnswer['then']>('end', 'reset'),
        fc.nat(whole.length),
        async (places, then, length) => {
          const cut = sse(cutAt(whole.slice(0, Math.max(1, length)), places), then);
          const [chain, bare] = [await observeChain(cut), await observeChain(cut)];
          const [seen, plain] = [await collect(ask(chain, wire, true)), await collect(ask(bare, wire, false))];
          if (then === 'end') expect([seen.items, String(seen.error)]).toEqual([plain.items, String(plain.error)]);
          const counts = await chain.calls();
          expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
          expect(chain.open()).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });
});

test('an agent that asks twice and calls a tool: each a child of it, each token counted once', async () => {
  const chain = await observeChain(sse(readWire('openai/responses-tools.sse')), sse(readWire('openai/responses.sse')));
  const weather = new DynamicStructuredTool({
    ...{ name: 'get_weather', description: 'x', func: async () => MARKER },
    schema: { type: 'object', properties: { location: { type: 'string' } } },
  });
  const model = chain.model(true).bindTools([weather]);
  const agent = RunnableLambda.from(async (question: string, config) => {
    const asked = await gather(model.stream([new HumanMessage(question)], config));
    const [call] = asked?.tool_calls ?? [];
    const told = (await weather.invoke({ ...call, type: 'tool_call' } as never, config)) as ToolMessage;
    return gather(model.stream([new HumanMessage(question), asked as never, told], config));
  }).withConfig({ runName: 'WeatherAgent' });
  const answer = await agent.invoke(MARKER, { callbacks: [chain.handler] });
  expect(answer?.text).toContain('sunny');
  const top = 'invoke_agent WeatherAgent';
  expect(chain.tree()).toEqual([
    top,
    `${top} > chat gpt-4o`,
    `${top} > chat gpt-4o`,
    `${top} > execute_tool get_weather`,
  ]);
  expect(chain.span('execute_tool get_weather')?.attributes['gen_ai.tool.call.id']).toBe(
    'call_i6xKhAibHFyhNK5A858ausTW',
  );
  expect([await chain.tokens('input'), await chain.tokens('output')]).toEqual([53 + 100, 33 + 19]);
  expect(chain.open()).toBe(0);
  expect(await chain.everything()).not.toContain(MARKER);
});

async function gather<T extends { concat(other: never): unknown }>(stream: Promise<AsyncIterable<T>>) {
  let whole: T | undefined;
  for await (const chunk of await stream) whole = whole === undefined ? chunk : (whole.concat(chunk as never) as T);
  return whole;
}

const [TEXT] = WIRES as [Wire];

test('a usage that is not told is counted as missing', async () => {
  const chain = await observeChain(sse(readWire('openai/no-usage.sse')));
  await collect(ask(chain, TEXT, true));
  expect(await chain.calls()).toEqual([1, 0, 0]);
  expect(await chain.signals.value('ai_usage_source_total{source="missing"}')).toBe(1);
});

test('cached and reasoning tokens are parts of the others', async () => {
  const chain = await observeChain(text('One', ' two'));
  await collect(ask(chain, TEXT, true));
  expect(chain.span('chat gpt-4o')?.attributes).toMatchObject({
    'gen_ai.usage.input_tokens': 21,
    'gen_ai.usage.output_tokens': 9,
    'gen_ai.usage.cache_read.input_tokens': 8,
    'gen_ai.usage.reasoning.output_tokens': 5,
  });
});

test('an error in the middle of a stream', async () => {
  const chain = await observeChain(sse([...readWire('openai/text.sse').slice(0, 4), errorEvent(MARKER)]));
  expect((await collect(ask(chain, TEXT, true))).error).toBeDefined();
  expect(await chain.calls()).toEqual([0, 1, 0]);
  expect(await chain.everything()).not.toContain(MARKER);
});

test('429 and a retry is one operation', async () => {
  const chain = await observeChain(tooMany(MARKER), sse(readWire('openai/text.sse')));
  const model = chain.model(false, 1);
  await collect(model.stream(MARKER, { callbacks: [chain.handler] }));
  expect(chain.replay.requests).toHaveLength(2);
  expect(await chain.calls()).toEqual([1, 0, 0]);
});

test('429 without a retry is an error, by its status', async () => {
  const chain = await observeChain(tooMany(MARKER));
  await expect(chain.model().invoke(MARKER, { callbacks: [chain.handler] })).rejects.toThrow();
  expect(chain.tree()).toEqual(['chat gpt-4o ! 429']);
  expect(await chain.everything()).not.toContain(MARKER);
});

test('the client of a request whose signal it has goes away: cancelled', async () => {
  const chain = await observeChain(sse(readWire('openai/text.sse').slice(0, 4), 'hold'));
  const { signal } = chain;
  await collect(ask(chain, TEXT, true, { signal }), (seen) => void (seen === 2 && chain.leave()));
  await until(() => chain.open() === 0 && chain.replay.aborts.length === 1);
  expect(await chain.calls()).toEqual([0, 0, 1]);
});

/** Vercel's AI SDK with OpenAI's provider, both real, over real sockets. AI SDK 7 is held to the same on Node.js 22. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import {
  embed,
  embedMany,
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import {
  asksFor,
  embeddings,
  errorEvent,
  text,
  textEvents,
  toolEvents,
  tooMany,
  whole,
} from '../../../test/wire/ai-sdk/answers.ts';
import { sse } from '../../../test/wire/replay.ts';
import { type CallInHand, runInScope } from '../../context.ts';
import { collect, observeSdk, type Sdk, ask as stream } from './ai-sdk.test-helper.ts';
import { createAiSdkTelemetry } from './ai-sdk.ts';
import { MARKER } from './observed.test-helper.ts';

const ASK_TOOL = sse(toolEvents('weather', 'call-1', ['{"city":', `"${MARKER}"}`]));
const USED = {
  'gen_ai.usage.input_tokens': 21,
  'gen_ai.usage.output_tokens': 9,
  'gen_ai.usage.cache_read.input_tokens': 8,
  'gen_ai.usage.reasoning.output_tokens': 5,
};
const AGENT = 'invoke_agent planner';
const chat = (sdk: Sdk) => ({
  model: sdk.openai.chat('gpt-4o'),
  prompt: MARKER,
  experimental_telemetry: sdk.telemetry('planner'),
});

async function expectNoMarker(sdk: Sdk): Promise<void> {
  expect(await sdk.everything()).not.toContain(MARKER);
}

test('generateText is an agent around one chat, with what the wire says', async () => {
  const sdk = await observeSdk(whole(`Hello ${MARKER}`));
  const result = await generateText({
    model: sdk.openai.chat('gpt-4o'),
    prompt: MARKER,
    temperature: 0.5,
    maxOutputTokens: 99,
    experimental_telemetry: sdk.telemetry('planner'),
  });
  expect(result.text).toBe(`Hello ${MARKER}`);
  expect(sdk.tree()).toEqual([AGENT, `${AGENT} > chat gpt-4o`]);
  expect(sdk.span('chat gpt-4o')?.attributes).toMatchObject({
    ...USED,
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.max_tokens': 99,
    'gen_ai.response.id': 'chatcmpl-ours-7',
    'gen_ai.response.model': 'gpt-4o-2024-08-06',
    'gen_ai.response.finish_reasons': ['stop'],
    'binnacle.ai.input.length': MARKER.length,
  });
  expect(await sdk.calls()).toEqual([1, 0, 0]);
  await expectNoMarker(sdk);
});

test('`obs.ai.telemetry()` is it', async () => {
  const sdk = await observeSdk(whole('x'));
  await generateText({ ...chat(sdk), experimental_telemetry: { ...sdk.ai.telemetry(), functionId: 'planner' } });
  expect(sdk.tree()).toEqual([AGENT, `${AGENT} > chat gpt-4o`]);
});

test('streamText in two steps: each step and each tool is a child of the run, each token counted once', async () => {
  const sdk = await observeSdk(ASK_TOOL, text('Sunny', ' there'));
  const bare = await collect(stream(sdk).fullStream);
  sdk.replay.answers = [...sdk.replay.answers, ...sdk.replay.answers];
  const given = sdk.request(() => stream(sdk, { telemetry: sdk.telemetry('planner') }));
  // Whoever reads it, and within whatever else.
  const scope = { request: { requestId: 'another', sessionId: 's-2' }, otel: ROOT_CONTEXT };
  expect(await runInScope(scope, () => collect(given.fullStream))).toEqual(bare);
  expect(sdk.tree()).toEqual([
    AGENT,
    `${AGENT} > chat gpt-4o`,
    `${AGENT} > chat gpt-4o`,
    `${AGENT} > execute_tool weather`,
  ]);
  expect(sdk.span('execute_tool weather')?.attributes).toMatchObject({ 'gen_ai.tool.call.id': 'call-1' });
  for (const { attributes } of sdk.signals.ended()) expect(attributes['gen_ai.conversation.id']).toBe('s-1');
  const [asked, told] = sdk.signals.ended().filter(({ name }) => name === 'chat gpt-4o');
  expect(asked?.attributes).toMatchObject({ ...USED, 'gen_ai.response.finish_reasons': ['tool-calls'] });
  expect(told?.attributes).toMatchObject({
    ...USED,
    'gen_ai.request.stream': true,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.response.id': 'chatcmpl-ours-7',
    'gen_ai.response.finish_reasons': ['stop'],
  });
  expect(await sdk.calls()).toEqual([2, 0, 0]);
  const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"';
  const value = (series: string) => sdk.signals.value(`gen_ai_client_${series}`);
  expect(await value(`token_usage_sum{${labels},gen_ai_token_type="input"}`)).toBe(42);
  expect(await value(`token_usage_sum{${labels},gen_ai_token_type="output"}`)).toBe(18);
  expect(await value(`operation_time_to_first_chunk_seconds_count{${labels}}`)).toBe(2);
  await expectNoMarker(sdk);
});

test('a tool that throws is an error of its own; its run ends as its model does', async () => {
  const sdk = await observeSdk(ASK_TOOL, text('Sunny'));
  const execute = () => {
    throw new RangeError(MARKER);
  };
  await collect(stream(sdk, { telemetry: sdk.telemetry('planner'), execute }).fullStream);
  expect(sdk.tree()).toContain(`${AGENT} > execute_tool weather ! RangeError`);
  expect(sdk.tree()).toContain(AGENT);
  await expectNoMarker(sdk);
});

test('what a tool asks for is the tool’s, and its failure not the run’s', async () => {
  const sdk = await observeSdk(ASK_TOOL, embeddings(1, 7), tooMany(MARKER), text('Sunny'));
  const ask = () =>
    embed({
      model: sdk.openai.embedding('text-embedding-3-small'),
      value: MARKER,
      maxRetries: 0,
      experimental_telemetry: sdk.telemetry(),
    });
  const execute = async () => {
    await ask();
    await ask().catch(() => {});
  };
  await collect(stream(sdk, { telemetry: sdk.telemetry('planner'), execute }).fullStream);
  const embedded = `${AGENT} > execute_tool weather > embeddings text-embedding-3-small`;
  expect(sdk.tree()).toContain(embedded);
  expect(sdk.tree().filter((path) => path.startsWith(`${embedded} ! `))).toHaveLength(1);
  expect(sdk.tree()).toContain(AGENT);
  await expectNoMarker(sdk);
});

test('a run that fails although its model did not is an error', async () => {
  const sdk = await observeSdk(whole('x'));
  const asked = generateText({
    model: sdk.openai.chat('gpt-4o'),
    prompt: MARKER,
    prepareStep: () => {
      throw new RangeError(MARKER);
    },
    experimental_telemetry: sdk.telemetry('planner'),
  });
  await expect(asked).rejects.toThrow(MARKER);
  expect(sdk.tree()).toEqual([expect.stringMatching(`^${AGENT} ! `)]);
});

const FOUR = textEvents('One', ' two', ' three', ' four');

test.each([
  ['an error event', sse([...FOUR.slice(0, 2), errorEvent(MARKER)])],
  ['an error before the first byte', tooMany(MARKER), '429'],
])('a stream with %s fails, and its run with it, once', async (_name, answer, type?: string) => {
  const sdk = await observeSdk(answer);
  const bare = await collect(stream(sdk).fullStream);
  expect(await collect(stream(sdk, { telemetry: sdk.telemetry('planner') }).fullStream)).toEqual(bare);
  expect(sdk.tree()).toEqual([
    expect.stringMatching(`^${AGENT} ! `),
    expect.stringMatching(`^${AGENT} ! \\S+ > chat gpt-4o ! `),
  ]);
  if (type !== undefined) expect(sdk.span('chat gpt-4o')?.attributes['error.type']).toBe(type);
  expect(await sdk.calls()).toEqual([0, 1, 0]);
  expect(await sdk.signals.value('ai_usage_source_total{source="missing"}')).toBe(1);
  await expectNoMarker(sdk);
});

test.each([
  ['an error event', sse([...FOUR.slice(0, 2), errorEvent(MARKER)])],
  ['an early end', sse(FOUR.slice(0, 2))],
  ['an error before the first byte', tooMany(MARKER)],
])('%s, of which a reader of the text hears nothing, is known to the breaker above it', async (_name, answer) => {
  const sdk = await observeSdk(answer);
  const call: CallInHand = {};
  const parts = await runInScope({ otel: ROOT_CONTEXT, call }, () =>
    collect(stream(sdk, { telemetry: sdk.telemetry() }).textStream),
  );
  expect(JSON.stringify(parts)).not.toContain('threw');
  expect(call.fault).toBeInstanceOf(Error);
});

test.each([0, 1, 2, 3, 4])('an abort after %i chunks cancels the call and its run, once', async (at) => {
  const sdk = await observeSdk(sse(FOUR.slice(0, 4), 'hold'));
  const controller = new AbortController();
  const { textStream } = stream(sdk, { telemetry: sdk.telemetry('planner'), abortSignal: controller.signal });
  if (at === 0) setTimeout(() => controller.abort(), 1);
  let seen = 0;
  for await (const _ of textStream) if (++seen === at) controller.abort();
  await until(() => sdk.span(AGENT) !== undefined);
  expect(sdk.span(AGENT)?.attributes['error.type']).toBe('cancelled');
  expect(sdk.signals.ended().filter(({ name }) => name === AGENT)).toHaveLength(1);
  if (at > 0) expect(await sdk.calls()).toEqual([0, 0, 1]);
});

test('an abort while a tool runs cancels both, once', async () => {
  const sdk = await observeSdk(ASK_TOOL, text('Sunny'));
  const controller = new AbortController();
  const execute = () => {
    controller.abort();
    return new Promise((done) => setTimeout(done, 5));
  };
  const asked = { telemetry: sdk.telemetry('planner'), abortSignal: controller.signal, execute };
  await collect(stream(sdk, asked).fullStream);
  await until(() => sdk.span(AGENT) !== undefined);
  expect(sdk.tree()[0]).toBe(`${AGENT} ! cancelled`);
  expect(sdk.signals.ended().filter(({ name }) => name === AGENT)).toHaveLength(1);
});

test('a whole answer that is aborted while a tool runs is cancelled', async () => {
  const sdk = await observeSdk(asksFor('weather'), whole('x'));
  const controller = new AbortController();
  const abort = async () => {
    controller.abort();
    controller.signal.throwIfAborted();
  };
  const asked = generateText({
    ...chat(sdk),
    tools: { weather: tool({ inputSchema: jsonSchema({ type: 'object' }), execute: abort }) },
    stopWhen: stepCountIs(3),
    abortSignal: controller.signal,
  });
  await expect(asked).rejects.toThrow();
  await until(() => sdk.open() === 0);
  expect(sdk.tree()[0]).toBe(`${AGENT} ! cancelled`);
});

test.each([
  ['an error event', sse([...textEvents('{"city":').slice(0, 1), errorEvent(MARKER)])],
  ['an early end', sse(textEvents('{"city":').slice(0, 1))],
])('the stream of an object with %s fails, once', async (_name, answer) => {
  const sdk = await observeSdk(answer);
  const { object, partialObjectStream } = streamObject({
    ...chat(sdk),
    schema: jsonSchema({ type: 'object' }),
    onError: () => {},
  });
  object.catch(() => {});
  await collect(partialObjectStream);
  expect(await sdk.calls()).toEqual([0, 1, 0]);
  expect(sdk.open()).toBe(0);
  await expectNoMarker(sdk);
});

test('a stream that its host stops is cancelled, and the connection closed', async () => {
  const sdk = await observeSdk(sse(FOUR.slice(0, 4), 'hold'));
  const { textStream } = streamText({
    model: sdk.openai.chat('gpt-4o'),
    prompt: MARKER,
    onError: () => {},
    experimental_transform: ({ stopStream }) =>
      new TransformStream({
        transform(part, controller) {
          controller.enqueue(part);
          if (part.type === 'text-delta') stopStream();
        },
      }),
    experimental_telemetry: sdk.telemetry('planner'),
  });
  await collect(textStream);
  await until(() => sdk.span(AGENT) !== undefined);
  expect(sdk.tree()).toEqual([`${AGENT} ! cancelled`, `${AGENT} ! cancelled > chat gpt-4o ! cancelled`]);
  await until(() => sdk.replay.aborts.length === 1);
});

test('what its reader leaves, of which the SDK tells nothing, is cancelled when it stands still after its request', async () => {
  const sdk = await observeSdk(sse(FOUR.slice(0, 3), 'hold'));
  await sdk.request(async () => {
    for await (const _ of stream(sdk, { telemetry: sdk.telemetry('planner') }).textStream) break;
  });
  expect(sdk.tree()).toEqual([]);
  sdk.settle();
  await until(() => sdk.open() === 0);
  expect(sdk.tree()).toEqual([`${AGENT} ! cancelled`, `${AGENT} ! cancelled > chat gpt-4o ! cancelled`]);
});

test('what goes on after its request is told of to its end', async () => {
  const sdk = await observeSdk(text(...Array.from({ length: 100 }, (_, i) => `w${i}`)), whole('x'));
  const streamed = sdk.request(() => stream(sdk, { telemetry: sdk.telemetry('planner') }));
  sdk.settle();
  await collect(streamed.textStream);
  const generated = sdk.request(() =>
    generateText({
      model: sdk.openai.chat('gpt-4o'),
      prompt: MARKER,
      experimental_telemetry: sdk.telemetry('planner'),
    }),
  );
  sdk.settle();
  await generated;
  const one = [AGENT, `${AGENT} > chat gpt-4o`];
  expect(sdk.tree()).toEqual([...one, ...one].sort());
});

test('an operation that cannot be begun leaves the SDK as it is', async () => {
  const sdk = await observeSdk(ASK_TOOL, text('Sunny'), embeddings(1, 7));
  const bare = await collect(stream(sdk).fullStream);
  sdk.replay.answers = [...sdk.replay.answers.slice(0, 2), ...sdk.replay.answers];
  const telemetry = createAiSdkTelemetry(() => {
    throw new Error('no operation');
  })('planner');
  expect(await collect(stream(sdk, { telemetry }).fullStream)).toEqual(bare);
  const model = sdk.openai.embedding('text-embedding-3-small');
  expect((await embed({ model, value: 'x', experimental_telemetry: telemetry })).usage.tokens).toBe(7);
});

test('embeddings are calls without an agent around them', async () => {
  const sdk = await observeSdk(embeddings(1, 7));
  const model = sdk.openai.embedding('text-embedding-3-small');
  await embed({ model, value: MARKER, experimental_telemetry: sdk.telemetry() });
  sdk.replay.answers = [embeddings(2, 9)];
  await embedMany({ model, values: [MARKER, MARKER], experimental_telemetry: sdk.telemetry() });
  expect(sdk.tree()).toEqual(['embeddings text-embedding-3-small', 'embeddings text-embedding-3-small']);
  expect(sdk.signals.ended().map(({ attributes }) => attributes['gen_ai.usage.input_tokens'])).toEqual([7, 9]);
  await expectNoMarker(sdk);
});

test('objects are calls without an agent around them, streamed or not', async () => {
  const sdk = await observeSdk(whole('{"city":"Kiel"}'));
  const schema = jsonSchema({ type: 'object' });
  const ask = { model: sdk.openai.chat('gpt-4o'), schema, prompt: MARKER };
  const made = await generateObject({ ...ask, experimental_telemetry: sdk.telemetry() });
  expect(made.object).toEqual({ city: 'Kiel' });
  sdk.replay.answers = [text('{"city":', '"Kiel"}')];
  const { object, partialObjectStream } = streamObject({ ...ask, experimental_telemetry: sdk.telemetry() });
  await collect(partialObjectStream);
  expect(await object).toEqual({ city: 'Kiel' });
  expect(sdk.tree()).toEqual(['chat gpt-4o', 'chat gpt-4o']);
  for (const { attributes } of sdk.signals.ended()) expect(attributes).toMatchObject(USED);
  await expectNoMarker(sdk);
});

test('within an operation of the host for the same model nothing is counted twice, nor left out', async () => {
  const sdk = await observeSdk(ASK_TOOL, text('Sunny'));
  await sdk.ai.call({ operation: 'chat', provider: 'openai', model: 'gpt-4o' }, () =>
    collect(stream(sdk, { telemetry: sdk.telemetry() }).fullStream),
  );
  expect(sdk.tree()).toEqual(['chat gpt-4o', 'chat gpt-4o > execute_tool weather']);
  expect(sdk.span('chat gpt-4o')?.attributes).toMatchObject({
    'gen_ai.usage.input_tokens': 42,
    'gen_ai.usage.output_tokens': 18,
    'gen_ai.usage.cache_read.input_tokens': 16,
    'gen_ai.usage.reasoning.output_tokens': 10,
  });
});

test('50 runs at once keep their sessions, and their own children', async () => {
  const sdk = await observeSdk(...Array.from({ length: 50 }, () => text('One', ' two')));
  const run = (i: number) =>
    runInScope({ request: { requestId: `r-${i}`, sessionId: `s-${i}` }, otel: ROOT_CONTEXT }, () =>
      collect(stream(sdk, { telemetry: sdk.telemetry(`agent-${i}`) }).fullStream),
    );
  await Promise.all(Array.from({ length: 50 }, (_, i) => run(i)));
  const spans = sdk.signals.ended();
  expect(spans).toHaveLength(100);
  const agents = new Map(
    spans.filter(({ name }) => name.startsWith('invoke_agent')).map((span) => [span.spanContext().spanId, span]),
  );
  expect(agents.size).toBe(50);
  for (const span of spans) {
    const agent = agents.get(span.parentSpanContext?.spanId ?? '') ?? span;
    expect(span.attributes['gen_ai.conversation.id']).toBe(agent.name.replace('invoke_agent agent-', 's-'));
  }
});

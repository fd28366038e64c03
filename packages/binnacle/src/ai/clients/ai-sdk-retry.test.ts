/** Calls of Vercel's AI SDK that it tries again, over real sockets: one operation each. AI SDK 7 is held to the same on Node.js 22. */
import { embed, embedMany, generateObject, generateText, jsonSchema } from 'ai';
import { expect, test } from 'vitest';
import { embeddings, text, tooMany, whole } from '../../../test/wire/ai-sdk/answers.ts';
import { collect, observeSdk, type Sdk, ask as stream } from './ai-sdk.test-helper.ts';
import { MARKER } from './observed.test-helper.ts';

const AGENT = 'invoke_agent planner';
const EMBED = 'embeddings text-embedding-3-small';
const chat = (sdk: Sdk) => ({
  model: sdk.openai.chat('gpt-4o'),
  prompt: MARKER,
  experimental_telemetry: sdk.telemetry('planner'),
});
const embedder = (sdk: Sdk) => ({
  model: sdk.openai.embedding('text-embedding-3-small'),
  experimental_telemetry: sdk.telemetry(),
});

test.each(['generateText', 'streamText'])('%s that is tried again is one operation', async (name) => {
  const sdk = await observeSdk(tooMany(MARKER), tooMany(MARKER), name === 'generateText' ? whole('x') : text('x'));
  const telemetry = sdk.telemetry('planner');
  const asked = { model: sdk.openai.chat('gpt-4o'), prompt: MARKER, experimental_telemetry: telemetry };
  if (name === 'generateText') await generateText(asked);
  else await collect(stream(sdk, { telemetry, maxRetries: 2 }).textStream);
  expect(sdk.replay.requests).toHaveLength(3);
  expect(sdk.tree()).toEqual([AGENT, `${AGENT} > chat gpt-4o`]);
  expect(sdk.span('chat gpt-4o')?.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 21 });
  expect(await sdk.calls()).toEqual([1, 0, 0]);
  expect(await sdk.everything()).not.toContain(MARKER);
});

test.each([
  [
    'a text',
    (sdk: Sdk) => generateText({ ...chat(sdk), maxRetries: 1 }),
    [`${AGENT} ! 429`, `${AGENT} ! 429 > chat gpt-4o ! 429`],
  ],
  [
    'an object',
    (sdk: Sdk) => generateObject({ ...chat(sdk), schema: jsonSchema({ type: 'object' }), maxRetries: 1 }),
    ['chat gpt-4o ! 429'],
  ],
  ['an embedding', (sdk: Sdk) => embed({ ...embedder(sdk), value: MARKER, maxRetries: 1 }), [`${EMBED} ! 429`]],
])('%s that is tried again in vain is one error, by its status', async (_name, ask, tree) => {
  const sdk = await observeSdk(tooMany(MARKER));
  await expect(ask(sdk)).rejects.toThrow();
  expect(sdk.replay.requests).toHaveLength(2);
  expect(sdk.tree()).toEqual(tree);
  expect(sdk.open()).toBe(0);
  expect(await sdk.everything()).not.toContain(MARKER);
});

test('values that are embedded at once: those of each call are tried again by themselves', async () => {
  const sdk = await observeSdk(tooMany(MARKER), embeddings(2048, 7), embeddings(2048, 5));
  const values = Array.from({ length: 4096 }, (_, i) => `${MARKER} ${i}`);
  await embedMany({ ...embedder(sdk), values });
  expect(sdk.replay.requests).toHaveLength(3);
  expect(sdk.tree()).toEqual([EMBED, EMBED]);
  expect(await sdk.tokens('input')).toBe(12);
  expect(sdk.open()).toBe(0);
});

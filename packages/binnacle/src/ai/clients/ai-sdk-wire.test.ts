/** Vercel's AI SDK with OpenAI's provider, both real, over real sockets, against recorded streams. AI SDK 7: on Node.js 22. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import { readWire, sse, type WireAnswer } from '../../../test/wire/replay.ts';
import { type Asked, ask, collect, observeSdk, type Sdk } from './ai-sdk.test-helper.ts';
import { middleOf } from './observed.test-helper.ts';
import { cutAt } from './wire.test-helper.ts';

const AGENT = 'invoke_agent planner';

interface Wire {
  /** The answers of one run, each a step of it. */
  readonly fixtures: readonly string[];
  readonly api: 'chat' | 'responses';
  readonly tools: readonly string[];
  /** What the wire says of the last step. */
  readonly says: Readonly<Record<string, unknown>>;
  readonly tree: readonly string[];
  readonly tokens: readonly [input: number, output: number];
}

const WIRES: readonly Wire[] = [
  {
    fixtures: ['openai/text.sse'],
    api: 'chat',
    tools: ['weather'],
    says: {
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.stream': true,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.response.id': 'chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl',
      'gen_ai.response.model': 'gpt-4-0613',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 5,
      'gen_ai.conversation.id': 's-1',
    },
    tree: [AGENT, `${AGENT} > chat gpt-4o`],
    tokens: [12, 5],
  },
  {
    fixtures: ['openai/tools.sse', 'openai/text.sse'],
    api: 'chat',
    tools: ['get_current_weather'],
    says: { 'gen_ai.response.model': 'gpt-4-0613', 'gen_ai.usage.input_tokens': 12 },
    tree: [
      AGENT,
      `${AGENT} > chat gpt-4o`,
      `${AGENT} > chat gpt-4o`,
      `${AGENT} > execute_tool get_current_weather`,
      `${AGENT} > execute_tool get_current_weather`,
    ],
    tokens: [75 + 12, 51 + 5],
  },
  {
    fixtures: ['openai/responses-tools.sse', 'openai/responses.sse'],
    api: 'responses',
    tools: ['get_weather'],
    says: {
      'gen_ai.response.id': 'resp_029d9e2b7350eaff0069ad6b7d556c8191ae5651cfed963a80',
      'gen_ai.response.model': 'gpt-5.2-2025-12-11',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 19,
    },
    tree: [AGENT, `${AGENT} > chat gpt-4o`, `${AGENT} > chat gpt-4o`, `${AGENT} > execute_tool get_weather`],
    tokens: [53 + 100, 33 + 19],
  },
];

const answersOf = ({ fixtures }: Wire): WireAnswer[] => fixtures.map((name) => sse(readWire(name)));
const last = <T>(items: readonly T[]): T => items.at(-1) as T;

/** Asks, as the request of a client, and reads all. */
function run(sdk: Sdk, { api, tools }: Wire, observe: boolean, more: Asked = {}): Promise<unknown[]> {
  const telemetry = observe ? sdk.telemetry('planner') : undefined;
  return sdk.request(() =>
    collect(ask(sdk, { model: sdk.openai[api]('gpt-4o'), tools, telemetry, ...more }).fullStream),
  );
}

describe.each(WIRES)('$fixtures', (wire) => {
  const events = readWire(last(wire.fixtures));
  const before = answersOf(wire).slice(0, -1);

  test('whole: a tree of what was done, with what the wire says; each token counted once', async () => {
    const [sdk, bare] = [await observeSdk(...answersOf(wire)), await observeSdk(...answersOf(wire))];
    expect(await run(sdk, wire, true)).toEqual(await run(bare, wire, false));
    expect(sdk.replay.requests.map(({ body }) => body)).toEqual(bare.replay.requests.map(({ body }) => body));
    expect(sdk.tree()).toEqual(wire.tree);
    const chats = sdk.signals.ended().filter(({ name }) => name === 'chat gpt-4o');
    expect(last(chats).attributes).toMatchObject(wire.says);
    expect(await sdk.calls()).toEqual([wire.fixtures.length, 0, 0]);
    expect([await sdk.tokens('input'), await sdk.tokens('output')]).toEqual(wire.tokens);
    expect([sdk.open(), bare.open()]).toEqual([0, 0]);
    expect(await sdk.everything()).not.toContain('marker-7781');
  });

  test.each(['end', 'reset'] as const)(
    'cut before its end (%s): a failure of the step and of its run',
    async (then) => {
      const cut = [...before, sse(events.slice(0, 4), then)];
      const [sdk, bare] = [await observeSdk(...cut), await observeSdk(...cut)];
      const [seen, plain] = [await run(sdk, wire, true), await run(bare, wire, false)];
      if (then === 'end') expect(seen).toEqual(plain);
      expect(await sdk.calls()).toEqual([before.length, 1, 0]);
      const [, failure = ''] = /^invoke_agent planner ! (\S+)$/.exec(sdk.tree()[0] ?? '') ?? [];
      expect(sdk.tree()).toContain(`${AGENT} ! ${failure} > chat gpt-4o ! ${failure}`);
      if (then === 'end') expect(failure).toBe('IncompleteStreamError');
      expect(sdk.open()).toBe(0);
    },
  );

  test('left by its client after each part: cancelled once, and the provider hears of it at once', async () => {
    const kept = events.slice(0, -3);
    const held = [...before, sse(kept, 'hold')];
    const parts = await countParts([...before, sse(kept)], wire);
    expect(parts).toBeGreaterThan(5);
    const delays: number[] = [];
    for (let at = 1; at <= parts; at += 1) {
      const sdk = await observeSdk(...held);
      const { fullStream } = sdk.request(() =>
        ask(sdk, { model: sdk.openai[wire.api]('gpt-4o'), tools: wire.tools, telemetry: sdk.telemetry('planner') }),
      );
      let seen = 0;
      let leftAt = 0;
      const leave = (): void => {
        leftAt = performance.now();
        sdk.leave();
      };
      await sdk.request(() => collect(tapped(fullStream, () => ++seen === at && leave())));
      await until(() => sdk.open() === 0);
      expect(sdk.tree().filter((path) => path.startsWith('invoke_agent') && !path.includes(' > '))).toEqual([
        `${AGENT} ! cancelled`,
      ]);
      const [ended = 0, failed, cancelled = 0] = await sdk.calls();
      expect([failed, ended <= before.length, cancelled <= 1]).toEqual([0, true, true]);
      // An earlier step's answer may have been sent to its end before.
      if (sdk.replay.requests.length === held.length) await until(() => sdk.replay.aborts.length === 1);
      for (const abortedAt of sdk.replay.aborts) delays.push(abortedAt - leftAt);
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });

  test('however its bytes are cut, and however it ends: one ending each, and the parts of a bare SDK', async () => {
    const text = events.join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(text.length), { maxLength: 12 }),
        fc.constantFrom<WireAnswer['then']>('end', 'reset'),
        fc.nat(text.length),
        async (places, then, length) => {
          const cut = [...before, sse(cutAt(text.slice(0, Math.max(1, length)), places), then)];
          const [sdk, bare] = [await observeSdk(...cut), await observeSdk(...cut)];
          const [seen, plain] = [await run(sdk, wire, true), await run(bare, wire, false)];
          if (then === 'end') expect(seen).toEqual(plain);
          await until(() => sdk.open() === 0);
          const counts = await sdk.calls();
          expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(wire.fixtures.length);
          expect(sdk.signals.ended().filter(({ name }) => name === AGENT)).toHaveLength(1);
        },
      ),
      { numRuns: 12 },
    );
  });
});

/** How many parts a run gives before its last stream ends. */
async function countParts(answers: readonly WireAnswer[], wire: Wire): Promise<number> {
  const parts = await run(await observeSdk(...answers), wire, false);
  return parts.findLastIndex((part) => /-(start|delta)$/.test((part as { type?: string }).type ?? '')) + 1;
}

async function* tapped<T>(items: AsyncIterable<T>, tap: () => unknown): AsyncGenerator<T> {
  for await (const item of items) {
    yield item;
    tap();
  }
}

test('a usage that is not told is counted as missing', async () => {
  const sdk = await observeSdk(sse(readWire('openai/no-usage.sse')));
  await collect(ask(sdk, { telemetry: sdk.telemetry() }).textStream);
  expect(await sdk.calls()).toEqual([1, 0, 0]);
  expect(await sdk.signals.value('ai_usage_source_total{source="missing"}')).toBe(1);
});

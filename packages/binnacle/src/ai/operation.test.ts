import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { type Carrier, contextManager, runInScope } from '../context.ts';
import { type Ai, createAi, type Operation, type OperationInfo } from './operation.ts';

const INFO: OperationInfo = { operation: 'chat', provider: 'openai', model: 'm1' };
const LABELS = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m1"';
const failure = Object.assign(new Error('overloaded'), { status: 529 });

function setUp(): { signals: TestSignals; ai: Ai } {
  const signals = createSignals();
  return { signals, ai: createAi(signals) };
}

async function calls({ value }: TestSignals): Promise<(number | undefined)[]> {
  return Promise.all(
    ['success', 'error', 'cancelled'].map((status) => value(`llm_calls_total{model="m1",status="${status}"}`)),
  );
}

const durations = ({ value }: TestSignals, errorType = '') =>
  value(
    `gen_ai_client_operation_duration_seconds_count{${LABELS}${errorType === '' ? '' : `,error_type="${errorType}"`}}`,
  );

async function sources({ value }: TestSignals): Promise<(number | undefined)[]> {
  return Promise.all(
    ['provider', 'estimated', 'missing'].map((source) => value(`ai_usage_source_total{source="${source}"}`)),
  );
}

/** A carrier whose client can go away. */
function createCarrier() {
  const controller = new AbortController();
  const carrier: Carrier = { signal: controller.signal, closing: {}, declare() {}, whenSettled() {} };
  const run = <T>(work: () => T): T =>
    runInScope({ request: { requestId: 'r', sessionId: 's1', carrier }, otel: ROOT_CONTEXT }, work);
  return { controller, carrier, run };
}

test('the series of a model exist at 0 before its first call', async () => {
  const { signals, ai } = setUp();
  ai.expect(INFO);
  expect(await calls(signals)).toEqual([0, 0, 0]);
  expect(await signals.value('llm_latency_seconds_count{model="m1"}')).toBe(0);
  expect(await sources(signals)).toEqual([0, 0, 0]);
});

describe('one ending', () => {
  const endings: [string, (operation: Operation) => void, number[], string][] = [
    ['end', (operation) => operation.end(), [1, 0, 0], ''],
    ['abort', (operation) => operation.abort(), [0, 0, 1], 'cancelled'],
    ['error', (operation) => operation.error(failure), [0, 1, 0], '529'],
    ['a timeout', (operation) => operation.error(new DOMException('x', 'TimeoutError')), [0, 1, 0], 'timeout'],
    [
      'an abort that is thrown',
      (operation) => operation.error(new DOMException('x', 'AbortError')),
      [0, 0, 1],
      'cancelled',
    ],
  ];
  test.each(endings)(
    '%s: in count, time and span; whatever comes later changes nothing',
    async (_, end, counted, errorType) => {
      const { signals, ai } = setUp();
      const operation = ai.operation(INFO);
      signals.clock.advance(750);
      end(operation);
      for (const [, again] of endings) again(operation);
      operation.chunk(5);
      operation.usage({ inputTokens: 1, outputTokens: 1 });
      expect(await calls(signals)).toEqual(counted);
      expect(await durations(signals, errorType)).toBe(1);
      expect(await signals.value('llm_latency_seconds_sum{model="m1"}')).toBe(0.75);
      expect(await sources(signals)).toEqual([0, 0, 1]);
      const spans = signals.ended();
      expect(spans).toHaveLength(1);
      expect([spans[0]?.name, spans[0]?.kind]).toEqual(['chat m1', SpanKind.CLIENT]);
      expect(spans[0]?.attributes).toEqual({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'm1',
        ...(errorType !== '' && { 'error.type': errorType }),
      });
      expect(spans[0]?.status.code).toBe(counted[1] === 1 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET);
    },
  );

  test('of a single call', async () => {
    const { signals, ai } = setUp();
    expect(await ai.call(INFO, async () => 'answer')).toBe('answer');
    await expect(ai.call(INFO, () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(
      ai.call(INFO, () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(await calls(signals)).toEqual([1, 2, 0]);
    expect(signals.ended()).toHaveLength(3);
  });

  test('of a stream that cannot be opened', async () => {
    const { signals, ai } = setUp();
    const broken = (): AsyncIterable<string> => {
      throw failure;
    };
    await expect(ai.stream(INFO, broken).next()).rejects.toBe(failure);
    expect(await calls(signals)).toEqual([0, 1, 0]);
    expect(signals.ended()).toHaveLength(1);
  });

  test('of a stream whose tokens cannot be counted: telemetry does not break it', async () => {
    const { signals, ai } = setUp();
    const count = (): number => {
      throw new Error('no such tokenizer');
    };
    const seen: string[] = [];
    for await (const item of ai.stream(
      INFO,
      async function* () {
        yield 'a';
        yield 'b';
      },
      count,
    ))
      seen.push(item);
    expect([seen, await calls(signals)]).toEqual([
      ['a', 'b'],
      [1, 0, 0],
    ]);
  });
});

describe('a stream', () => {
  type Ending = 'end' | 'throw' | 'abort' | 'leave';
  const plans = fc.record({
    items: fc.array(fc.tuple(fc.string(), fc.nat({ max: 50 }), fc.option(fc.nat({ max: 9 }))), { maxLength: 20 }),
    ending: fc.constantFrom<Ending>('end', 'throw', 'abort', 'leave'),
    leaveAt: fc.nat({ max: 20 }),
  });

  test('has exactly one ending, and its items pass as they are, however it is cut and ends', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async ({ items, ending, leaveAt }) => {
        const { signals, ai } = setUp();
        const things = items.map(([text]) => ({ text }));
        let open = 0;
        const source = async function* (): AsyncGenerator<{ text: string }> {
          open += 1;
          try {
            for (const [i, thing] of things.entries()) {
              signals.clock.advance(items[i]?.[1] ?? 0);
              yield thing;
            }
            if (ending === 'throw') throw failure;
            if (ending === 'abort') throw new DOMException('x', 'AbortError');
          } finally {
            open -= 1;
          }
        };
        const left = ending === 'leave' && leaveAt < things.length;
        const seen: object[] = [];
        let thrown: unknown;
        try {
          for await (const item of ai.stream(INFO, source, (item) => items[things.indexOf(item)]?.[2] ?? undefined)) {
            seen.push(item);
            if (left && seen.length > leaveAt) break;
          }
        } catch (error) {
          thrown = error;
        }
        const expected = left ? things.slice(0, leaveAt + 1) : things;
        expect(seen).toHaveLength(expected.length);
        expect(seen.every((item, i) => item === expected[i])).toBe(true);
        expect(thrown === undefined).toBe(ending === 'end' || ending === 'leave');
        expect(open).toBe(0);
        const counted = left || ending === 'abort' ? [0, 0, 1] : ending === 'throw' ? [0, 1, 0] : [1, 0, 0];
        expect(await calls(signals)).toEqual(counted);
        expect(signals.ended()).toHaveLength(1);
        const chunks = expected.length;
        const text = await signals.scrape();
        const count = (name: string) =>
          Number(text.match(new RegExp(`^${name}_count\\{${LABELS}\\} (\\d+)$`, 'm'))?.[1] ?? 0);
        expect(count('gen_ai_client_operation_time_to_first_chunk_seconds')).toBe(Math.min(1, chunks));
        expect(count('gen_ai_client_operation_time_per_output_chunk_seconds')).toBe(Math.max(0, chunks - 1));
      }),
      { numRuns: 300 },
    );
  });

  test('tells its first chunk and the time between chunks', async () => {
    const { signals, ai } = setUp();
    const source = async function* (): AsyncGenerator<string> {
      for (const ms of [300, 20, 40]) {
        signals.clock.advance(ms);
        yield 'x';
      }
    };
    for await (const _ of ai.stream(INFO, source)) signals.clock.advance(0);
    expect(await signals.value(`gen_ai_client_operation_time_to_first_chunk_seconds_sum{${LABELS}}`)).toBeCloseTo(0.3);
    expect(await signals.value(`gen_ai_client_operation_time_per_output_chunk_seconds_sum{${LABELS}}`)).toBeCloseTo(
      0.06,
    );
    expect(signals.ended()[0]?.attributes['gen_ai.response.time_to_first_chunk']).toBeCloseTo(0.3);
  });

  test('that is never read is no call', async () => {
    const { signals, ai } = setUp();
    ai.stream(INFO, async function* () {
      yield 1;
    });
    expect(await signals.value('llm_calls_total{model="m1",status="cancelled"}')).toBeUndefined();
    expect(signals.ended()).toEqual([]);
  });

  test('its steps run within its span, its reader does not', async () => {
    const { signals, ai } = setUp();
    const source = async function* (): AsyncGenerator<number> {
      signals.tracer.startSpan('client').end();
      yield 1;
      await null;
      signals.tracer.startSpan('client').end();
    };
    await contextManager.with(ROOT_CONTEXT, async () => {
      for await (const _ of ai.stream(INFO, source)) signals.tracer.startSpan('reader').end();
    });
    const operation = signals
      .ended()
      .find(({ name }) => name === 'chat m1')
      ?.spanContext().spanId;
    const parents = signals.ended().map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId]);
    expect(parents).toEqual([
      ['client', operation],
      ['reader', undefined],
      ['client', operation],
      ['chat m1', undefined],
    ]);
  });
});

describe('tokens', () => {
  const usage = { inputTokens: 100, outputTokens: 20 };
  const used = ({ value }: TestSignals, type: string) =>
    value(`gen_ai_client_token_usage_sum{${LABELS},gen_ai_token_type="${type}"}`);

  test("of a provider's count go to the convention's names; the last count stands", async () => {
    const { signals, ai } = setUp();
    await ai.call(INFO, async (operation) => {
      operation.usage({ inputTokens: 1, outputTokens: 1 });
      operation.usage(usage);
      operation.response({ model: 'm1-2026', id: 'x1', finishReasons: ['stop'] });
    });
    expect([await used(signals, 'input'), await used(signals, 'output')]).toEqual([100, 20]);
    expect(await sources(signals)).toEqual([1, 0, 0]);
    expect(signals.ended()[0]?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 20,
      'gen_ai.response.model': 'm1-2026',
      'gen_ai.response.id': 'x1',
      'gen_ai.response.finish_reasons': ['stop'],
    });
  });

  test('that are estimated go to a metric of ours alone', async () => {
    const { signals, ai } = setUp();
    await ai.call(INFO, async (operation) => operation.usage({ ...usage, source: 'estimated' }));
    expect([await used(signals, 'input'), await used(signals, 'output')]).toEqual([undefined, undefined]);
    const estimated = (type: string) =>
      signals.value(`ai_tokens_estimated_total{gen_ai_request_model="m1",gen_ai_token_type="${type}"}`);
    expect([await estimated('input'), await estimated('output')]).toEqual([100, 20]);
    expect(await sources(signals)).toEqual([0, 1, 0]);
    expect(Object.keys(signals.ended()[0]?.attributes ?? {}).filter((key) => key.startsWith('gen_ai.usage'))).toEqual(
      [],
    );
  });

  test('that nobody counted are told as missing', async () => {
    const { signals, ai } = setUp();
    await ai.call(INFO, async () => {});
    expect(await sources(signals)).toEqual([0, 0, 1]);
  });

  test('that were counted before a failure are counted', async () => {
    const { signals, ai } = setUp();
    const failing = ai.call(INFO, async (operation) => {
      operation.usage(usage);
      throw failure;
    });
    await expect(failing).rejects.toBe(failure);
    expect(await used(signals, 'output')).toBe(20);
  });

  test('that came after the client had gone are counted as such', async () => {
    const { signals, ai } = setUp();
    const { controller, run } = createCarrier();
    await run(async () => {
      const source = async function* (): AsyncGenerator<number> {
        yield 3;
        controller.abort();
        yield 4;
        yield 5;
      };
      for await (const _ of ai.stream(INFO, source, (tokens) => tokens));
    });
    expect(await signals.value('ai_tokens_after_disconnect_total')).toBe(9);
  });
});

test('of a session: its id on the span, its sums in the closing line', async () => {
  const { signals, ai } = setUp();
  const { carrier, run } = createCarrier();
  await run(async () => {
    await ai.call(INFO, async (operation) => {
      signals.clock.advance(10);
      operation.usage({ inputTokens: 10, outputTokens: 2 });
    });
    await ai.call({ ...INFO, provider: 'embedded' }, async (operation) => {
      signals.clock.advance(5);
      operation.usage({ inputTokens: 1, outputTokens: 1 });
    });
  });
  expect(carrier.closing).toEqual({
    llm: {
      model: 'm1',
      provider: 'embedded',
      calls: 2,
      duration_ms: 15,
      input_tokens: 11,
      output_tokens: 3,
      usage_source: 'provider',
    },
  });
  const [outward, embedded] = signals.ended();
  expect(outward?.attributes).toMatchObject({ 'gen_ai.conversation.id': 's1' });
  expect([outward?.kind, embedded?.kind]).toEqual([SpanKind.CLIENT, SpanKind.INTERNAL]);
});

test('what a client abort throws is an abort, by the signal in hand', async () => {
  const { signals, ai } = setUp();
  const { controller, run } = createCarrier();
  controller.abort();
  await run(() => expect(ai.call(INFO, () => Promise.reject(failure))).rejects.toBe(failure));
  expect(await calls(signals)).toEqual([0, 0, 1]);
});

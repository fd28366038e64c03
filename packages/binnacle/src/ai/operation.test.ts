import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { type Carrier, contextManager, runInScope } from '../context.ts';
import { createBreaker } from '../work/breaker.ts';
import { type Ai, type AiOptions, createAi } from './ai.ts';
import type { OperationInfo } from './info.ts';
import type { Operation, RunningOperation } from './operation.ts';

const INFO: OperationInfo = { operation: 'chat', provider: 'openai', model: 'm1' };
const LABELS = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m1"';
const OPTIONS: AiOptions = {
  capture: 'none',
  redact: (value) => value,
  countTokens: undefined,
  olderNames: false,
  prices: undefined,
};
const failure = Object.assign(new Error('overloaded'), { status: 529 });

function setUp(): { signals: TestSignals; ai: Ai } {
  const signals = createSignals();
  return { signals, ai: createAi(signals, OPTIONS) };
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

describe('what an operation uses and costs', () => {
  const prices = { as_of: '2026-11-01', models: { m1: { input: 2, output: 8 } } };
  const open = (options: Partial<AiOptions>) => {
    const signals = createSignals();
    return { signals, ai: createAi(signals, { ...OPTIONS, ...options }) };
  };

  test('is an estimate where the provider told nothing, whoever ended it', async () => {
    const { signals, ai } = open({ countTokens: (text) => text.split(' ').length });
    const operation = ai.operation(INFO);
    operation.input([{ role: 'user', content: 'one two three' }]);
    operation.content('four ');
    operation.content('five');
    operation.abort();
    expect(await sources(signals)).toEqual([0, 1, 0]);
    const estimated = (type: string) =>
      signals.value(`ai_tokens_estimated_total{gen_ai_request_model="m1",gen_ai_token_type="${type}"}`);
    expect([await estimated('input'), await estimated('output')]).toEqual([3, 2]);
    expect(Object.keys(signals.ended()[0]?.attributes ?? {}).filter((key) => key.startsWith('gen_ai.usage'))).toEqual(
      [],
    );
  });

  test('a tokenizer that throws gives none', async () => {
    const { signals, ai } = open({
      countTokens: () => {
        throw new Error('no such model');
      },
    });
    const operation = ai.operation(INFO);
    operation.content('x');
    operation.end();
    expect(await sources(signals)).toEqual([0, 0, 1]);
  });

  test('is priced by the table, for the model that answered; an unknown one costs nothing and says so once', async () => {
    const { signals, ai } = open({ prices });
    const use = (model: string): void => {
      const operation = ai.operation({ ...INFO, model });
      operation.usage({ inputTokens: 500_000, outputTokens: 250_000, cachedInputTokens: 100, reasoningTokens: 50 });
      operation.end();
    };
    for (const model of ['m1', 'unknown', 'unknown']) use(model);
    expect(await signals.value('ai_cost_usd_total{gen_ai_request_model="m1"}')).toBe(3);
    expect(await signals.value('ai_cost_usd_total{gen_ai_request_model="unknown"}')).toBeUndefined();
    expect(signals.lines.map(({ message }) => message)).toEqual([
      'No price is known of unknown: its cost is not counted',
    ]);
    expect(signals.ended()[0]?.attributes).toMatchObject({
      'binnacle.ai.cost_usd': 3,
      'gen_ai.usage.cache_read.input_tokens': 100,
      'gen_ai.usage.reasoning.output_tokens': 50,
    });
  });
});

test('the first content, and how long our own caller waited for it', async () => {
  const { signals, ai } = setUp();
  const pieces: ((now: number) => void)[] = [];
  const { carrier } = createCarrier();
  const request = {
    requestId: 'r',
    carrier: { ...carrier, onNextPiece: (listener: (now: number) => void) => void pieces.push(listener) },
  };
  runInScope({ request, otel: ROOT_CONTEXT }, () => {
    const operation = ai.operation(INFO);
    operation.chunk();
    signals.clock.advance(400);
    operation.chunk();
    operation.content('x');
    operation.content('y');
    signals.clock.advance(5);
    for (const listener of pieces) listener(signals.clock.now());
    operation.end();
  });
  expect(await signals.value(`ai_time_to_first_content_seconds_sum{${LABELS}}`)).toBe(0.4);
  expect(await signals.value('ai_first_content_overhead_seconds_sum{gen_ai_request_model="m1"}')).toBeCloseTo(0.005);
  expect(await signals.value('ai_first_content_overhead_seconds_count{gen_ai_request_model="m1"}')).toBe(1);
});

test('a stream that breaks off without a word is a failure, for the breaker above it too', async () => {
  const { signals, ai } = setUp();
  const breaker = createBreaker('llm', signals, { failures: 1 });
  const seen: string[] = [];
  for await (const item of breaker.stream(async function* () {
    const operation = ai.operation(INFO) as RunningOperation;
    yield 'half';
    operation.breakOff();
  }))
    seen.push(item);
  expect(seen).toEqual(['half']);
  expect(breaker.state).toBe('open');
  expect(await calls(signals)).toEqual([0, 1, 0]);
  expect(await durations(signals, 'IncompleteStreamError')).toBe(1);
});

test('tools, agents and workflows are spans around what they do, and no LLM calls', async () => {
  const { signals, ai } = setUp();
  await ai.workflow('research', () =>
    ai.agent('planner', async () => {
      await ai.call(INFO, async () => 'plan');
      await ai.tool('search', async () => 'found', 'call-1');
    }),
  );
  const spans = signals.ended();
  expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
    ['chat m1', SpanKind.CLIENT],
    ['execute_tool search', SpanKind.INTERNAL],
    ['invoke_agent planner', SpanKind.INTERNAL],
    ['invoke_workflow research', SpanKind.INTERNAL],
  ]);
  expect(spans[1]?.attributes).toEqual({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'search',
    'gen_ai.tool.call.id': 'call-1',
  });
  const idOf = (n: number): string | undefined => spans[n]?.spanContext().spanId;
  expect(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
    idOf(2),
    idOf(2),
    idOf(3),
    undefined,
  ]);
  expect(await calls(signals)).toEqual([1, 0, 0]);
  expect(await signals.value('llm_calls_total{model="",status="success"}')).toBeUndefined();
  expect(await sources(signals)).toEqual([0, 0, 1]);
});

describe('scores', () => {
  test('of a finished operation: a metric, and an event below its span', async () => {
    const { signals, ai } = setUp();
    const operation = ai.operation(INFO);
    operation.response({ id: 'resp-1' });
    operation.end();
    const reference = JSON.parse(JSON.stringify(operation.reference));
    ai.score(reference, { name: 'helpful', value: 0.75, label: 'pass' });
    expect(
      await signals.value('ai_evaluation_score_sum{gen_ai_evaluation_name="helpful",gen_ai_request_model="m1"}'),
    ).toBe(0.75);
    const [scored, evaluation] = signals.ended();
    expect(evaluation?.name).toBe('evaluate helpful');
    expect(evaluation?.parentSpanContext?.spanId).toBe(scored?.spanContext().spanId);
    expect(evaluation?.events[0]).toMatchObject({
      name: 'gen_ai.evaluation.result',
      attributes: {
        'gen_ai.evaluation.name': 'helpful',
        'gen_ai.evaluation.score.value': 0.75,
        'gen_ai.evaluation.score.label': 'pass',
        'gen_ai.response.id': 'resp-1',
      },
    });
  });

  test.each([Number.NaN, -1, 1.5])('%d is none, and hurts nobody', async (value) => {
    const { signals, ai } = setUp();
    const operation = ai.operation(INFO);
    operation.score({ name: 'helpful', value });
    expect(signals.ended()).toEqual([]);
    expect(signals.lines[0]).toMatchObject({ level: 'WARNING', logger: 'ai', fields: { value } });
  });

  test.each([
    ['a text', 'it told of her illness', 'string'],
    ['a number as text', '0.5', 'string'],
    ['an object', { answer: 'it told of her illness' }, 'object'],
    ['a symbol, which cannot be compared', Symbol('it told of her illness'), 'symbol'],
    ['nothing', undefined, 'undefined'],
  ])('%s is none, and only its kind is told', async (_, value, kind) => {
    const { signals, ai } = setUp();
    ai.operation(INFO).score({ name: 'helpful', value: value as never });
    expect(signals.ended()).toEqual([]);
    expect(signals.lines).toMatchObject([{ level: 'WARNING', logger: 'ai', fields: { value: kind } }]);
  });
});

/** LangChain.js, real, with its own fakes of models and tools. */
import { getEventListeners } from 'node:events';
import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda } from '@langchain/core/runnables';
import { DynamicTool } from '@langchain/core/tools';
import { FakeLLM, FakeRetriever, FakeStreamingChatModel } from '@langchain/core/utils/testing';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { until } from '../../../test/until.ts';
import { runInScope } from '../../context.ts';
import { createLangChainHandler, type LangChainHandler } from './langchain.ts';
import { MARKER, type Told, tellOf } from './observed.test-helper.ts';

interface Chain extends Told {
  readonly handler: LangChainHandler;
}

async function observeChain(limit?: number): Promise<Chain> {
  const told = await tellOf();
  // Streams that stand still are let go at once.
  return { ...told, handler: createLangChainHandler(told.start, { idleMs: 200, ...(limit && { limit }) }) };
}

/** Core's own fake, which says of itself and of its answers what a provider's model does. */
class Model extends FakeStreamingChatModel {
  override getLsParams() {
    return {
      ls_provider: 'openai',
      ls_model_name: 'gpt-4o',
      ls_model_type: 'chat' as const,
      ls_temperature: 0.5,
      ls_max_tokens: 99,
    };
  }

  override async *_streamResponseChunks(
    ...[messages, options, runManager]: Parameters<FakeStreamingChatModel['_streamResponseChunks']>
  ) {
    if (this.chunks.length === 0) {
      yield* super._streamResponseChunks(messages, options, runManager);
      return;
    }
    for (const message of this.chunks) {
      await new Promise((done) => setTimeout(done, this.sleep));
      const chunk = new ChatGenerationChunk({ message, text: String(message.content) });
      yield chunk;
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
    }
  }

  override async _generate(...[messages, options, runManager]: Parameters<FakeStreamingChatModel['_generate']>) {
    const [first, ...more] = this.chunks;
    if (first === undefined) return super._generate(messages, options, runManager);
    const message = more.reduce((whole, chunk) => whole.concat(chunk), first);
    return { generations: [{ text: String(message.content), message }] };
  }
}

const CHUNKS = [
  new AIMessageChunk({ content: `Hello ${MARKER}`, id: 'chatcmpl-1' }),
  new AIMessageChunk({ content: ' world' }),
  new AIMessageChunk({
    content: '',
    response_metadata: { finish_reason: 'stop', model_name: 'gpt-4o-2024-08-06' },
    usage_metadata: {
      input_tokens: 11,
      output_tokens: 6,
      total_tokens: 17,
      input_token_details: { cache_read: 4 },
      output_token_details: { reasoning: 2 },
    },
  }),
];
const model = (): Model => new Model({ chunks: CHUNKS, sleep: 1 });

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
const SAYS = {
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.temperature': 0.5,
  'gen_ai.request.max_tokens': 99,
  'gen_ai.response.model': 'gpt-4o-2024-08-06',
  'gen_ai.response.finish_reasons': ['stop'],
  'gen_ai.usage.input_tokens': 11,
  'gen_ai.usage.output_tokens': 6,
  'gen_ai.usage.cache_read.input_tokens': 4,
  'gen_ai.usage.reasoning.output_tokens': 2,
};

describe('LangChain.js', () => {
  test('a streamed model: what is read is what is read without it', async () => {
    const chain = await observeChain();
    const bare = await collect(await model().stream(MARKER));
    const seen = await collect(await model().stream(MARKER, { callbacks: [chain.handler] }));
    expect(seen.map(({ content }) => content)).toEqual(bare.map(({ content }) => content));
    expect(chain.tree()).toEqual(['chat gpt-4o']);
    expect(chain.span('chat gpt-4o')?.attributes).toMatchObject({ ...SAYS, 'gen_ai.response.id': 'chatcmpl-1' });
    expect(await chain.calls()).toEqual([1, 0, 0]);
    const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"';
    for (const name of ['operation_time_to_first_chunk', 'operation_time_per_output_chunk'])
      expect(await chain.signals.value(`gen_ai_client_${name}_seconds_count{${labels}}`)).toBeGreaterThan(0);
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test('`obs.ai.langchain()` is it, the same one each time: told twice, it counts once', async () => {
    const chain = await observeChain();
    const twice = model();
    twice.callbacks = [chain.ai.langchain()];
    await collect(await twice.stream(MARKER, { callbacks: [chain.ai.langchain()] }));
    expect(chain.tree()).toEqual(['chat gpt-4o']);
    const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"';
    const gaps = `gen_ai_client_operation_time_per_output_chunk_seconds_count{${labels}}`;
    expect(await chain.signals.value(gaps)).toBe(CHUNKS.length - 1);
  });

  test('a chain is a workflow; what it is made of is not told', async () => {
    const chain = await observeChain();
    const prompt = ChatPromptTemplate.fromMessages([['user', '{question}']]);
    const made = prompt.pipe(model()).pipe(new StringOutputParser());
    const bare = await made.invoke({ question: MARKER });
    expect(await made.invoke({ question: MARKER }, { callbacks: [chain.handler] })).toBe(bare);
    const pieces = await collect(await made.stream({ question: MARKER }, { callbacks: [chain.handler] }));
    expect(pieces.join('')).toContain('world');
    const one = ['invoke_workflow RunnableSequence', 'invoke_workflow RunnableSequence > chat gpt-4o'];
    expect(chain.tree()).toEqual([...one, ...one].sort());
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test('an agent with tools and a retriever, several steps', async () => {
    const chain = await observeChain();
    const search = new DynamicTool({ name: 'weather', description: 'x', func: async (city) => `sunny in ${city}` });
    const broken = new DynamicTool({
      name: 'broken',
      description: 'x',
      func: async () => {
        throw new RangeError(MARKER);
      },
    });
    const agent = RunnableLambda.from(async (question: string, config) => {
      const inner = RunnableLambda.from(async (text: string, below) => {
        await new FakeRetriever().invoke(text, below);
        return await model().invoke(text, below);
      });
      await inner.invoke(question, config);
      await search.invoke({ type: 'tool_call', id: 'call-1', name: 'weather', args: { input: MARKER } }, config);
      await expect(broken.invoke('x', config)).rejects.toThrow(RangeError);
      return (await model().invoke(question, config)).content;
    }).withConfig({ runName: 'PlannerAgent' });
    await agent.invoke(MARKER, { callbacks: [chain.handler] });
    const top = 'invoke_agent PlannerAgent';
    expect(chain.tree()).toEqual([
      top,
      `${top} > chat gpt-4o`,
      `${top} > chat gpt-4o`,
      `${top} > execute_tool broken ! RangeError`,
      `${top} > execute_tool weather`,
      `${top} > retrieval FakeRetriever`,
    ]);
    expect(chain.span('execute_tool weather')?.attributes['gen_ai.tool.call.id']).toBe('call-1');
    expect(chain.span('execute_tool broken')?.attributes['error.type']).toBe('RangeError');
    expect(chain.span(top)?.attributes['error.type']).toBeUndefined();
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test('an error in mid-stream reaches its reader as it is, and ends model and chain', async () => {
    const chain = await observeChain();
    class Broken extends Model {
      override async *_streamResponseChunks(...args: Parameters<Model['_streamResponseChunks']>) {
        for await (const chunk of super._streamResponseChunks(...args)) {
          yield chunk;
          throw new RangeError(MARKER);
        }
      }
    }
    const made = new Broken({ chunks: CHUNKS }).pipe(new StringOutputParser());
    const failed = collect(await made.stream('x', { callbacks: [chain.handler] }));
    await expect(failed).rejects.toThrow(RangeError);
    expect(await chain.calls()).toEqual([0, 1, 0]);
    expect(chain.signals.ended().map(({ attributes }) => attributes['error.type'])).toEqual([
      'RangeError',
      'RangeError',
    ]);
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test.each([
    [1, false],
    [2, false],
    [3, true],
  ])('an abort at chunk %i cancels the model once, and its chain', async (at, chained) => {
    const chain = await observeChain();
    const controller = new AbortController();
    const alone = new Model({ responses: [new AIMessage('x'.repeat(200))], sleep: 1 });
    const options = { callbacks: [chain.handler], signal: controller.signal };
    const stream = chained
      ? await alone.pipe(new StringOutputParser()).stream('x', options)
      : await alone.stream('x', options);
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const _ of stream) if (++seen === at) controller.abort();
    };
    await expect(read()).rejects.toThrow();
    const top = 'invoke_workflow RunnableSequence';
    await until(() => chain.open() === 0);
    const left = 'chat gpt-4o ! cancelled';
    expect(chain.tree()).toEqual(chained ? [`${top} ! cancelled`, `${top} ! cancelled > ${left}`] : [left]);
    expect(await chain.calls()).toEqual([0, 0, 1]);
    for (const { attributes } of chain.signals.ended()) expect(attributes['error.type']).toBe('cancelled');
  });

  test('a stream that its reader leaves is cancelled when it stands still after its request', async () => {
    const chain = await observeChain();
    await chain.request(async () => {
      for await (const _ of await model().stream('x', { callbacks: [chain.handler] })) break;
    });
    expect(chain.tree()).toEqual([]);
    chain.settle();
    await until(() => chain.open() === 0);
    expect(chain.tree()).toEqual(['chat gpt-4o ! cancelled']);
    expect(await chain.calls()).toEqual([0, 0, 1]);
  });

  test('what goes on after its request is told of to its end', async () => {
    const chain = await observeChain();
    const chunks = Array.from({ length: 20 }, () => CHUNKS[0]!).concat(CHUNKS.slice(1));
    const streamed = chain.request(() => new Model({ chunks, sleep: 30 }).stream('x', { callbacks: [chain.handler] }));
    chain.settle();
    expect(await collect(await streamed)).toHaveLength(22);
    expect(chain.tree()).toEqual(['chat gpt-4o']);
  });

  test('a model that is aborted for another one leaves its chain as it is', async () => {
    const chain = await observeChain();
    const race = RunnableLambda.from(async (question: string, config) => {
      const controller = new AbortController();
      const winner = collect(await new Model({ chunks: CHUNKS, sleep: 20 }).stream(question, config));
      const slow = new Model({ responses: [new AIMessage('x'.repeat(2000))], sleep: 5 });
      const loser = collect(await slow.stream(question, { ...config, signal: controller.signal }));
      controller.abort();
      await expect(loser).rejects.toThrow();
      return (await winner).length;
    });
    const options = { callbacks: [chain.handler], runName: 'race' };
    expect(await race.invoke(MARKER, options)).toBe(3);
    const top = 'invoke_workflow race';
    expect(chain.tree()).toEqual([top, `${top} > chat gpt-4o`, `${top} > chat gpt-4o ! cancelled`]);
    expect(chain.open()).toBe(0);
  });

  test('a signal is let go of with the run that it was given', async () => {
    const chain = await observeChain();
    const { signal } = new AbortController();
    const made = model().pipe(new StringOutputParser());
    for (let i = 0; i < 3; i += 1) await made.invoke(MARKER, { callbacks: [chain.handler], signal });
    expect(chain.open()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test.each(['Aborted', 'AbortError'])('an error that says %s and no more is a cancellation', async (message) => {
    const chain = await observeChain();
    chain.handler.handleChatModelStart({}, [], 'x', undefined, {}, [], { ls_model_name: 'gpt-4o' });
    chain.handler.handleLLMError(new Error(message), 'x');
    expect(await chain.calls()).toEqual([0, 0, 1]);
  });

  test('a model of plain text is a completion', async () => {
    const chain = await observeChain();
    await new FakeLLM({ response: MARKER }).invoke(MARKER, { callbacks: [chain.handler] });
    expect(chain.tree()).toEqual(['text_completion FakeLLM']);
    expect(await chain.everything()).not.toContain(MARKER);
  });

  test('a usage that is not told is counted as missing', async () => {
    const chain = await observeChain();
    await new Model({ responses: [new AIMessage('hello')] }).invoke('x', { callbacks: [chain.handler] });
    expect(await chain.signals.value('ai_usage_source_total{source="missing"}')).toBe(1);
    expect(chain.span('chat gpt-4o')?.attributes['binnacle.ai.output.length']).toBe(5);
  });

  test('within an operation of the host for the same model nothing is counted twice', async () => {
    const chain = await observeChain();
    const info = { operation: 'chat', provider: 'openai', model: 'gpt-4o' };
    await chain.ai.call(info, () => model().invoke('x', { callbacks: [chain.handler] }));
    expect(chain.tree()).toEqual(['chat gpt-4o']);
    expect(chain.span('chat gpt-4o')?.attributes).toMatchObject({ 'gen_ai.response.model': 'gpt-4o-2024-08-06' });
  });

  test('50 runs at once keep their sessions, and their own children', async () => {
    const chain = await observeChain();
    const made = ChatPromptTemplate.fromMessages([['user', '{q}']])
      .pipe(model())
      .pipe(new StringOutputParser());
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        runInScope({ request: { requestId: `r-${i}`, sessionId: `s-${i}` }, otel: ROOT_CONTEXT }, async () => {
          const config = { callbacks: [chain.handler], runName: `flow-${i}` };
          if (i % 2 === 0) await made.invoke({ q: 'x' }, config);
          else await collect(await made.stream({ q: 'x' }, config));
        }),
      ),
    );
    const spans = chain.signals.ended();
    expect(spans).toHaveLength(100);
    const flows = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    for (const span of spans) {
      const flow = flows.get(span.parentSpanContext?.spanId ?? '') ?? span;
      expect(span.attributes['gen_ai.conversation.id']).toBe(flow.name.replace('invoke_workflow flow-', 's-'));
    }
  });

  test('runs that never end are bounded: the oldest is cancelled, once', async () => {
    const chain = await observeChain(10);
    for (let i = 0; i < 25; i += 1)
      chain.handler.handleChatModelStart({}, [], `run-${i}`, undefined, {}, [], { ls_model_name: 'gpt-4o' });
    expect(chain.signals.ended()).toHaveLength(15);
    for (let i = 0; i < 25; i += 1) chain.handler.handleLLMEnd({ generations: [[]] }, `run-${i}`);
    for (let i = 0; i < 25; i += 1) chain.handler.handleLLMError(new Error('late'), `run-${i}`);
    expect(chain.signals.ended()).toHaveLength(25);
  });

  test('a parent that ends takes what is open below it along', async () => {
    const chain = await observeChain();
    chain.handler.handleChainStart({}, {}, 'a', undefined, [], {}, undefined, 'flow');
    chain.handler.handleChainStart({}, {}, 'b', 'a', [], {}, undefined, 'plumbing');
    chain.handler.handleChatModelStart({}, [], 'c', 'b', {}, [], { ls_model_name: 'gpt-4o' });
    chain.handler.handleChainEnd({}, 'a');
    expect(chain.tree()).toEqual(['invoke_workflow flow', 'invoke_workflow flow > chat gpt-4o ! cancelled']);
  });

  test('nonsense is no trouble of the host', async () => {
    const { handler, signals } = await observeChain();
    handler.handleChatModelStart(null, null, 'x', null);
    handler.handleLLMNewToken(null, null, 'x');
    handler.handleLLMEnd(null, 'x');
    handler.handleChatModelStart(null, null, 'y', null);
    const unreadable = {
      get generations(): unknown {
        throw new Error('unreadable');
      },
    };
    handler.handleLLMEnd(unreadable, 'y');
    handler.handleToolEnd(undefined, 'nobody');
    handler.handleChainStart(undefined, undefined, undefined);
    expect(signals.ended()).toHaveLength(2);
  });
});

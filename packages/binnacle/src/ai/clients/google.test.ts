/** `@google/genai`, real, over real sockets, against what Google says on the wire. */
import { type CallableTool, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../test/garbage.ts';
import { until } from '../../../test/until.ts';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { observeUndici } from '../../drivers/undici.ts';
import { googleKind } from './google.ts';
import { middleOf } from './observed.test-helper.ts';
import { attemptsOf, collect, cutAt, type Observed, observeClient } from './wire.test-helper.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function replay(...answers: WireAnswer[]): Promise<Replay> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  return server;
}

const googleOf = (url: string, more: object = {}): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'secret-key', ...more, httpOptions: { baseUrl: url } });

function observe(url: string, more: object = {}): { client: GoogleGenAI; observed: Observed } {
  const client = googleOf(url, more);
  return { client, observed: observeClient(client, [googleKind]) };
}

const json = (event = ''): WireAnswer => ({
  headers: { 'content-type': 'application/json' },
  pieces: [event.replace(/^data: /, '')],
});
const PROMPT = 'marker-7781';
const GEMINI = 'gemini-2.5-flash';
const tokens = (input: number, output: number, more: object = {}) => ({
  'gen_ai.usage.input_tokens': input,
  'gen_ai.usage.output_tokens': output,
  ...more,
});

/** The headers of each chunk tell the time. */
const bodies = (items: readonly GenerateContentResponse[]) =>
  items.map((item) => ({ ...item, sdkHttpResponse: undefined }));

interface Wire {
  readonly fixture: string;
  readonly vertex?: boolean;
  /** What the wire says. */
  readonly says: Readonly<Record<string, unknown>>;
}
const reasons = (...words: string[]) => ({ 'gen_ai.response.finish_reasons': words });
const thought = (count: number) => ({ 'gen_ai.usage.reasoning.output_tokens': count });
const WIRES: readonly Wire[] = [
  {
    fixture: 'text',
    says: {
      ...tokens(13, 63 + 75, thought(75)),
      ...reasons('STOP'),
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.response.model': GEMINI,
      'gen_ai.response.id': 'VJfyaP7eE_6zmtkP4qLV6Ao',
      'gen_ai.request.stream': true,
      'server.address': '127.0.0.1',
    },
  },
  { fixture: 'thinking', says: { ...tokens(30, 1947, thought(1947)), ...reasons('STOP') } },
  { fixture: 'max-tokens', says: { ...tokens(9, 10 + 38, thought(38)), ...reasons('MAX_TOKENS') } },
  {
    fixture: 'functions-told',
    vertex: true,
    says: { ...tokens(211, 30), ...reasons('STOP'), 'gen_ai.provider.name': 'gcp.vertex_ai' },
  },
  { fixture: 'functions-asked', says: { ...tokens(70, 40 + 61, thought(61)), ...reasons('STOP') } },
  {
    fixture: 'cached',
    says: {
      ...tokens(66, 18 + 6, thought(6)),
      'gen_ai.usage.cache_read.input_tokens': 10,
      ...reasons('STOP'),
    },
  },
  // What Google's own search has read comes on top of the prompt.
  { fixture: 'search', says: { ...tokens(32 + 253, 49 + 430, thought(430)), ...reasons('STOP') } },
  { fixture: 'blocked', says: reasons('SAFETY') },
];
/** The event that says that an answer is whole. */
const WHOLE = /"(finishReason|blockReason)"/;

const ask = (client: GoogleGenAI, config?: object) =>
  client.models.generateContentStream({ model: GEMINI, contents: PROMPT, ...(config && { config }) });

async function run({ vertex }: Wire, answer: WireAnswer, watched: boolean) {
  const server = await replay(answer);
  const client = googleOf(server.url, { vertexai: vertex === true });
  const observed = watched ? observeClient(client, [googleKind]) : undefined;
  const asked = async () => collect(await ask(client));
  const { items, error } = await (observed === undefined ? asked() : observed.request(asked));
  return { server, observed: observed as Observed, seen: JSON.stringify(bodies(items)), items, error: String(error) };
}

describe.each(WIRES)('$fixture', (wire) => {
  const events = readWire(`google/${wire.fixture}.sse`);

  test('whole: tokens, reasons, names as the wire says them, and its reader sees what a bare SDK gives', async () => {
    const { observed, seen, items, server } = await run(wire, sse(events), true);
    const bare = await run(wire, sse(events), false);
    expect(seen).toBe(bare.seen);
    expect(items).toHaveLength(events.length);
    expect(observed.told()).toMatchObject({ name: `generate_content ${GEMINI}`, status: 0, attributes: wire.says });
    const subset = 'gen_ai.usage.reasoning.output_tokens';
    expect(observed.told().attributes[subset]).toBe(wire.says[subset]);
    expect(await observed.calls(GEMINI)).toEqual([1, 0, 0]);
    expect(server.requests.map(({ body, path }) => [body, path])).toEqual(
      bare.server.requests.map(({ body, path }) => [body, path]),
    );
    const everything = JSON.stringify([observed.told(), observed.signals.lines, await observed.signals.scrape()]);
    expect(everything).not.toMatch(/marker-7781|secret-key/);
  });

  test('cut after each event: a failure of ours until it is whole, while its reader sees what a bare SDK gives', async () => {
    const finish = events.findIndex((event) => WHOLE.test(event));
    for (let sent = 0; sent <= events.length; sent += 1) {
      const { observed, seen, error } = await run(wire, sse(events.slice(0, sent)), true);
      const bare = await run(wire, sse(events.slice(0, sent)), false);
      expect([seen, error]).toEqual([bare.seen, bare.error]);
      const whole = sent > finish;
      expect([sent, await observed.calls(GEMINI)]).toEqual([sent, whole ? [1, 0, 0] : [0, 1, 0]]);
      expect(observed.told().attributes['error.type']).toBe(whole ? undefined : 'IncompleteStreamError');
    }
  });

  test('left by its client after each item: cancelled once, and Google hears of it at once', async () => {
    const delays: number[] = [];
    for (let taken = 1; taken < events.length; taken += 1) {
      const server = await replay(sse(events.slice(0, taken), 'hold'));
      const { client, observed } = observe(server.url);
      let leftAt = 0;
      const { items, error } = await observed.request(async () => {
        const stream = await ask(client);
        let seen = 0;
        return collect(
          (async function* () {
            for await (const item of stream) {
              yield item;
              seen += 1;
              if (seen < taken) continue;
              leftAt = performance.now();
              observed.leave();
            }
          })(),
        );
      });
      expect([items.length, (error as Error).name]).toEqual([taken, 'AbortError']);
      await until(() => server.aborts.length === 1);
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect(await observed.calls(GEMINI)).toEqual([0, 0, 1]);
      expect(observed.told().attributes['error.type']).toBe('cancelled');
    }
    if (delays.length > 0) expect(middleOf(delays)).toBeLessThan(100);
  });

  test('however its bytes are cut, and however it ends: one ending, and the items of a bare SDK', async () => {
    const text = events.join('');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(text.length), { maxLength: 12 }),
        fc.constantFrom<WireAnswer['then']>('end', 'reset'),
        fc.nat(text.length),
        async (places, then, length) => {
          const answer = sse(cutAt(text.slice(0, Math.max(1, length)), places), then);
          const settle = (watched: boolean) =>
            run(wire, answer, watched).catch((error: unknown) => ({
              seen: '',
              error: String(error),
              observed: undefined,
            }));
          const { observed, seen, error } = await settle(true);
          const bare = await settle(false);
          if (then === 'end') expect([seen, error]).toEqual([bare.seen, bare.error]);
          if (observed === undefined) return;
          expect(await sumOfCalls(observed)).toBe(1);
          expect(observed.told().name).toBe(`generate_content ${GEMINI}`);
        },
      ),
      { numRuns: 15 },
    );
  });
});

test.each(WIRES.filter(({ fixture }) => readWire(`google/${fixture}.sse`).length > 1))(
  '$fixture: reset in the middle, as an error',
  async (wire) => {
    const cut = sse(readWire(`google/${wire.fixture}.sse`).slice(0, -1), 'reset');
    const { observed, error } = await run(wire, cut, true);
    expect(error).toBe((await run(wire, cut, false)).error);
    expect(await observed.calls(GEMINI)).toEqual([0, 1, 0]);
  },
);

async function sumOfCalls(observed: Observed): Promise<number> {
  return (await observed.calls(GEMINI)).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

const [first] = WIRES as [Wire];
const whole = readWire(`google/${first.fixture}.sse`);

describe('what goes wrong', () => {
  const UNAVAILABLE = readWire('google/unavailable.sse');
  const failure = (status: number): WireAnswer => ({
    status,
    headers: { 'content-type': 'application/json' },
    pieces: [String(UNAVAILABLE[0]).replace('503', String(status))],
  });

  test('an error is the SDK’s own, and recorded by its status', async () => {
    const server = await replay(failure(404));
    const { client, observed } = observe(server.url);
    const bare = await ask(googleOf(server.url)).catch((error: unknown) => error);
    await expect(ask(client)).rejects.toEqual(bare);
    await expect(client.models.generateContent({ model: 'm2', contents: PROMPT })).rejects.toEqual(bare);
    expect(await observed.calls(GEMINI)).toEqual([0, 1, 0]);
    expect(await observed.calls('m2')).toEqual([0, 1, 0]);
    expect(observed.signals.ended().map(({ attributes }) => attributes['error.type'])).toEqual(['404', '404']);
  });

  test('429 and a retry is one operation, each attempt a span below it', async () => {
    const server = await replay(failure(429), sse(whole));
    const { client, observed } = observe(server.url);
    closers.push(async () => stop());
    const stop = observeUndici(observed.signals);
    const httpOptions = { retryOptions: { attempts: 2, initialDelay: 0.001, jitter: 0 } };
    expect((await collect(await ask(client, { httpOptions }))).items).toHaveLength(2);
    expect(server.requests).toHaveLength(2);
    expect(await observed.calls(GEMINI)).toEqual([1, 0, 0]);
    expect(await attemptsOf(observed, `generate_content ${GEMINI}`, 2)).toEqual([429, 200]);
  });

  // Google sends it bare; the SDK takes it as an event, too.
  test.each(['', 'data: '])('an error in the middle of a stream, by its code: %s', async (prefix) => {
    const [begin = '', error = ''] = [whole[0], `${prefix}${UNAVAILABLE[0]}`];
    let seen = 0;
    // A piece of its own: the SDK would not find it behind another.
    const server = await replay({ ...sse([begin, error]), before: (index) => index === 0 || until(() => seen > 0) });
    const { client, observed } = observe(server.url);
    const stream = await ask(client);
    const read = async (): Promise<void> => {
      for await (const _ of stream) seen += 1;
    };
    await expect(read()).rejects.toMatchObject({ name: 'ApiError', status: 503 });
    expect(seen).toBe(1);
    expect(observed.told().attributes).toMatchObject({ ...tokens(13, 50 + 75), 'error.type': '503' });
    expect(await observed.calls(GEMINI)).toEqual([0, 1, 0]);
  });

  test('its own time limit is a timeout, its caller’s signal a cancellation, whatever its reason', async () => {
    const server = await replay(sse([], 'hold'));
    const { client, observed } = observe(server.url);
    await expect(ask(client, { httpOptions: { timeout: 20 } })).rejects.toThrow(/abort/);
    const own = new AbortController();
    const asked = observed.request(() => ask(client, { abortSignal: own.signal }));
    await until(() => server.requests.length === 2);
    own.abort(new Error('enough'));
    await expect(asked).rejects.toThrow(/abort/);
    await expect(ask(client, { abortSignal: AbortSignal.timeout(20) })).rejects.toThrow(/abort/);
    const types = observed.signals.ended().map(({ attributes }) => attributes['error.type']);
    expect(types).toEqual(['timeout', 'cancelled', 'timeout']);
    expect(await observed.calls(GEMINI)).toEqual([0, 2, 1]);
  });

  test('so it is within a stream that is read, and of one that nobody reads', async () => {
    const server = await replay(sse(whole.slice(0, 1), 'hold'));
    const late = new DOMException('late', 'TimeoutError');
    for (const [reason, calls] of [
      [late, [0, 1, 0]],
      [new Error('enough'), [0, 0, 1]],
    ] as const) {
      for (const reads of [true, false]) {
        const own = new AbortController();
        const { client, observed } = observe(server.url);
        const stream = await ask(client, { abortSignal: own.signal });
        if (reads) await stream.next();
        own.abort(reason);
        if (reads) await expect(stream.next()).rejects.toThrow();
        expect(await observed.calls(GEMINI)).toEqual(calls);
        expect(observed.told().attributes['error.type']).toBe(reason === late ? 'timeout' : 'cancelled');
      }
    }
  });

  test('a stream that has said that it is whole is, though it is aborted before its reader leaves', async () => {
    const server = await replay(sse(whole, 'hold'));
    const own = new AbortController();
    const { client, observed } = observe(server.url);
    const stream = await ask(client, { abortSignal: own.signal });
    for (let n = 0; n < whole.length; n += 1) await stream.next();
    own.abort();
    await stream.return(undefined);
    expect(await observed.calls(GEMINI)).toEqual([1, 0, 0]);
  });

  test('a client that leaves before a whole answer has begun takes its call with it', async () => {
    const delays: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const server = await replay(sse([], 'hold'));
      const { client, observed } = observe(server.url);
      const asked = observed.request(() => client.models.generateContent({ model: GEMINI, contents: PROMPT }));
      await until(() => server.requests.length === 1);
      const leftAt = performance.now();
      observed.leave();
      await expect(asked).rejects.toThrow(/abort/);
      await until(() => server.aborts.length === 1);
      delays.push((server.aborts[0] ?? Infinity) - leftAt);
      expect(await observed.calls(GEMINI)).toEqual([0, 0, 1]);
    }
    expect(middleOf(delays)).toBeLessThan(100);
  });

  test('a stream that nobody reads ends with its client, or with its memory', async () => {
    const server = await replay(sse(whole.slice(0, 1), 'hold'));
    const { client, observed } = observe(server.url);
    const unread = await observed.request(() => ask(client));
    expect(Object.keys(unread)).toEqual(Object.keys(await ask(googleOf(server.url))));
    observed.leave();
    expect(await observed.calls(GEMINI)).toEqual([0, 0, 1]);
    await until(() => server.aborts.length === 1);
    expect((await unread.return(undefined)).done).toBe(true);
    const second = observe(server.url);
    // A signal that outlives the stream does not keep it.
    const { signal } = new AbortController();
    const forget = async (): Promise<void> => void (await ask(second.client, { abortSignal: signal }));
    await forget();
    await until(async () => {
      collectGarbage();
      return (await second.observed.calls(GEMINI))[2] === 1;
    });
    expect(signal.aborted).toBe(false);
  });

  test('left by its own reader, or returned before it was read: cancelled', async () => {
    const server = await replay(sse(whole.slice(0, 2), 'hold'));
    const { client, observed } = observe(server.url);
    for await (const _ of await ask(client)) break;
    await (await ask(client)).return(undefined);
    expect(await observed.calls(GEMINI)).toEqual([0, 0, 2]);
  });
});

describe('the SDK’s own ways stay', () => {
  test('a whole answer, its parameters, and the same body', async () => {
    const server = await replay(json(readWire('google/message.body')[0]));
    const { client, observed } = observe(server.url);
    const asked = {
      model: `models/${GEMINI}`,
      contents: PROMPT,
      config: {
        systemInstruction: 'be brief',
        temperature: 0.5,
        topP: 0.9,
        topK: 3,
        maxOutputTokens: 20,
        seed: 7,
        stopSequences: ['x'],
        responseMimeType: 'application/json',
      },
    };
    const answer = await observed.request(() => client.models.generateContent(asked));
    const bare = await googleOf(server.url).models.generateContent(asked);
    expect(bodies([answer])).toEqual(bodies([bare]));
    expect(answer.constructor).toBe(bare.constructor);
    expect(server.requests[0]?.body).toEqual(server.requests[1]?.body);
    expect(observed.told().attributes).toMatchObject({
      ...tokens(3797, 656 + 1549, thought(1549)),
      'gen_ai.usage.cache_read.input_tokens': 3055,
      ...reasons('STOP'),
      'gen_ai.operation.name': 'generate_content',
      'gen_ai.request.model': GEMINI,
      'gen_ai.response.model': GEMINI,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.top_k': 3,
      'gen_ai.request.max_tokens': 20,
      'gen_ai.request.seed': 7,
      'gen_ai.request.stop_sequences': ['x'],
      'gen_ai.output.type': 'json',
    });
  });

  test('a chat asks through its models: one operation a message, and the same history', async () => {
    const server = await replay(sse(whole), json(readWire('google/message.body')[0]));
    const { client, observed } = observe(server.url);
    const talk = async (each: GoogleGenAI) => {
      const chat = each.chats.create({ model: GEMINI });
      const { items } = await collect(await chat.sendMessageStream({ message: PROMPT }));
      const { text } = await chat.sendMessage({ message: 'on' });
      return [bodies(items), text, chat.getHistory()];
    };
    const seen = await talk(client);
    expect(await observed.calls(GEMINI)).toEqual([2, 0, 0]);
    const again = await replay(...server.answers);
    expect(seen).toEqual(await talk(googleOf(again.url)));
  });

  const FUNCTION = 'secret_retrieval_tool';
  const TOOL: CallableTool = {
    tool: async () => ({ functionDeclarations: [{ name: FUNCTION }] }),
    callTool: async () => [{ functionResponse: { name: FUNCTION, response: { secret: 'Welcome to Moria!' } } }],
  };

  test('functions that the SDK calls itself: one operation, the tokens of both requests', async () => {
    const [asked, told] = [readWire('google/functions-asked.sse'), readWire('google/functions-told.sse')];
    const streams = await replay(sse(asked), sse(told));
    const streamed = observe(streams.url);
    const stream = await ask(streamed.client, { tools: [TOOL] });
    expect((await collect(stream)).items).toHaveLength(5);
    const answers = await replay(json(asked[0]), json(told.at(-1)));
    const single = observe(answers.url);
    const { text } = await single.client.models.generateContent({
      model: GEMINI,
      contents: PROMPT,
      config: { tools: [TOOL] },
    });
    expect(text).toBe('!" and "Life before Death" respectively.');
    for (const { observed } of [streamed, single]) {
      expect(observed.told().attributes).toMatchObject({ ...tokens(70 + 211, 101 + 30), ...reasons('STOP') });
      expect(await observed.calls(GEMINI)).toEqual([1, 0, 0]);
    }
  });

  test('a function that asks the same model itself: an operation of its own, and each counts its own tokens', async () => {
    const [asked, told] = [readWire('google/functions-asked.sse'), readWire('google/functions-told.sse')];
    const server = await replay(sse(asked), json(readWire('google/message.body')[0]), sse(told));
    const { client, observed } = observe(server.url);
    let asks = true;
    const tool: CallableTool = {
      ...TOOL,
      async callTool(calls) {
        const first = asks;
        asks = false;
        if (first) await client.models.generateContent({ model: GEMINI, contents: PROMPT });
        return TOOL.callTool(calls);
      },
    };
    await collect(await ask(client, { tools: [tool] }));
    expect(observed.signals.ended().map(({ attributes }) => attributes)).toMatchObject([
      tokens(3797, 656 + 1549),
      tokens(70 + 211, 101 + 30),
    ]);
    expect(await observed.calls(GEMINI)).toEqual([2, 0, 0]);
  });

  test('a second answer that breaks off is no whole one', async () => {
    const [asked, told] = [readWire('google/functions-asked.sse'), readWire('google/functions-told.sse')];
    const server = await replay(sse(asked), sse(told.slice(0, 2)));
    const { client, observed } = observe(server.url);
    await collect(await ask(client, { tools: [TOOL] }));
    expect(await observed.calls(GEMINI)).toEqual([0, 1, 0]);
    expect(observed.told().attributes).toMatchObject(tokens(70 + 211, 101 + 21));
  });

  test('embeddings; Vertex AI alone counts their tokens', async () => {
    // Source: the predictions of Vertex AI's `embedContent` and the answer of Gemini's, as the types of `@google/genai` 2.32 have them.
    const predictions = [{ embeddings: { statistics: { token_count: 2, truncated: false }, values: [0.5] } }];
    const server = await replay(json(JSON.stringify({ predictions })), json('{"embeddings":[{"values":[0.5]}]}'));
    const asked = { model: 'text-embedding-004', contents: PROMPT, config: { outputDimensionality: 1 } };
    const vertex = observe(server.url, { vertexai: true });
    const { embeddings } = await vertex.client.models.embedContent(asked);
    expect(embeddings?.[0]?.values).toEqual([0.5]);
    expect(vertex.observed.told()).toMatchObject({
      name: 'embeddings text-embedding-004',
      attributes: {
        'gen_ai.provider.name': 'gcp.vertex_ai',
        'gen_ai.embeddings.dimension.count': 1,
        'gen_ai.usage.input_tokens': 2,
      },
    });
    const gemini = observe(server.url);
    await gemini.client.models.embedContent(asked);
    expect(gemini.observed.told().attributes['gen_ai.usage.input_tokens']).toBeUndefined();
    expect(await gemini.observed.calls('text-embedding-004')).toEqual([1, 0, 0]);
  });

  test('counting tokens is no operation, and what was not asked for a request is not aborted with it', async () => {
    const server = await replay(json('{"totalTokens":3}'));
    const { client, observed } = observe(server.url);
    observed.leave();
    const counted = observed.request(() => client.models.countTokens({ model: GEMINI, contents: PROMPT }));
    expect((await counted).totalTokens).toBe(3);
    expect(observed.signals.ended()).toEqual([]);
  });
});

/** What `openai` has of its own: whole answers, helpers, copies, Azure, usage asked for. Its wires are in `stainless.test.ts`. */
import OpenAI, { AzureOpenAI } from 'openai';
import { makeParseableResponseFormat } from 'openai/lib/parser';
import { afterEach, describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../test/garbage.ts';
import { until } from '../../../test/until.ts';
import { type Replay, readWire, sse, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { isReported } from '../../drivers/client.test-helper.ts';
import { openAiKind } from './openai.ts';
import { collect, type Observed, observeClient } from './wire.test-helper.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function replay(...answers: WireAnswer[]): Promise<Replay> {
  const server = await startReplay(...answers);
  closers.push(() => server.close());
  return server;
}

const bareOf = (url: string): OpenAI => new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });

function observe<C extends OpenAI>(client: C): { client: C; observed: Observed } {
  return { client, observed: observeClient(client, [openAiKind]) };
}

const ASK = { model: 'm1', messages: [{ role: 'user' as const, content: 'hello' }] };
const STREAM = { ...ASK, stream: true as const };
const body = (name: string): WireAnswer => ({
  headers: { 'content-type': 'application/json' },
  pieces: readWire(`openai/${name}.body`),
});
const CHAT = {
  'gen_ai.usage.input_tokens': 3897,
  'gen_ai.usage.output_tokens': 75,
  'gen_ai.usage.cache_read.input_tokens': 3840,
  'gen_ai.response.finish_reasons': ['stop'],
};
const said = ({ signals }: Observed) => signals.ended().map(({ attributes }) => attributes);

describe('whole answers', () => {
  test('withResponse, asResponse and parse of a chat, each one operation; cached tokens are a part of the input', async () => {
    const server = await replay(body('chat'));
    const { client, observed } = observe(bareOf(server.url));
    const { data, response } = await client.chat.completions.create(ASK).withResponse();
    expect([data, response.status]).toEqual([JSON.parse(readWire('openai/chat.body')[0] ?? ''), 200]);
    expect(await client.chat.completions.create(ASK)).toEqual(data);
    expect((await client.chat.completions.parse(ASK)).choices[0]?.message.parsed).toBeNull();
    expect(await (await client.chat.completions.create(ASK).asResponse()).json()).toEqual(data);
    await until(() => observed.signals.ended().length === 4);
    expect(await observed.calls('m1')).toEqual([4, 0, 0]);
    expect(said(observed).slice(0, 3)).toMatchObject([CHAT, CHAT, CHAT]);
    expect(said(observed)[3]).not.toHaveProperty('gen_ai.usage.input_tokens');
  });

  test('responses, and beta ones', async () => {
    const server = await replay(body('responses'));
    const { client, observed } = observe(bareOf(server.url));
    const { output_text: text } = await client.responses.create({ model: 'm1', input: 'hello' });
    expect(text.length).toBeGreaterThan(10);
    await client.responses.parse({ model: 'm1', input: 'hello' });
    await client.beta.responses?.create({ model: 'm1', input: 'hello' });
    const count = client.beta.responses === undefined ? 2 : 3;
    expect(await observed.calls('m1')).toEqual([count, 0, 0]);
    expect(said(observed)).toMatchObject(
      Array.from({ length: count }, () => ({
        'gen_ai.usage.input_tokens': 3821,
        'gen_ai.usage.output_tokens': 39,
        'gen_ai.usage.cache_read.input_tokens': 3584,
        'gen_ai.response.finish_reasons': ['completed'],
      })),
    );
  });

  test('embeddings', async () => {
    const server = await replay(body('embeddings'));
    const { client, observed } = observe(bareOf(server.url));
    const model = 'text-embedding-3-small';
    const { data } = await client.embeddings.create({ model, input: 'x', encoding_format: 'float', dimensions: 2 });
    expect(data[0]?.embedding).toHaveLength(2);
    expect(observed.told()).toMatchObject({
      name: `embeddings ${model}`,
      attributes: { 'gen_ai.embeddings.dimension.count': 2, 'gen_ai.usage.input_tokens': 8 },
    });
  });

  test('an error that nobody handles stays one that nobody handles, and one that is handled stays handled', async () => {
    const server = await replay({ ...body('rate-limited'), status: 400 });
    for (const [make, reported] of [
      [(client: OpenAI) => void client.chat.completions.create(ASK).then(() => {}), true],
      [(client: OpenAI) => void client.chat.completions.create(ASK).catch(() => {}), false],
      [(client: OpenAI) => void client.chat.completions.parse(ASK).catch(() => {}), false],
      [(client: OpenAI) => void client.chat.completions.parse(ASK).then(() => {}), true],
      [
        (client: OpenAI) =>
          void client.chat.completions
            .create(ASK)
            .asResponse()
            .catch(() => {}),
        false,
      ],
    ] as const) {
      const { client, observed } = observe(bareOf(server.url));
      const isOver = (): boolean => observed.signals.ended().length === 1;
      expect(await isReported(() => make(client), isOver)).toBe(reported);
      expect(said(observed)[0]?.['error.type']).toBe('400');
    }
  });

  test('an answer that nobody waits for ends with its memory: before it comes, after, and half read', async () => {
    const server = await replay(body('chat'));
    const { client, observed } = observe(bareOf(server.url));
    const ended = (count: number) =>
      until(async () => {
        collectGarbage();
        return (await observed.calls('m1'))[2] === count;
      });
    const forget = (): void => void client.chat.completions.create(ASK);
    forget();
    await ended(1);
    const forgetLate = async (): Promise<void> => {
      const asked = client.chat.completions.create(ASK);
      // The answer is there, and was not parsed.
      await (asked as unknown as { readonly responsePromise: Promise<unknown> }).responsePromise;
      expect(await observed.calls('m1')).toEqual([0, 0, 1]);
    };
    await forgetLate();
    await ended(2);
    server.answers = [sse(readWire('openai/text.sse').slice(0, 3), 'hold')];
    const leaveLying = async (): Promise<void> => {
      const stream = await client.chat.completions.create(STREAM);
      await stream[Symbol.asyncIterator]().next();
    };
    await leaveLying();
    await ended(3);
  });

  test('an answer that is waited for, and a stream that is read, outlive their promise', async () => {
    let collected = 0;
    const timer = setInterval(() => {
      collectGarbage();
      collected += 1;
    }, 5);
    closers.push(async () => clearInterval(timer));
    const slowly = (answer: WireAnswer, from: number): WireAnswer => ({
      ...answer,
      before: (index) => {
        const enough = collected + 5;
        return index < from || until(() => collected > enough);
      },
    });
    const whole = slowly(body('chat'), 0);
    const server = await replay(whole, whole, slowly(sse(readWire('openai/structured.sse')), 2));
    const { client, observed } = observe(bareOf(server.url));
    await client.chat.completions.create(ASK);
    await client.chat.completions.parse(ASK);
    expect((await collect(await client.chat.completions.create(STREAM))).items).toHaveLength(8);
    expect(await observed.calls('m1')).toEqual([3, 0, 0]);
  });
});

describe('helpers', () => {
  test('structured outputs: a stream helper is one operation, and gives what a bare SDK gives', async () => {
    const server = await replay(sse(readWire('openai/structured.sse')));
    const format = makeParseableResponseFormat<{ output: number }>(
      { type: 'json_schema', json_schema: { name: 'int', strict: true, schema: { type: 'object' } } },
      (text) => JSON.parse(text) as { output: number },
    );
    const follow = async (client: OpenAI) => {
      const told: unknown[] = [];
      const stream = client.chat.completions.stream({ ...ASK, response_format: format });
      stream.on('chunk', (chunk) => void told.push(chunk));
      stream.on('content', (...args) => void told.push(args));
      return [told, await stream.finalChatCompletion()] as const;
    };
    const { client, observed } = observe(bareOf(server.url));
    const [told, final] = await follow(client);
    expect(final.choices[0]?.message.parsed).toEqual({ output: 7 });
    expect(JSON.stringify([told, final])).toBe(JSON.stringify(await follow(bareOf(server.url))));
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
    expect(observed.told().attributes).toMatchObject({
      'gen_ai.output.type': 'json',
      'gen_ai.usage.input_tokens': 62,
      'gen_ai.usage.output_tokens': 5,
    });
  });

  test('responses.stream()', async () => {
    const server = await replay(sse(readWire('openai/responses-tools.sse')));
    const { client, observed } = observe(bareOf(server.url));
    const final = await client.responses.stream({ model: 'm1', input: 'hello' }).finalResponse();
    const bare = await bareOf(server.url).responses.stream({ model: 'm1', input: 'hello' }).finalResponse();
    expect(JSON.stringify(final)).toBe(JSON.stringify(bare));
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
    expect(observed.told().attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 53 });
  });

  test('runTools: each round is an operation of its own', async () => {
    const server = await replay(sse(readWire('openai/tools.sse')), sse(readWire('openai/text.sse')));
    const { client, observed } = observe(bareOf(server.url));
    const asked: unknown[] = [];
    const runner = client.chat.completions.runTools({
      ...STREAM,
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_current_weather',
            description: 'The weather',
            parameters: { type: 'object', properties: {} },
            parse: JSON.parse,
            function: (args: unknown) => {
              asked.push(args);
              return 'sunny';
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('"This is a test."');
    expect(asked).toEqual([{ location: 'Seattle, WA' }, { location: 'San Francisco, CA' }]);
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
    expect(said(observed).map((each) => each['gen_ai.usage.output_tokens'])).toEqual([51, 5]);
  });

  test('a helper that is aborted, and one whose client leaves: cancelled, and OpenAI hears of it', async () => {
    const events = readWire('openai/text.sse').slice(0, 4);
    const server = await replay(sse(events, 'hold'));
    const { client, observed } = observe(bareOf(server.url));
    const follow = (leave: (stream: { abort(): void }) => void) => {
      const stream = client.chat.completions.stream(ASK);
      stream.on('chunk', () => leave(stream));
      return expect(stream.done()).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    };
    await follow((stream) => stream.abort());
    await observed.request(() => follow(() => observed.leave()));
    await until(() => server.aborts.length === 2);
    expect(await observed.calls('m1')).toEqual([0, 0, 2]);
  });

  test('a tee and a readable stream are read once by us', async () => {
    const server = await replay(sse(readWire('openai/structured.sse')));
    const { client, observed } = observe(bareOf(server.url));
    const [left, right] = (await client.chat.completions.create(STREAM)).tee();
    const both = await Promise.all([collect(left), collect(right)]);
    expect(both[0].items).toEqual(both[1].items);
    const bytes = async (each: OpenAI): Promise<string> =>
      new Response((await each.chat.completions.create(STREAM)).toReadableStream()).text();
    expect(await bytes(client)).toBe(await bytes(bareOf(server.url)));
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
  });
});

describe('whose usage nobody tells', () => {
  const WITH = readWire('openai/structured.sse');
  const WITHOUT = WITH.filter((event) => !event.includes('"prompt_tokens"')).map((event) =>
    event.replace(',"usage":null', ''),
  );
  /** Answers as OpenAI does: the usage comes when it is asked for. */
  async function openAiAt(url: string) {
    const server = await replay(sse(WITHOUT));
    const ask = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const asks = String(init?.body).includes('"include_usage":true');
      server.answers = [sse(asks ? WITH : WITHOUT)];
      return fetch(new URL(new URL(input instanceof Request ? input.url : input).pathname, server.url), init);
    };
    const azure = (apiVersion: string) =>
      new AzureOpenAI({ apiKey: 'k', endpoint: 'https://x.openai.azure.com', apiVersion, fetch: ask });
    return { server, openAi: () => new OpenAI({ apiKey: 'k', baseURL: url, fetch: ask }), azure };
  }

  test('it is asked of OpenAI where its caller said nothing, and stays unseen by its reader', async () => {
    const { server, openAi } = await openAiAt('https://api.openai.com/v1');
    const { client, observed } = observe(openAi());
    const seen = await collect(await client.chat.completions.create(STREAM));
    const bare = await collect(await openAi().chat.completions.create(STREAM));
    expect(server.requests.map(({ body: { stream_options: options } }) => options)).toEqual([
      { include_usage: true },
      undefined,
    ]);
    expect(JSON.stringify(seen.items)).toBe(JSON.stringify(bare.items));
    expect(observed.told().attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 62 });
  });

  test('what is no chunk at all passes to its reader where it is asked for, too', async () => {
    const server = await replay(sse(['data: null\n\n', ...WITH]));
    const ask = (_: unknown, init?: RequestInit): Promise<Response> => fetch(server.url, init);
    const { client, observed } = observe(new OpenAI({ apiKey: 'k', baseURL: 'https://api.openai.com/v1', fetch: ask }));
    const { items, error } = await collect(await client.chat.completions.create(STREAM));
    // It is one more, and `[DONE]` is none.
    expect([items[0], error, items.length]).toEqual([null, undefined, WITHOUT.length]);
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
  });

  test('it is not asked for where somebody reads the bytes themselves', async () => {
    const { server, openAi } = await openAiAt('https://api.openai.com/v1');
    const { client, observed } = observe(openAi());
    const bytes = async (each: OpenAI, options?: object): Promise<string> =>
      (await each.chat.completions.create({ ...STREAM, ...options }).asResponse()).text();
    expect(await bytes(client)).toBe(await bytes(openAi()));
    const kept = { stream_options: { include_obfuscation: false } };
    expect(await bytes(client, kept)).toBe(await bytes(openAi(), kept));
    const [one, other, ...more] = server.requests.map((request) => request.body);
    expect(one).toEqual(other);
    expect(more[0]).toEqual(more[1]);
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
  });

  test('it is asked of nobody else, and not where its caller spoke of it', async () => {
    const { server, openAi } = await openAiAt('https://gateway.example/v1');
    const { client, observed } = observe(openAi());
    await collect(await client.chat.completions.create(STREAM));
    const asked = await openAiAt('https://api.openai.com/v1');
    const refused = observe(asked.openAi());
    const no = { ...STREAM, stream_options: { include_usage: false } };
    await collect(await refused.client.chat.completions.create(no));
    expect(server.requests[0]?.body.stream_options).toBeUndefined();
    expect(asked.server.requests[0]?.body.stream_options).toEqual({ include_usage: false });
    for (const each of [observed, refused.observed]) {
      expect(each.told().attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
      expect(await each.signals.value('ai_usage_source_total{source="estimated"}')).toBe(1);
    }
  });

  test('what the wire does not count is told as an estimate', async () => {
    const server = await replay(sse(readWire('openai/no-usage.sse')));
    const { client, observed } = observe(bareOf(server.url));
    await collect(await client.chat.completions.create(STREAM));
    expect(await observed.calls('m1')).toEqual([1, 0, 0]);
    expect(observed.told().attributes).toMatchObject({ 'gen_ai.response.finish_reasons': ['stop'] });
    expect(observed.told().attributes).not.toHaveProperty('gen_ai.usage.output_tokens');
    const estimate = 'ai_tokens_estimated_total{gen_ai_request_model="m1",gen_ai_token_type="output"}';
    expect(await observed.signals.value(estimate)).toBe('This is a test.'.length);
  });

  test('Azure is asked from the version on that takes it', async () => {
    const { server, azure } = await openAiAt('');
    for (const [version, options] of [
      ['2024-06-01', undefined],
      ['2024-10-21', { include_usage: true }],
    ] as const) {
      const { client, observed } = observe(azure(version));
      await collect(await client.chat.completions.create(STREAM));
      expect(server.requests.at(-1)?.path).toBe('/openai/deployments/m1/chat/completions');
      expect(server.requests.at(-1)?.body.stream_options).toEqual(options);
      expect(observed.told().attributes['gen_ai.provider.name']).toBe('azure.ai.openai');
    }
  });
});

describe('clients', () => {
  test('a copy with other options is observed too, once', async () => {
    const server = await replay(body('chat'));
    const { client, observed } = observe(new OpenAI({ apiKey: 'k', baseURL: 'http://127.0.0.1:1' }));
    const copy = observed.observe(client.withOptions({ baseURL: `${server.url}/v1` }));
    await copy.withOptions({ timeout: 1000 }).chat.completions.create(ASK);
    await copy.chat.completions.create(ASK);
    expect(await observed.calls('m1')).toEqual([2, 0, 0]);
    expect(copy).toBeInstanceOf(OpenAI);
  });

  test('other instances are left alone', async () => {
    const server = await replay(body('chat'));
    const { observed } = observe(bareOf(server.url));
    await bareOf(server.url).chat.completions.create(ASK);
    expect(said(observed)).toEqual([]);
  });

  test('what is no client is refused, with what is one', () => {
    expect(() => observeClient({}, [openAiKind])).toThrow(/OpenAI.*it was given Object/);
  });
});

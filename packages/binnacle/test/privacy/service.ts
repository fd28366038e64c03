/**
 * The service of the privacy tests, a process of its own: every kind of subject meets what must not leave, in every place
 * that it can stand in. It says nothing of it by itself, unless `SAYS=1` makes it (which shows that each exit is searched).
 */
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { jsonSchema, streamText, tool } from 'ai';
import Fastify, { type FastifyInstance } from 'fastify';
import Database from 'libsql';
import OpenAI from 'openai';
import { fastifyOptions, observeFastify } from '../../src/adapters/fastify.ts';
import type { OperationReference } from '../../src/ai/evaluation.ts';
import { type Observability, observe } from '../../src/observe.ts';
import { type Asked, MARKER, mark } from './marks.ts';

const { PROVIDER_URL = '', DATABASE_URL, SAYS } = process.env;
const says = SAYS === '1';
/** Asks for nothing that could be waited for: the first answer is the answer. */
const ONCE = { maxRetries: 0 };

const obs = observe({
  service: 'private',
  namespace: 'private',
  phases: ['answer'],
  console: true,
  user(request) {
    const { authorization } = (request as { headers: Record<string, string | undefined> }).headers;
    if (authorization?.startsWith('Broken')) throw new SyntaxError(`${authorization} is no token`);
    return undefined;
  },
});
const clients = {
  openai: obs.ai.client(new OpenAI({ apiKey: mark('api-key'), baseURL: `${PROVIDER_URL}/v1`, ...ONCE })),
  anthropic: obs.ai.client(new Anthropic({ apiKey: mark('api-key'), baseURL: PROVIDER_URL, ...ONCE })),
  google: obs.ai.client(new GoogleGenAI({ apiKey: mark('api-key'), httpOptions: { baseUrl: PROVIDER_URL } })),
};
const breaker = obs.breaker('llm', { failures: 100 });
const answers = obs.cache('answers', new Map<string, string>());
const database = obs.client(new Database(':memory:'));
database.exec('CREATE TABLE asked (words TEXT UNIQUE)');

obs.health.check('words', () => {
  throw Object.assign(new Error(mark('health')), { code: mark('health-code'), cause: new Error(mark('health')) });
});
if (says) {
  obs.health.check('said', () => ({ said: mark('said') }));
  obs.counter({ name: 'said_total', help: 'Said', labels: ['said'] }).inc({ said: mark('said') });
}

/** Streams of every SDK, to their end: all they say of the answer. */
const asks: Readonly<Record<Asked['sdk'], (model: string, prompt: string) => Promise<unknown[]>>> = {
  async chat(model, prompt) {
    const tools = [{ type: 'function' as const, function: { name: 'search', description: mark('tool') } }];
    const messages = [
      { role: 'system' as const, content: mark('system') },
      { role: 'user' as const, content: prompt },
      { role: 'tool' as const, tool_call_id: 'call-1', content: mark('tool-result') },
    ];
    const options = { headers: { 'x-own': mark('own-header') }, query: { q: mark('own-query') } };
    return all(clients.openai.chat.completions.create({ model, stream: true, messages, tools }, options));
  },
  responses: (model, input) =>
    all(clients.openai.responses.create({ model, stream: true, instructions: mark('system'), input })),
  messages(model, content) {
    const body = { model, max_tokens: 10, system: mark('system'), messages: [{ role: 'user' as const, content }] };
    return all(clients.anthropic.messages.create({ ...body, stream: true, metadata: { user_id: mark('user') } }));
  },
  google: (model, contents) =>
    all(
      clients.google.models.generateContentStream({ model, contents, config: { systemInstruction: mark('system') } }),
    ),
  async 'ai-sdk'(model, prompt) {
    const provider = createOpenAI({ apiKey: mark('api-key'), baseURL: `${PROVIDER_URL}/v1` });
    const search = tool({ description: mark('tool'), inputSchema: jsonSchema({ type: 'object' }) });
    const { fullStream } = streamText({
      ...{ model: provider.chat(model), system: mark('system'), prompt, tools: { search }, ...ONCE },
      headers: { 'x-own': mark('own-header') },
      experimental_telemetry: { ...obs.ai.telemetry(), metadata: { said: mark('metadata') } },
      // By default it is written to standard error, by the SDK itself.
      onError: () => {},
    });
    const items = await all(Promise.resolve(fullStream));
    const failed = items.find((item) => (item as { type?: unknown }).type === 'error');
    if (failed !== undefined) throw (failed as { error: unknown }).error;
    return items;
  },
  async langchain(model, prompt) {
    const configuration = { baseURL: `${PROVIDER_URL}/v1`, defaultHeaders: { 'x-own': mark('own-header') } };
    const chat = new ChatOpenAI({ model, apiKey: mark('api-key'), configuration, ...ONCE });
    const said = [new SystemMessage(mark('system')), new HumanMessage(prompt)];
    return all(chat.stream(said, { callbacks: [obs.ai.langchain()], metadata: { said: mark('metadata') } }));
  },
};

async function all(stream: PromiseLike<AsyncIterable<unknown>>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of await stream) items.push(item);
  return items;
}

async function answer({ sdk, model, prompt }: Asked): Promise<unknown[]> {
  const known = answers.get(`${sdk} ${model} ${prompt}`);
  if (known !== undefined) return [known];
  return obs.ai.agent('researcher', () =>
    breaker.run(async () => {
      const items = await asks[sdk](model, prompt);
      await useTools(prompt);
      answers.set(`${sdk} ${model} ${prompt}`, JSON.stringify(items));
      return items;
    }),
  );
}

async function useTools(prompt: string): Promise<void> {
  let reference: OperationReference | undefined;
  await obs.ai.tool('search', async (operation) => {
    reference = operation.reference;
    operation.input({ arguments: prompt });
    operation.output(mark('tool-result'));
  });
  if (reference !== undefined) {
    const score = { name: 'helpful', value: 1, label: 'pass', comment: mark('comment'), explanation: mark('comment') };
    obs.ai.score(reference, score);
    // A judge's answer that was not read as a number.
    obs.ai.score(reference, { name: 'helpful', value: mark('value') as never });
  }
  const fails = obs.ai.tool('fail', async () => {
    throw new Error(mark('tool-error'), { cause: new Error(mark('cause')) });
  });
  await fails.catch(() => {});
}

/** What is asked of databases and other services, whether it succeeds or not. */
async function askOthers(): Promise<void> {
  const insert = database.prepare('INSERT INTO asked (words) VALUES (?)');
  const words = mark('parameter');
  for (const attempt of [
    () => insert.run(words),
    () => insert.run(words),
    () => database.exec(`INSERT INTO asked (words) VALUES ('${words}')`),
    () => database.prepare(`SELECT '${mark('literal')}' AS words -- ${mark('comment')}`).all(),
    () => database.exec(`SELECT '${mark('literal')}`),
  ]) {
    try {
      attempt();
    } catch {
      // Its message holds the statement; what is told of it is what the test looks at.
    }
  }
  const url = `${PROVIDER_URL}/other?q=${mark('query')}#${mark('fragment')}`;
  const init = {
    method: 'POST',
    headers: { authorization: mark('header'), cookie: mark('cookie') },
    body: mark('body'),
  };
  await (await fetch(url, init)).text();
  await fetch(`http://user:${mark('password')}@127.0.0.1:1/?q=${mark('query')}`).catch(() => {});
  await fetch(`http://127.0.0.1:1/?q=${mark('query')}`).catch(() => {});
  await new Promise((resolve) => {
    const req = httpRequest(url, { method: 'POST', headers: init.headers, auth: `user:${mark('password')}` }, (res) =>
      res.resume().once('close', resolve),
    );
    req.end(init.body);
  });
}

async function askPostgres(url: string): Promise<void> {
  const { Pool } = (await import('pg')).default;
  const pool = obs.client(new Pool({ connectionString: url }));
  await pool.query('SELECT $1::text AS words', [mark('parameter')]);
  await pool.query(`SELECT '${mark('literal')}' AS words`);
  await pool.query(`SELECT '${mark('literal')}'::int`).catch(() => {});
  await pool.query('SELECT $1::int', [mark('parameter')]).catch(() => {});
  await pool.end();
}

function addRoutes(app: FastifyInstance): void {
  app.post<{ Body: Asked }>('/ask', ({ body }) =>
    obs.session({ id: `session-${body.sdk}-${body.model}` }, async (session) => {
      const items = await session.phase('answer', () => answer(body));
      return { items: [...items, ...((await session.phase('again', () => answer(body))) as unknown[])] };
    }),
  );
  app.post('/others', async () => {
    await askOthers();
    if (DATABASE_URL !== undefined) await askPostgres(DATABASE_URL);
    return {};
  });
  app.post('/throw', () =>
    obs.session({ id: 'session-throw' }, (session) =>
      session.phase('answer', () => {
        const cause = new AggregateError([new TypeError(mark('cause'))], mark('cause'));
        throw Object.assign(new Error(mark('error'), { cause }), { code: mark('code'), detail: mark('detail') });
      }),
    ),
  );
  app.post('/stream', async (_request, reply) => {
    reply.raw.write(`data: ${mark('answer')}\n\n`);
    reply.raw.destroy(new Error(mark('error')));
    return reply.hijack();
  });
  app.post('/say', async () => {
    if (says) {
      obs.log.info({ said: mark('said') }, 'said');
      process.stderr.write(`${mark('said')}\n`);
    }
    return {};
  });
}

async function start(service: Observability): Promise<void> {
  const app = Fastify(fastifyOptions(service)) as unknown as FastifyInstance;
  await app.register(observeFastify(service));
  addRoutes(app);
  service.stopOnSignals(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.send?.({ port: (app.server.address() as AddressInfo).port, marker: MARKER });
}

await start(obs);

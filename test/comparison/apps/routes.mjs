/**
 * What both services do, written once. What differs is handed over: the framework's app, a counter, an OpenAI client, and
 * what the AI SDK is to tell its spans by.
 */
import process from 'node:process';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { streamText } from 'ai';

/** Between two events of a stream. */
const EVENT_MS = 100;
const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey } = process.env;

/**
 * A database, as far as a health check sees it: it counts who asks, and hangs once it is told to.
 * @typedef {{ runs: number, hangs: boolean, ask(): Promise<void> }} Dependency
 */

/** @returns {Dependency} */
export function createDependency() {
  return {
    runs: 0,
    hangs: false,
    async ask() {
      this.runs += 1;
      if (this.hangs) await new Promise(() => {});
    },
  };
}

/**
 * @typedef {object} Parts
 * @property {{ inc(labels: { word: string }): void }} searches
 * @property {import('openai').OpenAI} openai
 * @property {object} telemetry for the AI SDK
 * @property {Dependency} dependency
 */

/**
 * @param {import('fastify').FastifyInstance} app
 * @param {Parts} parts
 */
export function addRoutes(app, { searches, openai, telemetry, dependency }) {
  const provider = createOpenAI({ baseURL, apiKey });
  app.get('/hello', async () => ({ hello: 'world' }));
  app.get('/items/:id', async ({ params }) => ({ id: params.id }));
  app.post('/searches', async ({ body }) => {
    for (const word of body.words) searches.inc({ word });
    return {};
  });
  app.get('/stream', ({ query }, reply) =>
    reply.type('text/event-stream').send(Readable.from(events(Number(query.events)))),
  );
  app.post('/line', async ({ body, log }) => {
    log.info({ call: { to: 'search', headers: { authorization: body.authorization } } }, 'Asked');
    return {};
  });
  app.post('/chat', async ({ body }, reply) => {
    const stream = await openai.chat.completions.create({
      model: 'double-1',
      messages: [{ role: 'user', content: body.question }],
      stream: true,
      stream_options: { include_usage: true },
    });
    async function* words() {
      for await (const { choices } of stream) yield choices[0]?.delta.content ?? '';
    }
    return reply.type('text/plain').send(Readable.from(words()));
  });
  app.post('/agent', async ({ body }) => {
    const { text } = streamText({
      model: provider.chat('double-1'),
      prompt: body.question,
      experimental_telemetry: telemetry,
    });
    return { text: await text };
  });
  app.get('/dependency', async () => ({ runs: dependency.runs }));
  app.post('/dependency/hang', async () => {
    dependency.hangs = true;
    return {};
  });
}

/** @param {number} count */
async function* events(count) {
  for (let event = 0; event < count; event += 1) {
    yield `data: ${event}\n\n`;
    await wait(EVENT_MS);
  }
}

/**
 * Listens on a free port of the loopback address, and tells whoever started it.
 * @param {import('fastify').FastifyInstance} app
 */
export async function listen(app) {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
  process.send?.({ port });
  // The channel to whoever started it is not to keep it.
  process.channel?.unref();
}

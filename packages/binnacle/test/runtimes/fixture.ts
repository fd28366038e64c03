/**
 * A service of one endpoint that asks everything a service asks: PostgreSQL, Redis by both clients, `fetch`, `node:http`
 * and an OpenAI-compatible endpoint. One source for every way to run it, so without top-level `await` or `import.meta`.
 */
import http from 'node:http';
import { type Observability, observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import OpenAI from 'openai';
import pg from 'pg';
import { createClient } from 'redis';

const { DATABASE_URL = '', REDIS_URL = '', OPENAI_BASE_URL = '', UPSTREAM_URL = '' } = process.env;

interface Clients {
  readonly pool: pg.Pool;
  /** Over ioredis. */
  readonly cache: { get(key: string): unknown };
  readonly redis: { get(key: string): Promise<unknown> };
  readonly openai: OpenAI;
}

async function start(): Promise<void> {
  const obs = observe({ service: 'fixture', version: '1.0.0', namespace: 'fixture' });
  const redis = createClient({ url: REDIS_URL });
  const ioredis = new Redis(REDIS_URL, { lazyConnect: true });
  const clients: Clients = {
    pool: obs.client(new pg.Pool({ connectionString: DATABASE_URL })),
    cache: obs.cache('answers', ioredis),
    redis,
    openai: new OpenAI({ apiKey: 'none', baseURL: OPENAI_BASE_URL, maxRetries: 0 }),
  };
  await Promise.all([redis.connect(), ioredis.connect()]);
  const app = Fastify(fastifyOptions(obs));
  await app.register(observeFastify(obs));
  const llm = obs.breaker('llm');
  app.post('/ask', () =>
    obs.session({ id: 'runtimes' }, async (session) => {
      await session.phase('research', () => research(obs, clients));
      return session.phase('verdict', async () => {
        let text = '';
        for await (const word of llm.stream(() => chat(obs, clients.openai))) text += word;
        return { text };
      });
    }),
  );
  // Tells the upstream that it waits, and waits until its client goes away.
  app.get('/wait', () =>
    obs.session({ id: 'left' }, async ({ signal }) => {
      await fetch(`${UPSTREAM_URL}/waiting`);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }),
  );
  obs.stopOnSignals(async () => {
    await app.close();
    ioredis.disconnect();
    await Promise.all([redis.close(), clients.pool.end()]);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
}

async function research(obs: Observability, { pool, cache, redis }: Clients): Promise<void> {
  await pool.query('SELECT id FROM items WHERE name = $1', ['a']);
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query('INSERT INTO items (name) VALUES ($1)', ['b']);
  await client.query('COMMIT');
  client.release();
  await cache.get('by-ioredis');
  await redis.get('by-redis');
  await (await fetch(`${UPSTREAM_URL}/fetch`)).text();
  await getByNodeHttp(`${UPSTREAM_URL}/node-http`);
  obs.log.info('Researched');
}

function getByNodeHttp(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.get(url, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}

function chat(obs: Observability, openai: OpenAI): AsyncIterable<string> {
  return obs.ai.stream({ operation: 'chat', provider: 'openai', model: 'double-1' }, async function* () {
    const chunks = await openai.chat.completions.create({
      model: 'double-1',
      stream: true,
      messages: [{ role: 'user', content: 'Does it fit?' }],
    });
    for await (const chunk of chunks) yield chunk.choices[0]?.delta?.content ?? '';
  });
}

void start();

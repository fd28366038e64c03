import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { fastifyOptions, observeFastify } from '../src/adapters/fastify.ts';
import { currentRequest } from '../src/context.ts';
import type { Observability } from '../src/observe.ts';
import {
  type CreateApp,
  type Harness,
  type HarnessOptions,
  httpLabels,
  type Route,
  startHarness,
  waitFor,
} from './behaviour/harness.ts';
import type { CreateHttp2App } from './behaviour/http2.ts';
import { describeAdapter } from './behaviour.ts';

async function buildApp(obs: Observability, routes: readonly Route[], options: object = {}): Promise<FastifyInstance> {
  const app = Fastify({ ...fastifyOptions(obs), ...options }) as unknown as FastifyInstance;
  await app.register(observeFastify(obs));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    obs.log.info('error handler');
    return reply.code(error.statusCode ?? 500).send({ error: {} });
  });
  app.setNotFoundHandler((_request, reply) => {
    obs.log.info('not found handler');
    return reply.code(404).send({ error: {} });
  });
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));
  for (const route of routes) addRoute(app, route);
  return app;
}

function addRoute(app: FastifyInstance, { method, path, answer, write }: Route): void {
  app.route({
    method,
    url: path,
    async handler(request, reply) {
      if (write !== undefined) {
        reply.hijack();
        await write(request.raw, reply.raw);
        return;
      }
      const call = { params: request.params as Record<string, string>, body: request.body };
      const { status = 200, headers = {}, body } = (await answer?.(call)) ?? {};
      return reply.code(status).headers(headers).send(body);
    },
  });
}

const createHttp2App: CreateHttp2App = async (tls, obs, routes) => {
  const app = await buildApp(obs, routes, { http2: true, ...(tls && { https: { ...tls, allowHTTP1: true } }) });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, server: app.server, close: () => app.close() };
};

const createApp: CreateApp = async (obs, routes, prepare) => {
  const app = await buildApp(obs, routes);
  prepare(app.server);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, server: app.server, close: () => app.close() };
};

describeAdapter('Fastify', createApp, createHttp2App);

describe('Fastify alone', () => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });

  /** An app that listens nowhere: asked by `inject`. */
  async function start(
    build: (app: FastifyInstance, obs: Observability) => unknown,
    given: HarnessOptions = {},
  ): Promise<{ app: FastifyInstance; harness: Harness }> {
    let built: FastifyInstance | undefined;
    harness = await startHarness(async (obs) => {
      const app = await buildApp(obs, []);
      await build(app, obs);
      built = app;
      return { port: 0, server: app.server, close: () => app.close() };
    }, given);
    return { app: built as FastifyInstance, harness };
  }

  test('inject is observed as a request on a socket is', async () => {
    const { app, harness } = await start((app, obs) => {
      app.post('/echo/:id', async (request) => {
        obs.log.info('handler');
        return { id: request.id, in: currentRequest()?.requestId, body: request.body };
      });
    });
    const answer = await app.inject({
      method: 'POST',
      url: '/echo/1',
      headers: { 'x-request-id': 'r' },
      payload: { a: 'é' },
    });
    expect(answer.headers['x-request-id']).toBe('r');
    expect(answer.json()).toEqual({ id: 'r', in: 'r', body: { a: 'é' } });
    const [line] = await harness.closing(1);
    expect(line).toMatchObject({ request_id: 'r', route: '/echo/:id', status: 'success', http_status: 200 });
    expect(line).toMatchObject({ request_bytes: 10, response_bytes: Buffer.byteLength(answer.body) });
    expect(harness.lines().find(({ message }) => message === 'handler')?.request_id).toBe('r');
    const metrics = await app.inject('/metrics');
    expect(metrics.body).toContain(
      `http_server_request_duration_seconds_count${httpLabels({ method: 'POST', route: '/echo/:id', status: 200 })} 1\n`,
    );
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    expect((await app.inject('/none')).statusCode).toBe(404);
  });

  test("Fastify's own errors are told with the request's id, and its two lines a request are off", async () => {
    const { app, harness } = await start((app, obs) => {
      app.post('/small', { bodyLimit: 5 }, async () => ({}));
      app.post('/typed', { schema: { body: { type: 'object', required: ['a'] } } }, async () => ({}));
      app.get('/log', async (request) => {
        request.log.info('by the request');
        app.log.info('by the app');
        obs.logger('other').info('by name');
        return {};
      });
    });
    const ask = async (url: string, id: string, payload?: string) => {
      const headers = { 'x-request-id': id, ...(payload !== undefined && { 'content-type': 'application/json' }) };
      return (
        await app.inject({
          method: payload === undefined ? 'GET' : 'POST',
          url,
          headers,
          ...(payload !== undefined && { payload }),
        })
      ).statusCode;
    };
    expect(await ask('/small', 'small', '{"long": true}')).toBe(413);
    expect(await ask('/typed', 'typed', '{}')).toBe(400);
    expect(await ask('/log', 'log')).toBe(200);
    const lines = await harness.closing(3);
    expect(lines.map(({ route, http_status, status }) => [route, http_status, status])).toEqual([
      ['/small', 413, 'success'],
      ['/typed', 400, 'success'],
      ['/log', 200, 'success'],
    ]);
    const told = harness.lines().filter(({ request_id }) => request_id !== undefined);
    expect(told.map(({ message, request_id }) => `${request_id}: ${message}`)).toEqual([
      'small: error handler',
      'small: Request completed',
      'typed: error handler',
      'typed: Request completed',
      'log: by the request',
      'log: by the app',
      'log: by name',
      'log: Request completed',
    ]);
  });

  test('routes of plugins are told by their whole template, their own 404 handlers as unmatched', async () => {
    const { app, harness } = await start(async (app) => {
      await app.register(
        async (scope) => {
          scope.get('/:id', async () => ({}));
          scope.get('/files/*', async () => ({}));
          scope.setNotFoundHandler((_request, reply) => reply.code(404).send({}));
        },
        { prefix: '/v1/:tenant' },
      );
    });
    for (const url of ['/v1/t/7', '/v1/t/files/a/b', '/v1/t/none/x']) await app.inject(url);
    const lines = await harness.closing(3);
    expect(lines.map(({ route }) => route)).toEqual(['/v1/:tenant/:id', '/v1/:tenant/files/*', '__unmatched__']);
  });

  test('hooks that hang up, answer early or wait keep the request in hand', async () => {
    const { app, harness } = await start((app, obs) => {
      for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'] as const)
        app.addHook(hook, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          obs.log.info(hook);
        });
      app.get('/', async () => ({}));
      app.get('/early', { onRequest: async (_request, reply) => reply.code(401).send({}) }, async () => ({}));
    });
    await app.inject({ url: '/', headers: { 'x-request-id': 'r' } });
    await app.inject({ url: '/early', headers: { 'x-request-id': 'early' } });
    const [, early] = await harness.closing(2);
    expect(early).toMatchObject({ http_status: 401, request_id: 'early' });
    await waitFor(() => expect(harness.lines().filter(({ message }) => message === 'onResponse')).toHaveLength(2));
    const ids = harness.lines().flatMap(({ message, request_id }) => (/^(on|pre)/.test(message) ? [request_id] : []));
    expect(ids).toEqual([...Array(6).fill('r'), ...Array(3).fill('early')]);
  });
});

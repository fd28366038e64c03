import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { stream, streamSSE } from 'hono/streaming';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { observeHono } from '../src/adapters/hono.ts';
import type { Observability } from '../src/observe.ts';
import {
  type AppServer,
  type CreateApp,
  deferred,
  type Harness,
  type HarnessOptions,
  openRaw,
  type Route,
  type App as RunningApp,
  send,
  startHarness,
  waitFor,
} from './behaviour/harness.ts';
import type { CreateHttp2App } from './behaviour/http2.ts';
import { describeAdapter } from './behaviour.ts';

type App = Hono<{ Bindings: HttpBindings }>;

function addRoute(app: App, { method, path, answer, write }: Route): void {
  app.on(method, path, async (c: Context<{ Bindings: HttpBindings }>) => {
    if (write !== undefined) {
      await write(c.env.incoming, c.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    }
    const {
      status = 200,
      headers = {},
      body,
    } = (await answer?.({ params: c.req.param(), body: await bodyOf(c) })) ?? {};
    if (body instanceof Readable) return new Response(Readable.toWeb(body) as ReadableStream, { status, headers });
    if (body === undefined || typeof body === 'string') return new Response(body ?? null, { status, headers });
    return Response.json(body, { status, headers });
  });
}

async function bodyOf(c: Context): Promise<unknown> {
  if (c.req.header('content-type') !== 'application/json') return undefined;
  try {
    return await c.req.json();
  } catch (error) {
    throw Object.assign(new Error('no JSON', { cause: error }), { statusCode: 400 });
  }
}

async function listen(
  app: App,
  prepare: (server: AppServer) => void = () => {},
  options: object = {},
): Promise<RunningApp> {
  const server = createAdaptorServer({ fetch: app.fetch, ...options }) as Server;
  prepare(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections?.();
      }),
  };
}

async function buildApp(obs: Observability, routes: readonly Route[]): Promise<App> {
  const app: App = new Hono<{ Bindings: HttpBindings }>();
  app.use(await observeHono(obs));
  for (const route of routes) addRoute(app, route);
  app.notFound((c) => {
    obs.log.info('not found handler');
    return c.json({ error: {} }, 404);
  });
  app.onError((error, c) => {
    obs.log.info('error handler');
    return c.json({ error: {} }, ((error as { statusCode?: number }).statusCode ?? 500) as 500);
  });
  return app;
}

const createApp: CreateApp = async (obs, routes, prepare) =>
  listen(await buildApp(obs, routes), (server) => {
    prepare(server);
    // Else from the first request on.
    obs.http.watchUpgrades(server);
  });

const createHttp2App: CreateHttp2App = async (tls, obs, routes) =>
  listen(await buildApp(obs, routes), undefined, {
    createServer: tls === undefined ? createHttp2Server : createSecureServer,
    serverOptions: tls === undefined ? {} : { ...tls, allowHTTP1: true },
  });

describeAdapter('Hono', createApp, createHttp2App);

describe('Hono alone', () => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });
  const start = async (
    build: (app: App, obs: Observability) => unknown,
    given: HarnessOptions = {},
  ): Promise<Harness> => {
    harness = await startHarness(async (obs) => {
      const app: App = new Hono<{ Bindings: HttpBindings }>();
      app.use(await observeHono(obs));
      await build(app, obs);
      return listen(app);
    }, given);
    return harness;
  };
  /** Asks for each path, and gives status and route of each. */
  const ask = async (app: Harness, paths: readonly string[]): Promise<string[]> => {
    for (const [at, path] of paths.entries())
      await send(`${app.url}${path}`, { headers: { 'x-request-id': String(at) } });
    const lines = await app.closing(paths.length);
    const sorted = [...lines].sort((a, b) => Number(a.request_id) - Number(b.request_id));
    return sorted.map(({ http_status, route }) => `${http_status} ${route}`);
  };

  test('routes are told by their whole template, whatever middleware stands before them', async () => {
    const app = await start((app) => {
      const items = new Hono().get('/', (c) => c.text('ok')).get('/:item', (c) => c.text('ok'));
      items.get('/broken', () => {
        throw new Error('broken');
      });
      const guarded = new Hono().use(async (c, next) => {
        if (c.req.header('authorization') === undefined) return c.text('no', 401);
        return next();
      });
      guarded.get('/secret/:id', (c) => c.text('ok'));
      const own = new Hono().get('/:id', (c) => c.text('ok'));
      own.onError((_error, c) => c.text('own', 500));
      app.use('/v1/*', async (_c, next) => next());
      app.route('/v1/:tenant/items', items);
      app.route('/guarded', guarded);
      app.route('/own', own);
      app.basePath('/base').get('/x', (c) => c.text('ok'));
      app.get(
        '/chain/:id',
        async (_c, next) => next(),
        (c) => c.text('ok'),
      );
      app.all('/any/:id', (c) => c.text('ok'));
      app.use('/assets/*', async (c) => c.text('a file'));
      app.get('/wild/*', (c) => c.text('ok'));
      app.get('/gone/:id', (c) => c.notFound());
      app.use('*', async (_c, next) => next());
      app.onError((_error, c) => c.text('broken', 500));
    });
    expect(
      await ask(app, [
        '/v1/acme/items',
        '/v1/acme/items/7',
        '/guarded/secret/1',
        '/own/5',
        '/base/x',
        '/chain/1',
        '/any/1',
        '/assets/a.css',
        '/wild/a/b',
        '/gone/1',
        '/v1/acme/none',
        '/none',
      ]),
    ).toEqual([
      '200 /v1/:tenant/items',
      '200 /v1/:tenant/items/:item',
      '401 /guarded/secret/:id',
      '200 /own/:id',
      '200 /base/x',
      '200 /chain/:id',
      '200 /any/:id',
      '200 /assets/*',
      '200 /wild/*',
      '404 /gone/:id',
      '404 __unmatched__',
      '404 __unmatched__',
    ]);
  });

  test('the first of two routes answers, unless it passes the request on; middleware may answer in its place', async () => {
    const app = await start((app) => {
      app.get('/c/:id', (c, _next) => Promise.resolve(c.text('first')));
      app.get('/c/*', (c) => c.text('second'));
      app.use('/static/*', (c, next) => (c.req.path.endsWith('.css') ? Promise.resolve(c.text('a file')) : next()));
      app.get('/a/:id', (c) => c.text('first'));
      app.get('/a/*', (c) => c.text('second'));
      app.get('/b/:id', async (_c, next) => next());
      app.get('/b/*', (c) => c.text('second'));
    });
    expect(await ask(app, ['/a/1', '/b/1', '/c/1', '/static/a.css', '/static/none'])).toEqual([
      '200 /a/:id',
      '200 /b/*',
      '200 /c/:id',
      '200 /static/*',
      '404 __unmatched__',
    ]);
  });

  test('the route is known before it has answered', async () => {
    const app = await start((app) => {
      app.get('/a/:id', () => new Promise<never>(() => {}));
      app.get('/a/*', (c) => c.text('second'));
    });
    const client = await openRaw(app.port);
    client.write('GET /a/1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => expect(app.obs.http.gate.size).toBe(1));
    client.socket.destroy();
    expect((await app.closing(1))[0]).toMatchObject({ route: '/a/:id', http_status: 499 });
  });

  test('probes are answered once, so that their connection stays and nothing is told of it', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const app = await start(() => {});
      const client = await openRaw(app.port);
      for (const [at, method] of ['HEAD', 'GET', 'POST', 'HEAD', 'GET'].entries()) {
        client.write(`${method} /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
        await waitFor(() => expect(client.received().match(/HTTP\/1\.1 (200|405)/g)).toHaveLength(at + 1));
      }
      client.socket.destroy();
      expect((await app.closing(5)).map(({ status }) => status)).toEqual(Array(5).fill('success'));
      expect(told.mock.calls).toEqual([]);
    } finally {
      told.mockRestore();
    }
  });

  test('streams of its helpers count to their last byte, with the request in hand', async () => {
    const app = await start((app, obs) => {
      app.get('/sse', (c) =>
        streamSSE(c, async (stream) => {
          for (const data of ['1', '2', '3']) {
            obs.log.info('event');
            await stream.writeSSE({ event: 'tick', data });
            await stream.sleep(5);
          }
        }),
      );
      app.get('/stream', (c) =>
        stream(c, async (stream) => {
          await stream.write('abc');
          await stream.write('def');
        }),
      );
    });
    expect((await send(`${app.url}/sse`)).body).toBe(
      ['1', '2', '3'].map((data) => `event: tick\ndata: ${data}\n\n`).join(''),
    );
    expect((await send(`${app.url}/stream`)).body).toBe('abcdef');
    const [sse, plain] = await app.closing(2);
    expect(sse).toMatchObject({ route: '/sse', stream_events: 3, status: 'success' });
    expect(sse?.duration_ms).toBeGreaterThanOrEqual(10);
    expect(plain).toMatchObject({ route: '/stream', response_bytes: 6 });
    const ids = app.lines().flatMap(({ message, request_id }) => (message === 'event' ? [request_id] : []));
    expect(ids).toEqual(Array(3).fill(sse?.request_id));
  });

  test('a client that leaves a stream of its helpers is told of, and the helper too', async () => {
    const aborted = deferred();
    const app = await start((app, obs) => {
      app.get('/sse', (c) =>
        streamSSE(c, async (stream) => {
          stream.onAbort(() => {
            obs.log.info('aborted');
            aborted.resolve();
          });
          await stream.writeSSE({ data: '1' });
          await aborted.promise;
        }),
      );
    });
    const client = await openRaw(app.port);
    client.write('GET /sse HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone\r\n\r\n');
    await client.until('data: 1');
    client.socket.destroy();
    await aborted.promise;
    expect((await app.closing(1))[0]).toMatchObject({
      http_status: 499,
      error_type: 'client_disconnect',
      stream_events: 1,
    });
    expect(app.lines().find(({ message }) => message === 'aborted')?.request_id).toBe('gone');
  });

  test('the user may be one that middleware finds after it', async () => {
    const app = await start(
      (app) => {
        app.use(async (c, next) => {
          c.set('who' as never, 'ada' as never);
          await next();
        });
        app.get('/', (c) => c.text('ok'));
      },
      { options: { user: (c) => (c as Context).get('who') } },
    );
    await send(app.url);
    expect((await app.closing(1))[0]?.user_id).toBe('ada');
  });

  test('app.request() without a server is answered, and not observed', async () => {
    let hono: App | undefined;
    const app = await start((app) => {
      hono = app;
      app.get('/x', (c) => c.text('ok'));
    });
    expect(await (await hono?.request('/x'))?.text()).toBe('ok');
    expect(await app.series('http_server_request_duration_seconds_count')).toEqual([]);
  });
});

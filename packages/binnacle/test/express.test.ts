import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { observeExpress } from '../src/adapters/express.ts';
import type { Observability } from '../src/observe.ts';
import {
  type App,
  type AppServer,
  type CreateApp,
  type Harness,
  type Route,
  send,
  startHarness,
} from './behaviour/harness.ts';
import { describeAdapter } from './behaviour.ts';

type Factory = typeof express;

/** An alias of the package, which has no types of its own. */
const express4 = createRequire(import.meta.url)('express4') as Factory;

function toHandler({ answer, write }: Route): RequestHandler {
  return async (req, res, next) => {
    try {
      if (write !== undefined) {
        await write(req as unknown as IncomingMessage, res as unknown as ServerResponse);
        return;
      }
      const call = { params: req.params as Record<string, string>, body: req.body as unknown };
      const { status = 200, headers = {}, body } = (await answer?.(call)) ?? {};
      res.status(status).set(headers);
      if (body instanceof Readable) await pipeline(body, res);
      else if (body === undefined) res.end();
      else res.send(body);
    } catch (error) {
      next(error);
    }
  };
}

async function listen(app: express.Express, prepare: (server: AppServer) => void = () => {}): Promise<App> {
  const server = createServer(app);
  prepare(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const createAppOf =
  (factory: Factory): CreateApp =>
  async (obs, routes, prepare) => {
    const app = factory();
    app.use(await observeExpress(obs));
    app.use(factory.json());
    for (const route of routes) app[route.method.toLowerCase() as 'get'](route.path, toHandler(route));
    app.use((_req, res) => {
      obs.log.info('not found handler');
      res.status(404).json({ error: {} });
    });
    const onError: ErrorRequestHandler = (error: { statusCode?: number }, _req, res, next) => {
      obs.log.info('error handler');
      if (res.headersSent) next(error);
      else res.status(error.statusCode ?? 500).json({ error: {} });
    };
    app.use(onError);
    return listen(app, (server) => {
      prepare(server);
      // Else from the first request on.
      obs.http.watchUpgrades(server);
    });
  };

describeAdapter('Express 5', createAppOf(express));
describeAdapter('Express 4', createAppOf(express4));

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s alone', (name, factory) => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });

  /** Asks for each path of an app, and gives status and route of each. */
  async function routesOf(
    build: (app: express.Express, obs: Observability) => void,
    paths: readonly string[],
  ): Promise<string[]> {
    const started = await startHarness(async (obs) => {
      const app = factory();
      app.set('env', 'test');
      app.use(await observeExpress(obs));
      build(app, obs);
      return listen(app);
    });
    harness = started;
    for (const [at, path] of paths.entries())
      await send(`${started.url}${path}`, { headers: { 'x-request-id': String(at) } }).catch(() => {});
    const lines = await started.closing(paths.length);
    const sorted = [...lines].sort((a, b) => Number(a.request_id) - Number(b.request_id));
    return sorted.map(({ http_status, route }) => `${http_status} ${route}`);
  }
  const ok: RequestHandler = (_req, res) => void res.send('ok');

  test('routers are told by their whole template, however deep, with the names of parameters', async () => {
    const routes = await routesOf(
      (app) => {
        const items = factory.Router();
        items.get('/', ok);
        items.get('/:item', ok);
        items.get('/:item/files/:file', ok);
        const tenants = factory.Router({ mergeParams: true });
        tenants.use('/items', items);
        tenants.use('/users/:user', factory.Router().get('/posts/:post', ok));
        app.use('/v1/:tenant', tenants);
        app.use('/static', factory.Router().get('/', ok));
        app.use(factory.Router().get('/bare/:id', ok));
        const inner = factory();
        inner.get('/deep/:id', ok);
        app.use('/apps/:app', inner);
      },
      [
        '/v1/acme/items',
        '/v1/acme/items/7',
        '/v1/o%27neill%20%C3%A9/items/7/files/a.txt?x=1',
        '/v1/acme/users/ada/posts/1',
        '/v1/v1/items/v1',
        '/static',
        '/bare/5',
        '/apps/one/deep/2',
        '/v1/acme/none',
        '/v1/acme',
      ],
    );
    expect(routes).toEqual([
      '200 /v1/:tenant/items',
      '200 /v1/:tenant/items/:item',
      '200 /v1/:tenant/items/:item/files/:file',
      '200 /v1/:tenant/users/:user/posts/:post',
      '200 /v1/:tenant/items/:item',
      '200 /static',
      '200 /bare/:id',
      '200 /apps/:app/deep/:id',
      '404 __unmatched__',
      '404 __unmatched__',
    ]);
  });

  test('several paths of a route, regular expressions and wildcards are told by their patterns', async () => {
    const wildcard = name === 'Express 5' ? '/files/*rest' : '/files/*';
    const routes = await routesOf(
      (app) => {
        app.get(['/a', '/b/:id'], ok);
        app.get(/^\/r(\d+)$/, ok);
        app.get(wildcard, ok);
        app.use(/^\/m(\d+)/, factory.Router().get('/x', ok));
        app.use(['/one', '/two/:n'], factory.Router().get('/y', ok));
      },
      ['/a', '/b/1', '/r77', '/files/x/y/z', '/m1/x', '/m2/x', '/one/y', '/two/2/y'],
    );
    // What of several paths matched, and a mount's regular expression, is told from Express 5.3 on.
    const five = name === 'Express 5';
    expect(routes).toEqual([
      five ? '200 /a' : '200 /a|/b/:id',
      five ? '200 /b/:id' : '200 /a|/b/:id',
      '200 /^\\/r(\\d+)$/',
      `200 ${wildcard}`,
      five ? '200 /^\\/m(\\d+)/x' : '200 /m:0/x',
      five ? '200 /^\\/m(\\d+)/x' : '200 /m:0/x',
      '200 /one/y',
      '200 /two/:n/y',
    ]);
  });

  test('an error keeps the route that it came from; what middleware answers has none', async () => {
    const routes = await routesOf(
      (app) => {
        const router = factory.Router();
        router.get('/fails/:id', () => {
          throw new Error('broken');
        });
        router.get('/missing/:id', (_req, _res, next) => next(Object.assign(new Error('no'), { status: 404 })));
        router.get('/passes', (_req, _res, next) => next());
        router.get('/passes', ok);
        app.use('/api/:v', router);
        app.use('/middleware', ok);
      },
      ['/api/1/fails/2', '/api/1/missing/2', '/api/1/passes', '/middleware/x'],
    );
    expect(routes).toEqual([
      '500 /api/:v/fails/:id',
      '404 /api/:v/missing/:id',
      '200 /api/:v/passes',
      '200 __unmatched__',
    ]);
  });

  test('a failure after the headers, which Express answers by ending the connection, is an error of ours', async () => {
    const [route] = await routesOf(
      (app) =>
        app.get('/stream', (_req, res, next) => {
          res.set('content-type', 'text/event-stream').write('data: 1\n\n', () => next(new Error('upstream')));
        }),
      ['/stream'],
    );
    expect(route).toBe('200 /stream');
    const [line] = (await harness?.closing(1)) ?? [];
    expect(line).toMatchObject({ status: 'error', error_type: 'stream_error', level: 'ERROR' });
  });

  test('any number of prefixes by a regular expression without groups makes no more series than there is room for', async () => {
    const paths = Array.from({ length: 260 }, (_, at) => `/tenant${at}/x`);
    const routes = await routesOf((app) => app.use(/^\/tenant\d+/, factory.Router().get('/x', ok)), paths);
    expect(new Set(routes).size).toBe(name === 'Express 5' ? 1 : 201);
    expect(routes.at(-1)).toBe(name === 'Express 5' ? '200 /^\\/tenant\\d+/x' : '200 /*/x');
  });

  test('the user is who middleware found before the route', async () => {
    const started = await startHarness(
      async (obs) => {
        const app = factory();
        app.use(await observeExpress(obs));
        app.use((req, _res, next) => {
          Object.assign(req, { who: 'ada' });
          next();
        });
        app.get('/', ok);
        return listen(app);
      },
      { options: { user: (request) => (request as { who?: string }).who } },
    );
    harness = started;
    await send(started.url);
    await send(`${started.url}/none`);
    expect((await started.closing(2)).map(({ user_id }) => user_id)).toEqual(['ada', undefined]);
  });
});

import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  Delete,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpException,
  type INestApplication,
  Module,
  NotFoundException,
  Post,
  Put,
  Req,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { interval, map, type Observable, take } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { observeNest } from '../src/adapters/nest.ts';
import type { Observability } from '../src/observe.ts';
import {
  type AppServer,
  type CreateApp,
  type Harness,
  type HarnessOptions,
  openRaw,
  type Route,
  type App as RunningApp,
  send,
  startHarness,
} from './behaviour/harness.ts';
import type { CreateHttp2App } from './behaviour/http2.ts';
import { describeAdapter } from './behaviour.ts';

type Platform = 'express' | 'fastify';
type RequestOf = IncomingMessage & { params: Record<string, string>; body: unknown; raw?: IncomingMessage };
type ResponseOf = ServerResponse & { raw?: ServerResponse; hijack?(): void; status(code: number): void } & {
  header(name: string, value: string): void;
};

const METHODS = { GET: Get, POST: Post, PUT: Put };

/** A controller as decorators make it: they are called here, as routes are not known before. */
function toController(routes: readonly Route[]): new () => object {
  class Routes {
    [name: string]: unknown;
  }
  for (const [at, { method, path, answer, write }] of routes.entries()) {
    const name = `route${at}`;
    const handler = async (req: RequestOf, res: ResponseOf): Promise<unknown> => {
      if (write !== undefined) {
        res.hijack?.();
        await write(req.raw ?? req, res.raw ?? res);
        return undefined;
      }
      const { status = 200, headers = {}, body } = (await answer?.({ params: req.params, body: req.body })) ?? {};
      res.status(status);
      for (const [key, value] of Object.entries(headers)) res.header(key, value);
      return body instanceof Readable ? new StreamableFile(body) : body;
    };
    Routes.prototype[name] = handler;
    Req()(Routes.prototype, name, 0);
    // With passthrough Nest sends what is returned.
    Res({ passthrough: write === undefined })(Routes.prototype, name, 1);
    METHODS[method](path)(Routes.prototype, name, Object.getOwnPropertyDescriptor(Routes.prototype, name)!);
  }
  Controller()(Routes);
  return Routes;
}

function toFilter(obs: Observability, host: HttpAdapterHost): object {
  class Filter {
    catch(error: Error, context: ArgumentsHost): void {
      obs.log.info(error instanceof NotFoundException ? 'not found handler' : 'error handler');
      const status =
        error instanceof HttpException ? error.getStatus() : ((error as { statusCode?: number }).statusCode ?? 500);
      const response = context.switchToHttp().getResponse<ServerResponse>();
      if (host.httpAdapter.isHeadersSent(response)) host.httpAdapter.end(response);
      else host.httpAdapter.reply(response, { error: {} }, status);
    }
  }
  Catch()(Filter);
  return new Filter();
}

async function createNestApp(
  obs: Observability,
  platform: Platform,
  module: object,
  options: object = {},
): Promise<INestApplication> {
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(options);
  const app = await NestFactory.create(module, adapter, { logger: false, abortOnError: false });
  await observeNest(obs, app);
  return app;
}

async function buildApp(
  obs: Observability,
  platform: Platform,
  routes: readonly Route[],
  options: object = {},
): Promise<INestApplication> {
  class App {}
  Module({ controllers: [toController(routes)] })(App);
  const app = await createNestApp(obs, platform, App, options);
  app.useGlobalFilters(toFilter(obs, app.get(HttpAdapterHost)) as never);
  const parse = (_request: unknown, _payload: unknown, done: (error: null) => void) => done(null);
  if (platform === 'fastify')
    app.getHttpAdapter().getInstance().addContentTypeParser('application/octet-stream', parse);
  return app;
}

const createAppOf =
  (platform: Platform): CreateApp =>
  async (obs, routes, prepare) =>
    listen(await buildApp(obs, platform, routes), prepare);

const createHttp2App: CreateHttp2App = async (tls, obs, routes) => {
  const options = { http2: true, ...(tls && { https: { ...tls, allowHTTP1: true } }) };
  return listen(await buildApp(obs, 'fastify', routes, options));
};

async function listen(app: INestApplication, prepare: (server: AppServer) => void = () => {}): Promise<RunningApp> {
  const server: AppServer = app.getHttpServer();
  prepare(server);
  await app.listen(0, '127.0.0.1');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async close() {
      server.closeAllConnections?.();
      await app.close();
    },
  };
}

describeAdapter('NestJS on Express', createAppOf('express'));
describeAdapter('NestJS on Fastify', createAppOf('fastify'), createHttp2App);

/** A class whose methods are handlers, each with the decorators that make it one. */
function toClass(
  methods: Readonly<Record<string, [(...args: never[]) => unknown, ...MethodDecorator[]]>>,
): new () => object {
  class Made {}
  for (const [name, [method, ...decorators]] of Object.entries(methods)) {
    Object.defineProperty(Made.prototype, name, { value: method, configurable: true, writable: true });
    for (const decorate of decorators)
      decorate(Made.prototype, name, Object.getOwnPropertyDescriptor(Made.prototype, name) as PropertyDescriptor);
  }
  return Made;
}

describe.each(['express', 'fastify'] as const)('NestJS on %s alone', (platform) => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });
  const start = async (
    controllers: readonly (new () => object)[],
    set: (app: INestApplication, obs: Observability) => void = () => {},
    given: HarnessOptions = {},
  ): Promise<Harness> => {
    harness = await startHarness(async (obs) => {
      class App {}
      Module({ controllers: [...controllers] })(App);
      const app = await createNestApp(obs, platform, App);
      set(app, obs);
      return listen(app);
    }, given);
    return harness;
  };
  const ask = async (app: Harness, asks: readonly string[]): Promise<string[]> => {
    for (const [at, text] of asks.entries()) {
      const [method = '', path = ''] = text.split(' ');
      await send(`${app.url}${path}`, { method, headers: { 'x-request-id': String(at) } });
    }
    const lines = await app.closing(asks.length);
    const sorted = [...lines].sort((a, b) => Number(a.request_id) - Number(b.request_id));
    return sorted.map(({ http_status, route }) => `${http_status} ${route}`);
  };

  test('routes are told with prefix and version; no other path below the prefix is one', async () => {
    const items = toClass({
      list: [() => [], Get()],
      one: [() => ({}), Get(':id')],
      remove: [() => ({}), Delete(':id/files/:file')],
    });
    Controller({ path: 'items', version: '1' })(items);
    const plain = toClass({ root: [() => 'root', Get()] });
    Controller({ version: VERSION_NEUTRAL })(plain);
    const app = await start([items, plain], (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI });
    });
    expect(
      await ask(app, [
        'GET /api/v1/items',
        'GET /api/v1/items/7?x=1',
        'DELETE /api/v1/items/7/files/a.txt',
        'GET /api',
        'GET /api/v2/items/7',
        'GET /api/none/x',
        'PUT /api/v1/items/7',
        'GET /none',
        'GET /health/live',
      ]),
    ).toEqual([
      '200 /api/v1/items',
      '200 /api/v1/items/:id',
      '200 /api/v1/items/:id/files/:file',
      '200 /api',
      '404 __unmatched__',
      '404 __unmatched__',
      '404 __unmatched__',
      '404 __unmatched__',
      '200 /health/live',
    ]);
  });

  test('exceptions are told by the code that filters make of them', async () => {
    const controller = toClass({
      forbidden: [() => Promise.reject(new ForbiddenException()), Get('forbidden/:id')],
      broken: [
        () => {
          throw new TypeError('broken');
        },
        Get('broken'),
      ],
      guarded: [() => 'never', UseGuards({ canActivate: () => false } as never), Get('guarded/:id')],
    });
    Controller()(controller);
    const app = await start([controller]);
    expect(await ask(app, ['GET /forbidden/1', 'GET /broken', 'GET /guarded/1'])).toEqual([
      '403 /forbidden/:id',
      '500 /broken',
      '403 /guarded/:id',
    ]);
    expect((await app.closing(3)).map(({ status }) => status).sort()).toEqual(['error', 'success', 'success']);
  });

  test('the user is who a guard found', async () => {
    const controller = toClass({ me: [() => 'me', Get('me')] });
    Controller()(controller);
    const guard = {
      canActivate(context: ExecutionContext) {
        Object.assign(context.switchToHttp().getRequest(), { who: 'ada' });
        return true;
      },
    };
    const app = await start([controller], (app) => void app.useGlobalGuards(guard), {
      options: { user: (request) => (request as { who?: string }).who },
    });
    await send(`${app.url}/me`);
    expect((await app.closing(1))[0]?.user_id).toBe('ada');
  });

  test('Sse counts to its last event, with the request in hand, and a client that leaves it is told of', async () => {
    const controller = toClass({
      ticks: [
        (): Observable<object> =>
          interval(2).pipe(
            take(3),
            map((data) => {
              harness?.obs.log.info('event');
              return { data: { data } };
            }),
          ),
        Sse('ticks/:id'),
      ],
      endless: [(): Observable<object> => interval(5).pipe(map((data) => ({ data: { data } }))), Sse('endless')],
    });
    Controller()(controller);
    const app = await start([controller]);
    const { body } = await send(`${app.url}/ticks/1`, { headers: { 'x-request-id': 'sse' } });
    expect(body.match(/^data: /gm)).toHaveLength(3);
    const [line] = await app.closing(1);
    expect(line).toMatchObject({
      route: '/ticks/:id',
      stream_events: 3,
      status: 'success',
      response_bytes: Buffer.byteLength(body),
    });
    const ids = app.lines().flatMap(({ message, request_id }) => (message === 'event' ? [request_id] : []));
    expect(ids).toEqual(Array(3).fill('sse'));
    const client = await openRaw(app.port);
    client.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('{"data":1}');
    client.socket.destroy();
    expect((await app.closing(2))[1]).toMatchObject({
      route: '/endless',
      http_status: 499,
      error_type: 'client_disconnect',
    });
  });
});

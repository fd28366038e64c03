import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, createSecureServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { observeExpress } from '../src/adapters/express.ts';
import { observeNode } from '../src/adapters/node.ts';
import { currentRequest } from '../src/context.ts';
import type { Observability } from '../src/observe.ts';
import {
  type Answer,
  type App,
  type AppServer,
  type CreateApp,
  type Harness,
  openRaw,
  type Route,
  send,
  startHarness,
} from './behaviour/harness.ts';
import type { CreateHttp2App } from './behaviour/http2.ts';
import { describeAdapter } from './behaviour.ts';

type Params = Readonly<Record<string, string>>;

/** What a path's parameters are, or undefined where it is not the template's. */
function match(template: string, path: string): Params | undefined {
  const names: string[] = [];
  const pattern = template.replace(/:(\w+)/g, (_, name: string) => {
    names.push(name);
    return '([^/]+)';
  });
  const found = new RegExp(`^${pattern}$`).exec(path);
  return found === null ? undefined : Object.fromEntries(names.map((name, at) => [name, found[at + 1] ?? '']));
}

/** A service as it is written over bare `node:http`. */
function createHandler(obs: Observability, routes: readonly Route[]) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
      const method = req.method === 'HEAD' ? 'GET' : req.method;
      for (const route of routes) {
        const params = route.method === method ? match(route.path, path) : undefined;
        if (params === undefined) continue;
        obs.http.setRoute(req, route.path);
        if (route.write === undefined) await answerWith(res, await route.answer?.({ params, body: await bodyOf(req) }));
        else await route.write(req, res);
        return;
      }
      obs.log.info('not found handler');
      res.writeHead(404).end();
    } catch (error) {
      obs.log.info('error handler');
      if (res.headersSent) res.destroy();
      else res.writeHead((error as { statusCode?: number }).statusCode ?? 500).end();
    }
  };
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  if (req.headers['content-type'] !== 'application/json') return undefined;
  try {
    return JSON.parse(await text(req));
  } catch (error) {
    throw Object.assign(new Error('no JSON', { cause: error }), { statusCode: 400 });
  }
}

async function answerWith(res: ServerResponse, { status = 200, headers = {}, body }: Answer = {}): Promise<void> {
  const isText = typeof body === 'string';
  res.writeHead(
    status,
    isText || body instanceof Readable ? headers : { 'content-type': 'application/json', ...headers },
  );
  if (body instanceof Readable) await pipeline(body, res);
  else res.end(isText || body === undefined ? body : JSON.stringify(body));
}

async function listen(obs: Observability, server: AppServer): Promise<App> {
  await observeNode(obs, server);
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

const createApp: CreateApp = (obs, routes, prepare) => {
  const server = createServer(createHandler(obs, routes));
  prepare(server);
  return listen(obs, server);
};

const createHttp2App: CreateHttp2App = (tls, obs, routes) => {
  const handler = createHandler(obs, routes) as unknown as Parameters<typeof createHttp2Server>[1];
  const server: Http2Server =
    tls === undefined ? createHttp2Server(handler) : createSecureServer({ ...tls, allowHTTP1: true }, handler);
  return listen(obs, server as unknown as AppServer);
};

describeAdapter('node:http', createApp, createHttp2App);

describe('node:http alone', () => {
  let harness: Harness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });
  const start = async (server: Server): Promise<Harness> => {
    harness = await startHarness((obs) => listen(obs, server));
    return harness;
  };

  test('a server without a listener is a mistake that names itself', async () => {
    await expect(start(createServer())).rejects.toThrow('the server has no request listener yet');
  });

  test('all its listeners run with the request in hand, those of `Expect` too; a probe reaches none', async () => {
    const calls: string[] = [];
    const call = (name: string) => () => void calls.push(`${name} ${currentRequest()?.requestId}`);
    const server = createServer(call('first'));
    server.on('request', call('second'));
    server.on('request', (_req, res) => res.end('ok'));
    server.on('checkContinue', call('continue'));
    server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
      res.writeContinue();
      req.resume().once('end', () => res.end('went on'));
    });
    const app = await start(server);
    await send(app.url, { headers: { 'x-request-id': 'a' } });
    await send(`${app.url}/health/live`);
    const client = await openRaw(app.port);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nX-Request-Id: b\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await client.until('100 Continue');
    client.write('hi');
    await client.until('went on');
    client.socket.destroy();
    expect(calls).toEqual(['first a', 'second a', 'continue b']);
    expect((await app.closing(3)).map(({ request_bytes, http_status }) => [request_bytes, http_status])).toEqual([
      [0, 200],
      [0, 200],
      [2, 200],
    ]);
  });

  test('what Node answers by itself is told as well', async () => {
    const app = await start(createServer((_req, res) => res.end()));
    const client = await openRaw(app.port);
    client.write('GET / HTTP/1.1\r\n\r\n');
    await client.until('400 Bad Request');
    client.socket.destroy();
    await send(app.url, { headers: { expect: 'something else' } });
    expect((await app.closing(2)).map(({ http_status, route }) => [http_status, route])).toEqual([
      [400, '__unmatched__'],
      [417, '__unmatched__'],
    ]);
  });

  test('a server that was closed has its own listeners back, and is observed no more', async () => {
    const listener = (_req: IncomingMessage, res: ServerResponse): void => void res.end('plain');
    const server = createServer(listener);
    const app = await start(server);
    expect(server.listeners('request')).not.toContain(listener);
    await new Promise((resolve) => server.close(resolve));
    expect(server.listeners('request')).toEqual([listener]);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const answer = await send(`http://127.0.0.1:${port}/health`);
    expect([answer.body, answer.headers['x-request-id']]).toEqual(['plain', undefined]);
    await app.closing(0);
  });

  test('a framework that has an adapter of its own is observed once', async () => {
    harness = await startHarness(async (obs) => {
      const app = express();
      app.use(await observeExpress(obs));
      app.get('/items/:id', (_req, res) => void res.send('ok'));
      return listen(obs, createServer(app));
    });
    await send(`${harness.url}/items/1`);
    expect((await harness.closing(1))[0]).toMatchObject({ route: '/items/:id', http_status: 200 });
    expect(await harness.series('http_server_request_duration_seconds_count')).toHaveLength(1);
  });
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, createSecureServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { observeNode } from '../src/adapters/node.ts';
import type { Observability } from '../src/observe.ts';
import type { Answer, App, AppServer, CreateApp, Route } from './behaviour/harness.ts';
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
        if (route.write === undefined) await send(res, await route.answer?.({ params, body: await bodyOf(req) }));
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

async function send(res: ServerResponse, { status = 200, headers = {}, body }: Answer = {}): Promise<void> {
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

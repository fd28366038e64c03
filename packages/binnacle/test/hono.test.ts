import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { describe } from 'vitest';
import { observeHono } from '../src/adapters/hono.ts';
import type { CreateApp, Route } from './behaviour/harness.ts';
import { describeBehaviour } from './behaviour.ts';

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

const createApp: CreateApp = async (obs, routes, prepare) => {
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
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
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
};

describe('Hono', () => describeBehaviour(createApp));

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { describe } from 'vitest';
import { observeExpress } from '../src/adapters/express.ts';
import type { CreateApp, Route } from './behaviour/harness.ts';
import { describeBehaviour } from './behaviour.ts';

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
  };

describe('Express 5', () => describeBehaviour(createAppOf(express)));
describe('Express 4', () => describeBehaviour(createAppOf(express4)));

import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  Get,
  HttpException,
  type INestApplication,
  Module,
  NotFoundException,
  Post,
  Put,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { describe } from 'vitest';
import { observeNest } from '../src/adapters/nest.ts';
import type { Observability } from '../src/observe.ts';
import type { AppServer, CreateApp, Route } from './behaviour/harness.ts';
import { describeBehaviour } from './behaviour.ts';

export type Platform = 'express' | 'fastify';
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

export async function createNestApp(obs: Observability, platform: Platform, module: object): Promise<INestApplication> {
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(module, adapter, { logger: false, abortOnError: false });
  await observeNest(obs, app);
  return app;
}

const createAppOf =
  (platform: Platform): CreateApp =>
  async (obs, routes, prepare) => {
    class App {}
    Module({ controllers: [toController(routes)] })(App);
    const app = await createNestApp(obs, platform, App);
    app.useGlobalFilters(toFilter(obs, app.get(HttpAdapterHost)) as never);
    if (platform === 'fastify')
      app
        .getHttpAdapter()
        .getInstance()
        .addContentTypeParser('application/octet-stream', (_: unknown, __: unknown, done: (error: null) => void) =>
          done(null),
        );
    const server: AppServer = app.getHttpServer();
    prepare(server);
    await app.listen(0, '127.0.0.1');
    return {
      port: (server.address() as AddressInfo).port,
      server,
      async close() {
        server.closeAllConnections();
        await app.close();
      },
    };
  };

describe('NestJS on Express', () => describeBehaviour(createAppOf('express')));
describe('NestJS on Fastify', () => describeBehaviour(createAppOf('fastify')));

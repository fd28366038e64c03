/** How the service answers what it cannot serve: unknown paths, wrong methods, errors. One form for all. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { errorBody, ServiceError, toServiceError } from '../errors.ts';

const DISCARD_MS = 1000;
const METHODS: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** To be called before the routes are. */
export function answerProblems(app: FastifyInstance): void {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    routes.set(url, methods);
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    answerError(new ServiceError('not_found', 'There is nothing at this path.'), request, reply),
  );
  app.decorate('refuseOtherMethods', () => {
    const preflights = routes.has('*');
    for (const [url, used] of [...routes]) if (url !== '*') refuseOthers(app, url, [...used], preflights);
  });
}

export async function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const error = toServiceError(thrown);
  if (error.code === 'too_large') await discardBody(request.raw);
  if (error.code === 'internal') request.log.error({ error: thrown }, 'The request failed');
  await reply.code(error.status).headers(error.headers).send(errorBody(error, request.id));
}

/** What Node's parser refuses never becomes a request; its caller is told in the same form. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const message = tooLarge
    ? 'The headers are larger than this service takes.'
    : 'This is not a request that can be read.';
  const body = JSON.stringify(errorBody(new ServiceError('bad_request', message), randomUUID()));
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * Reads and drops the rest of a body that is too large, for at most a second: closing a connection on what its caller
 * still sends would tear the answer down with it.
 */
async function discardBody(body: IncomingMessage): Promise<void> {
  const late = AbortSignal.timeout(DISCARD_MS);
  await finished(body.resume(), { signal: late, cleanup: true }).catch(() => {});
}

/** `HEAD` comes with `GET`; `OPTIONS` is left to CORS where that answers it. */
function refuseOthers(app: FastifyInstance, url: string, used: readonly string[], preflights: boolean): void {
  const others = METHODS.filter((method) => !used.includes(method) && !(preflights && method === 'OPTIONS'));
  if (others.length === 0) return;
  const allow = used.join(', ');
  const refuse = (): never => {
    throw new ServiceError('method_not_allowed', `Use ${allow}.`, { allow });
  };
  // Refused before a body is read: what is wrong is the method, whatever the body says.
  app.route({ method: others, url, onRequest: async () => refuse(), handler: refuse });
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers 405 for the methods that the routes so far do not have; to be called after them. */
    refuseOtherMethods(): void;
  }
}

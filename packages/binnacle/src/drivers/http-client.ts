/**
 * Requests of node:http and node:https, by Node's channels. `fetch` and undici are not among them.
 *
 * Where Node tells of a request before its headers are written (`http.client.request.created`), its context is sent on.
 */
import { errorMonitor } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import type { Signals } from '../signals.ts';
import { guard, isObject, listen } from './channels.ts';
import { isWrappedByHost } from './client-instance.ts';
import { type HttpCall, type HttpTarget, startHttpCall, urlOf } from './http-client-call.ts';

/**
 * Whether node:http sends `traceparent` on in this version of Node.js: from 22.12 and 23.2. An earlier one tells of a
 * request when its headers are written, so there are spans, and nothing is sent on, unless the host's own
 * instrumentation does.
 */
export function sendsTraceparentByNodeHttp(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (isWrappedByHost(http.request)) return true;
  return major > 23 || (major === 23 && minor >= 2) || (major === 22 && minor >= 12);
}

/** A request under way, and what broke it. */
interface Followed {
  readonly call: HttpCall;
  failure?: unknown;
}

/** Observes them all from now on; what it returns ends that. */
export function observeHttpClient(signals: Signals): () => void {
  /** With none for a request that is left alone. */
  const known = new WeakMap<object, Followed | undefined>();
  const begin = (request: unknown): void => {
    if (!isClientRequest(request) || known.has(request)) return;
    known.set(request, undefined);
    const call = start(signals, request);
    if (call === undefined) return;
    const followed: Followed = { call };
    known.set(request, followed);
    followRequest(request, followed);
  };
  return listen({
    'http.client.request.created': ({ request }) => begin(request),
    // Of an earlier Node.js; to a later one it is known by now.
    'http.client.request.start': ({ request }) => begin(request),
    'http.client.response.finish': ({ request, response }) => {
      const followed = isObject(request) ? known.get(request) : undefined;
      if (followed !== undefined && isIncoming(response)) followResponse(response, followed);
    },
  });
}

function start(signals: Signals, request: ClientRequest): HttpCall | undefined {
  // Who sends a context on has a span already.
  if (request.method === 'CONNECT' || hasTraceparent(request)) return undefined;
  // Headers that were given as a list, or with `Expect`, are written at once.
  const open = !request.headersSent && headOf(request) === undefined;
  return startHttpCall(signals, targetOf(request), open ? (name, value) => request.setHeader(name, value) : undefined);
}

function hasTraceparent(request: ClientRequest): boolean {
  return request.hasHeader('traceparent') || /^traceparent:/im.test(headOf(request) ?? '');
}

/** The head as it was written, where it was: of headers that were given as a list there is nothing else. */
function headOf(request: ClientRequest): string | undefined {
  const { _header: head } = request as { readonly _header?: unknown };
  return typeof head === 'string' ? head : undefined;
}

function targetOf(request: ClientRequest): HttpTarget {
  const { socketPath } = request as { readonly socketPath?: unknown };
  return {
    method: request.method,
    url: urlOf(`${request.protocol}//${authorityOf(request)}`, request.path),
    socketPath: typeof socketPath === 'string' ? socketPath : undefined,
  };
}

/** The port is in the `Host` header alone, which Node writes; one written by hand may be of somebody else. */
function authorityOf(request: ClientRequest): string {
  const host = request.host.includes(':') && !request.host.startsWith('[') ? `[${request.host}]` : request.host;
  const written = request.getHeader('host') ?? /^host: *(\S+)/im.exec(headOf(request) ?? '')?.[1];
  return typeof written === 'string' && written.startsWith(`${host}:`) ? written : host;
}

/**
 * Follows a request to its close. `errorMonitor` hears errors without handling them: an `error` listener would keep a
 * service alive that has none, and a `response` listener would keep answers that nobody reads.
 */
function followRequest(request: ClientRequest, followed: Followed): void {
  const { call } = followed;
  request.once(errorMonitor, (error: unknown) => {
    followed.failure = error;
  });
  const close = (): void => {
    const response = responseOf(request);
    if (followed.failure !== undefined) call.fail(followed.failure);
    else if (response === undefined) call.fail(ABORTED);
    else if (response.upgrade === true) {
      // Upgrades are told of nowhere else.
      call.answered(response.statusCode ?? 0);
      call.end();
    }
  };
  request.once('close', guard(close));
}

const ABORTED = { name: 'AbortError' };
const CUT_OFF = { code: 'ECONNRESET' };

function responseOf(request: ClientRequest): (IncomingMessage & { readonly upgrade?: unknown }) | undefined {
  const { res } = request as { readonly res?: unknown };
  return isIncoming(res) ? res : undefined;
}

/** Follows an answer to its last byte, or to where it breaks off. A `data` listener would start its flow. */
function followResponse(response: IncomingMessage, followed: Followed): void {
  const { call } = followed;
  const { socket } = response;
  if (response.statusCode !== undefined) call.answered(response.statusCode);
  const end = (): void => {
    if (response.complete) call.end();
  };
  const close = (): void => {
    // Node says `aborted` whoever ended it; the socket tells whether the server did.
    if (response.complete) call.end();
    else call.fail(followed.failure ?? socket.errored ?? (socket.readableEnded ? CUT_OFF : ABORTED));
  };
  response.once('end', guard(end)).once('close', guard(close));
}

function isClientRequest(value: unknown): value is ClientRequest {
  return isObject(value) && typeof value.method === 'string' && typeof value.setHeader === 'function';
}

function isIncoming(value: unknown): value is IncomingMessage {
  return isObject(value) && typeof value.once === 'function' && typeof value.statusCode === 'number';
}

/**
 * One HTTP request that is sent, as a span, whichever client sends it
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span).
 */
import type { Attributes, Context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { activeContext } from '../context.ts';
import { errorTypeOf } from '../endings.ts';
import type { Signals } from '../signals.ts';
import { startCall } from './call.ts';
import { guard } from './channels.ts';

/** What is asked, and of whom. */
export interface HttpTarget {
  readonly method: string;
  /** With its query and password: neither is told. */
  readonly url: URL;
  /** A socket's path, where that is what is asked. */
  readonly socketPath?: string | undefined;
}

/** A request under way. The first ending stands. */
export interface HttpCall {
  /** Its answer has begun. */
  answered(status: number): void;
  /** Its answer is there to the last byte. */
  end(): void;
  /** It failed, or its answer broke off. */
  fail(error: unknown): void;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const MAX_METHOD = 32;

/**
 * Starts a span below its parent, and sends its context on by `setHeader`, where headers can still be set.
 * None where tracing is suppressed (health checks, Binnacle's own exports).
 */
export function startHttpCall(
  signals: Signals,
  target: HttpTarget,
  setHeader: ((name: string, value: string) => void) | undefined,
  parent: Context = activeContext(),
): HttpCall | undefined {
  if (isTracingSuppressed(parent)) return undefined;
  const name = METHODS.has(target.method) ? target.method : 'HTTP';
  const call = startCall(signals, name, attributesOf(target), parent);
  // A header that the client refuses must not cost the span.
  if (setHeader !== undefined) signals.spans.inject(call.context, guard(setHeader));
  let status = 0;
  let ended = false;
  const once = (work: () => void): void => {
    if (ended) return;
    ended = true;
    if (status !== 0) call.span.setAttribute('http.response.status_code', status);
    work();
  };
  return {
    answered: (code) => {
      status = code;
    },
    end: () => once(() => (status >= 400 ? call.fail({ status }) : call.end())),
    fail: (error) =>
      once(() => {
        if (!isAbort(error)) call.fail(error);
        else if (status >= 400) call.fail({ status });
        // Who asked went away: nobody is to blame for it.
        else call.end({ 'error.type': errorTypeOf(error) });
      }),
  };
}

function attributesOf({ method, url, socketPath }: HttpTarget): Attributes {
  const known = METHODS.has(method);
  const scheme = url.protocol.slice(0, -1);
  return {
    'http.request.method': known ? method : '_OTHER',
    ...(!known && { 'http.request.method_original': method.slice(0, MAX_METHOD) }),
    // Queries carry keys and what people search for.
    'url.full': `${url.protocol}//${url.host}${url.pathname}`,
    'url.scheme': scheme,
    'server.address': socketPath ?? url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(socketPath === undefined && { 'server.port': Number(url.port) || (scheme === 'https' ? 443 : 80) }),
  };
}

function isAbort(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

/** The address of a path as a client keeps it: below an origin, or, for a proxy, complete. */
export function urlOf(origin: string, path: string): URL {
  // By hand: to `new URL`, a path such as `//files/a` would begin with a host.
  if (path.startsWith('/')) return new URL(origin.replace(/\/+$/, '') + path);
  return new URL(/^https?:\/\//i.test(path) ? path : origin);
}

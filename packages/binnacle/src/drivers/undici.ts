/**
 * Requests of `fetch` and undici, by undici's channels: Node's own copy and an installed one (undici 5 or later) tell the
 * same. A redirect or a retry is a request of its own.
 *
 * A span lasts until the last byte of the answer. An answer that is never read lasts as long as undici keeps it: until
 * its connection closes, or, for `fetch`, until it is collected. Spans are held by their requests alone, weakly.
 */
import type { Signals } from '../signals.ts';
import { isObject, listen, type Message, numberOf } from './channels.ts';
import { type HttpCall, startHttpCall, urlOf } from './http-client-call.ts';
import { callerContextOf } from './undici-caller.ts';

/** Observes them all from now on; what it returns ends that. */
export function observeUndici(signals: Signals): () => void {
  const calls = new WeakMap<object, HttpCall>();
  const take = (request: unknown): HttpCall | undefined => {
    if (!isObject(request)) return undefined;
    const call = calls.get(request);
    calls.delete(request);
    return call;
  };
  return listen({
    'undici:request:create': ({ request }) => {
      const call = isObject(request) ? start(signals, request) : undefined;
      if (isObject(request) && call !== undefined) calls.set(request, call);
    },
    'undici:request:headers': ({ request, response }) => {
      const status = isObject(response) ? numberOf(response.statusCode) : undefined;
      if (isObject(request) && status !== undefined) calls.get(request)?.answered(status);
    },
    'undici:request:trailers': ({ request }) => take(request)?.end(),
    'undici:request:error': ({ request, error }) => take(request)?.fail(error),
  });
}

function start(signals: Signals, request: Message): HttpCall | undefined {
  const { method, path, origin, addHeader } = request;
  if (typeof method !== 'string' || typeof path !== 'string') return undefined;
  // A tunnel through a proxy is how a request gets there, not a request. And who sends a context on has a span already.
  if (method === 'CONNECT' || hasTraceparent(request.headers)) return undefined;
  const set = (name: string, value: string): void => void Reflect.apply(addHeader as Adder, request, [name, value]);
  const target = { method, url: urlOf(String(origin), path) };
  return startHttpCall(signals, target, typeof addHeader === 'function' ? set : undefined, callerContextOf(request));
}

type Adder = (name: string, value: string) => unknown;

/** Headers are a list of names and values by turns; in undici 5, text. */
function hasTraceparent(headers: unknown): boolean {
  if (typeof headers === 'string') return /^traceparent:/im.test(headers);
  if (!Array.isArray(headers)) return false;
  return headers.some((name, at) => at % 2 === 0 && String(name).toLowerCase() === 'traceparent');
}

/**
 * Who asked for a request of undici. Most requests are made while their caller runs, in its context. A pool whose
 * connections are limited (`new Agent({ connections })`) makes a request that had to wait when another one has ended, in
 * that one's context: its parent, and the headers sent on, would be a stranger's.
 */
import { AsyncResource } from 'node:async_hooks';
import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext } from '../context.ts';
import { readCallSites } from './call-sites.ts';

/** What undici's pools hand out by; in undici 7 the name of a symbol, which bundles keep. It then calls `dispatch`. */
const HANDING_OUT = /^\[?onDrain\]?$/;
/** A pool is some five calls above us; `Agent` and interceptors add to that. */
const FRAMES = 16;

/**
 * The context that a request was asked for in. For one that waited this is known of `undici.request()` and its like,
 * which keep it themselves; `fetch` does not, and its request belongs to nobody then.
 */
export function callerContextOf(request: object): Context {
  const resource = handlerOf(request);
  if (resource !== undefined) return resource.runInAsyncScope(activeContext);
  return isHandedOut() ? ROOT_CONTEXT : activeContext();
}

function handlerOf(request: object): AsyncResource | undefined {
  const symbol = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'handler');
  const handler: unknown = symbol === undefined ? undefined : Reflect.get(request, symbol);
  return handler instanceof AsyncResource ? handler : undefined;
}

/** Reads the names of the functions that are running: little work beside that of a request. */
function isHandedOut(): boolean {
  const read = (sites: readonly NodeJS.CallSite[]): boolean => {
    const names = sites.map((site) => site.getFunctionName() ?? '');
    return names.some((name, at) => HANDING_OUT.test(name) && names[at - 1]?.includes('dispatch') === true);
  };
  return readCallSites(isHandedOut, FRAMES, read) ?? false;
}

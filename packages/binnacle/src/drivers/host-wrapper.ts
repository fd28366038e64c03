/**
 * Whether a client that publishes what it does is instrumented by the host too. Its instrumentation wraps the methods of
 * the client's class, which no channel tells of, and most do not make their span the active one: what remains is the
 * stack, where the first function outside of the client's own package is the wrapper's.
 */
import type { Signals } from '../signals.ts';
import { readCallSites } from './call-sites.ts';

/** Calls that are looked at. A class is wrapped when it is loaded, so the first one tells, unless a callback makes it. */
const LOOKS = 16;
const FRAMES = 32;
/** A package's folder, pnpm's too. */
const PACKAGE = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]/;
/** `@opentelemetry/instrumentation-ioredis`, `@sentry/node`, Datadog's `datadog-instrumentations`. */
const INSTRUMENTATION = /[\\/]node_modules[\\/](?:.*instrumentation|(?:.*[\\/])?@sentry[\\/])/;

/** Gives a function that is asked within a client's message, and says whether the host's instrumentation made the call. */
export function createHostWatch({ spans }: Signals): () => boolean {
  // Without an SDK of the host's own, nobody else makes spans.
  let looks = spans.hosted ? LOOKS : 0;
  let wrapped = false;
  return function isHosts() {
    if (wrapped || looks === 0) return wrapped;
    looks -= 1;
    wrapped = readCallSites(isHosts, FRAMES, isInstrumented) ?? false;
    return wrapped;
  };
}

/** Above us there is the channel, above it the client's package, and above that who called it. */
export function isInstrumented(sites: readonly Pick<NodeJS.CallSite, 'getFileName'>[]): boolean {
  const files = sites.map((site) => site.getFileName() ?? '');
  const above = files.slice(files.lastIndexOf('node:diagnostics_channel') + 1);
  const client = PACKAGE.exec(above.find((file) => !file.startsWith('node:')) ?? '')?.[0];
  if (client === undefined) return false;
  const caller = above.find((file) => !file.startsWith(client) && !file.startsWith('node:'));
  return caller !== undefined && INSTRUMENTATION.test(caller);
}

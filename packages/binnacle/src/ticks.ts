/** Keeps `process.nextTick` as fast as it was at the start. */
import { executionAsyncResource } from 'node:async_hooks';

let kept: object | undefined;

/**
 * Keeps one of the objects alive that `process.nextTick` makes. V8 compiles that function for the one shape that its
 * objects had, but holds the shape weakly: where collections meet no tick under way, as in a service that idles after
 * its start, the shape is gone, and each later tick takes the slow way for good, at several times the price. A request
 * of Node.js has about ten of them. For the process, once; it never throws.
 */
export function keepTickShape(): void {
  if (kept !== undefined) return;
  process.nextTick(() => {
    kept ??= executionAsyncResource();
  });
}

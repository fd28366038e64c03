/** Streams that their reader leaves without a word: of those, SDKs that only tell of themselves tell nothing more. */
import { currentRequest } from '../../context.ts';
import { guard } from './watched.ts';

/**
 * How long nothing may be heard of what goes on after its request, before its reader is taken to have left, in milliseconds:
 * as long as Node's `fetch` waits for a server that is silent.
 */
export const IDLE_MS = 300_000;

/**
 * Ends what stands still after the request in hand has ended. `heard` changes with all that is heard of it, and is undefined
 * once it has ended by itself: work that goes on after its request is told of to its end.
 */
export function endWhenLeft(heard: () => unknown, end: () => void, idleMs: number): void {
  currentRequest()?.carrier?.whenSettled(() => {
    let before = heard();
    if (before === undefined) return;
    const timer = setInterval(() => {
      const now = heard();
      if (now !== undefined && now !== before) {
        before = now;
        return;
      }
      clearInterval(timer);
      if (now !== undefined) guard(end);
    }, idleMs);
    timer.unref();
  });
}

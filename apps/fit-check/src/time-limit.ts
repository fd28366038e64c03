/** A time limit on top of a signal, by a timer of its own. */

export interface TimeLimit {
  /** Aborted with the outer signal, by its reason, or with a `TimeoutError` when the time is up. */
  readonly signal: AbortSignal;
  /** What it limits is over. */
  end(): void;
}

/**
 * Not `AbortSignal.any([outer, AbortSignal.timeout(ms)])`: Node.js holds what such a signal is made from by weak
 * references alone, so that a collection of garbage takes the time limit away, and the call waits for ever.
 */
export function limitTime(outer: AbortSignal, ms: number): TimeLimit {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new DOMException('the time is up', 'TimeoutError')), ms);
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}

/** A limit on silence: an endpoint that stops before or within its answer is not waited for. */

export interface SilenceLimit {
  /** Aborted when the outer signal is, or with a `TimeoutError` after too long a silence. */
  readonly signal: AbortSignal;
  /** Something came, or is asked for anew. */
  heard(): void;
  /** Ends the watch. */
  end(): void;
}

/** Starts the watch: `ms` milliseconds from now, and from each `heard`. */
export function createSilenceLimit(outer: AbortSignal, ms: number): SilenceLimit {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new DOMException('nothing came in time', 'TimeoutError')), ms);
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    heard: () => void timer.refresh(),
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}

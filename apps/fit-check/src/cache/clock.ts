/** The time that caches and their waiters go by; tests move it by hand. */

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `ms` milliseconds, without keeping the process alive; what it returns calls that off. */
  setTimer(run: () => void, ms: number): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  setTimer(run, ms) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** What a wait ends with when its time is up first. */
export const LATE: unique symbol = Symbol('late');

/**
 * Waits for `promise`, but no longer than `ms` milliseconds, and not past an abort, whose reason it then throws. Without
 * a promise it is a pause.
 */
export function waitFor<T = never>(
  clock: Clock,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
  promise?: Promise<T>,
): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => end(() => reject(signal.reason));
    const cancel = clock.setTimer(() => end(() => resolve(LATE)), Math.max(0, ms));
    const end = (settle: () => void): void => {
      cancel();
      signal.removeEventListener('abort', aborted);
      settle();
    };
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise?.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}

/** Trying again, where repeating is safe: with jitter, within what remains, and no longer than anybody waits. */
import { setTimeout as wait } from 'node:timers/promises';

export interface RetryOptions {
  /** Attempts after the first. */
  readonly retries: number;
  /** The first pause in milliseconds; it doubles, and each is drawn between half and all of it. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /** What is left of the deadline, in milliseconds; a pause that would not fit is not begun. */
  remainingMs(): number;
  /** False for errors that would come again. */
  retryable(error: unknown): boolean;
}

/** Runs `attempt` until it succeeds, an error is final, or the time is up; throws the last error. */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (options.signal.aborted || tried >= options.retries || !options.retryable(error)) throw error;
      const pause = Math.max(askedFor(error), options.pauseMs * 2 ** tried * (0.5 + Math.random() / 2));
      if (pause >= options.remainingMs()) throw error;
      // Cockatiel and the SDKs sleep through an abort; nobody is there any more to wait for what follows.
      await wait(pause, undefined, { signal: options.signal }).catch(() => {
        throw error;
      });
    }
  }
}

/** True for what a second attempt may mend: no connection, a connection that broke, 408, 425, 429, 5xx. */
export function isTransient(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { status } = error as { status?: unknown };
  if (typeof status === 'number') return status === 408 || status === 425 || status === 429 || status >= 500;
  const { name } = error.constructor;
  return name === 'APIConnectionError' || name === 'APIConnectionTimeoutError' || isNetworkError(error);
}

/** `fetch` hides the network's error in the cause of a `TypeError`. */
function isNetworkError(error: object): boolean {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return true;
  return typeof cause === 'object' && cause !== null && isNetworkError(cause);
}

/** `Retry-After` in milliseconds, where an error's answer has it in seconds. */
function askedFor(error: unknown): number {
  const { headers } = error as { headers?: unknown };
  const seconds = headers instanceof Headers ? Number(headers.get('retry-after') ?? 0) : 0;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

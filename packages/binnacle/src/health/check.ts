/** One check: run in the background, one run at a time, with its last result. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { runInScope } from '../context.ts';
import { roundMs } from '../duration.ts';
import type { Clock } from '../signals.ts';
import type { CheckReport } from './report.ts';
import { type CheckResult, failure, type Outcome, readFailure, readResult } from './result.ts';

/**
 * Looks whether something is well. Returning nothing means healthy, throwing means unhealthy. The signal is aborted when
 * the check runs out of time, is removed, or health is closed.
 */
export interface Check {
  // biome-ignore lint/suspicious/noConfusingVoidType: a check that only throws returns nothing, as `() => void` does.
  (signal: AbortSignal): void | CheckResult | Promise<void | CheckResult>;
  /** Lets go of what the check holds; called once, when it is removed or health is closed. */
  close?(): void;
}

export interface RunningCheckOptions {
  readonly name: string;
  readonly check: Check;
  readonly critical: boolean;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Told when the status differs from the one before; a first result is held against `healthy`. */
  onChange(from: Outcome['status'], to: Outcome): void;
}

/** No request is in hand while a check runs, and what it asks (`SELECT 1`, `PING`) leaves no span. */
const background = { otel: suppressTracing(ROOT_CONTEXT) };

/** A registered check. */
export class RunningCheck {
  readonly #options: RunningCheckOptions;
  readonly #registeredAt: number;
  #result: { readonly outcome: Outcome; readonly durationMs: number; readonly at: number } | undefined;
  /** The run that has not settled, though its time may be up. */
  #abort: AbortController | undefined;
  #closed = false;

  constructor(options: RunningCheckOptions) {
    this.#options = options;
    this.#registeredAt = options.clock.now();
  }

  /**
   * Runs the check, unless a run of it has not settled yet: what hangs is not started again on top. Resolves once there
   * is a result, within the timeout; never rejects.
   */
  run(): Promise<void> {
    if (this.#abort !== undefined || this.#closed) return Promise.resolve();
    const { clock, timeoutMs } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    return runInScope(background, () => {
      const startedAt = clock.now();
      return new Promise<void>((resolve) => {
        const settle = (outcome: Outcome): void => {
          cancel();
          resolve();
          if (!abort.signal.aborted) this.#keep(outcome, clock.now() - startedAt);
        };
        const expire = (): void => {
          settle(failure('timeout'));
          abort.abort(new DOMException('The check ran out of time', 'TimeoutError'));
        };
        // One more turn of the event loop: after it was blocked, timers come before the answers that have arrived.
        let cancel = clock.setTimer(() => {
          cancel = clock.setTimer(expire, 0);
        }, timeoutMs);
        abort.signal.addEventListener('abort', () => settle(failure('aborted')), { once: true });
        this.#ask(abort.signal)
          .then(settle)
          .finally(() => {
            this.#abort = undefined;
          });
      });
    });
  }

  report(): CheckReport {
    const { critical, clock } = this.#options;
    const result = this.#result;
    const ageMs = clock.now() - (result?.at ?? this.#registeredAt);
    const { status, error, details } = result?.outcome ?? {
      // Nobody is sent to a service of which nothing is known yet; what is not critical cannot decide that.
      status: critical ? 'unhealthy' : 'degraded',
      error: 'starting',
      details: {},
    };
    return {
      ...details,
      status,
      critical,
      duration_ms: roundMs(result?.durationMs ?? 0),
      age_ms: roundMs(ageMs),
      ...(error !== undefined && { error }),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#abort?.abort(new DOMException('The check was removed', 'AbortError'));
    try {
      this.#options.check.close?.();
    } catch {
      // It is on its way out; there is no report left to tell it in.
    }
  }

  async #ask(signal: AbortSignal): Promise<Outcome> {
    try {
      return readResult(await this.#options.check(signal));
    } catch (error) {
      return readFailure(error);
    }
  }

  #keep(outcome: Outcome, durationMs: number): void {
    const from = this.#result?.outcome.status ?? 'healthy';
    this.#result = { outcome, durationMs, at: this.#options.clock.now() };
    if (from !== outcome.status) this.#options.onChange(from, outcome);
  }
}

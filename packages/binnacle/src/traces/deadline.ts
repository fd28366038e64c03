/** The time that one export has. */
import { ExportError } from './cause.ts';
import type { ExportClock } from './timer.ts';

export class Deadline {
  /** Rejects once the time is up, or is cut short. */
  readonly expired: Promise<never>;
  /** What `expired` rejects with: why an attempt failed while the next one is waited for, else `timeout`. */
  cause = 'timeout';
  readonly #clock: ExportClock;
  readonly #endsAt: number;
  readonly #cancelTimer: () => void;
  #over = false;
  #cancelPause = (): void => {};
  #expire: () => void = () => {};

  constructor(timeoutMs: number, clock: ExportClock) {
    this.expired = new Promise((_, reject) => {
      this.#expire = () => reject(new ExportError(this.cause));
    });
    // Whoever waits for it hears of it; nobody may.
    this.expired.catch(() => {});
    this.#clock = clock;
    this.#endsAt = clock.now() + timeoutMs;
    this.#cancelTimer = clock.setTimer(() => this.#expire(), timeoutMs);
  }

  /** Waits; resolves at once to false where the time is up, or would be before. */
  pause(ms: number): Promise<boolean> {
    if (this.#over || this.#clock.now() + ms >= this.#endsAt) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#cancelPause = this.#clock.setTimer(() => resolve(true), ms);
    });
  }

  cutShort(): void {
    this.#expire();
  }

  /** Takes its timers away. */
  end(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#cancelPause();
  }
}

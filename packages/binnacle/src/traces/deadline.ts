/** The time that one export has. */
import { ExportError } from './cause.ts';
import type { ExportClock } from './timer.ts';

export class Deadline {
  /** Settles once the time is up, or is cut short: resolves where the export is `settled`, else rejects with `cause`. */
  readonly expired: Promise<undefined>;
  /** Why the export fails if the time is up now: why the last attempt failed, else `timeout`. */
  cause = 'timeout';
  /** Whether the endpoint has said that it took the export; what is missing is the rest of its answer. */
  settled = false;
  readonly #clock: ExportClock;
  readonly #endsAt: number;
  readonly #cancelTimer: () => void;
  #over = false;
  #cancelPause = (): void => {};
  #expire: () => void = () => {};

  /** `onExpire` is called as `expired` settles. */
  constructor(timeoutMs: number, clock: ExportClock, onExpire: () => void) {
    this.expired = new Promise((resolve, reject) => {
      this.#expire = () => {
        if (this.#over) return;
        this.#over = true;
        if (this.settled) resolve(undefined);
        else reject(new ExportError(this.cause));
        onExpire();
      };
    });
    // Whoever waits for it hears of it; nobody may.
    this.expired.catch(() => {});
    this.#clock = clock;
    this.#endsAt = clock.now() + timeoutMs;
    this.#cancelTimer = clock.setTimer(() => this.#expire(), timeoutMs);
  }

  get isOver(): boolean {
    return this.#over;
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

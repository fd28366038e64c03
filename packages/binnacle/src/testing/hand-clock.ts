/** Time that a test moves. */
import type { Clock } from '../signals.ts';

/** A clock that moves when it is told to, and its timers with it. */
export interface HandClock extends Clock {
  /**
   * Moves time on by milliseconds (0 or more). Timers that are due run in order, each at its own time, with a turn of
   * the event loop before it, so that promises which are ready come first; await it. Where no timer is due, time has
   * moved when the call returns. Rejects with what a timer throws, and with `RangeError` for anything but such a number.
   */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Taken when the module is loaded: a test that replaces Node's timers has no event loop to turn. */
const later = setImmediate;
const turn = (): Promise<void> => new Promise((resolve) => void later(resolve));

/** A clock by hand. It starts at 0, and at 1,700,000,000 s of Unix time (14 November 2023). */
export function createHandClock(): HandClock {
  let now = 0;
  const timers = new Set<Timer>();
  const nextDue = (end: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    wall: () => 1_700_000_000_000 + now,
    setTimer(run, ms) {
      const timer = { at: now + Math.max(0, ms), run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      if (!(ms >= 0 && Number.isFinite(ms)))
        throw new RangeError(`a clock advances by 0 or more milliseconds, not ${ms}`);
      const end = now + ms;
      while (nextDue(end) !== undefined) {
        await turn();
        const timer = nextDue(end);
        if (timer === undefined) break;
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.run();
      }
      now = Math.max(now, end);
      await turn();
    },
    get pending() {
      return timers.size;
    },
  };
}

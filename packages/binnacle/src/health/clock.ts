/** The time that health goes by; tests move it by hand. */
import type { Clock } from '../signals.ts';

export interface HealthClock extends Clock {
  /** Calls back once after `ms` milliseconds, without keeping the process alive; what it returns calls that off. */
  setTimer(run: () => void, ms: number): () => void;
}

export const realClock: HealthClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(run, ms) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

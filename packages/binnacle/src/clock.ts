/** The process's own time, where nobody hands in another. */
import { performance } from 'node:perf_hooks';
import type { Clock } from './signals.ts';

/** Node's timer, which does not keep the process alive. */
export const setUnrefTimer: Clock['setTimer'] = (run, ms) => {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: setUnrefTimer,
};

/** Timers that tests can move by hand. */

/** Calls back once after `ms` milliseconds; what it returns calls that off. */
export type SetTimer = (run: () => void, ms: number) => () => void;

/** Node's timer, which does not keep the process alive. */
export const setUnrefTimer: SetTimer = (run, ms) => {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

/** Time as exports see it: `now` in monotonic milliseconds, `wall` in Unix milliseconds. */
export interface ExportClock {
  now(): number;
  wall(): number;
  readonly setTimer: SetTimer;
}

export const realClock: ExportClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: setUnrefTimer,
};

/**
 * Keeps the process alive until the work has settled. Everything else here is unref'd, so that a process would end
 * in the middle of a flush that it awaits.
 */
export async function holdProcess<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 60_000);
  try {
    return await work;
  } finally {
    clearInterval(hold);
  }
}

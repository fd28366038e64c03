/** Timers that tests can move by hand. */
import type { Clock } from '../signals.ts';

export { realClock, setUnrefTimer } from '../clock.ts';
export type { Clock as ExportClock } from '../signals.ts';
/** Calls back once after `ms` milliseconds; what it returns calls that off. */
export type SetTimer = Clock['setTimer'];

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

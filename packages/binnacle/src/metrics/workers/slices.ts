/** Work on many series, done in slices between which the event loop is free. */
import { setImmediate as turn } from 'node:timers/promises';

/** How long a slice may hold the event loop, in milliseconds. */
const SLICE_MS = 2;
/** Small steps between looks at the clock. */
const STEPS = 64;

/** Runs steps to their end, a slice at a time; `every` so many of them the clock is looked at. */
export async function inSlices(steps: Iterable<unknown>, every: number = STEPS): Promise<void> {
  let start = performance.now();
  let count = 0;
  for (const _ of steps) {
    count += 1;
    if (count % every !== 0 || performance.now() - start < SLICE_MS) continue;
    await turn();
    start = performance.now();
  }
}

/** Runs steps to their end at once. */
export function atOnce(steps: Iterable<unknown>): void {
  for (const _ of steps);
}

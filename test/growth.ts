/** How a computation's time grows with its input: a ratio within one run, whatever the machine and its load. */

/** Inputs too small to be told from the clock's own grain are raised to this, in milliseconds. */
const GRAIN_MS = 0.2;

/**
 * The time of `run` over `repeat` times the input, to its time over the input: about `repeat` where it is linear, and
 * its square where it is quadratic. The best of five runs each, taken in turn.
 */
export function growth(run: (input: string) => unknown, input: string, repeat = 10): number {
  const large = input.repeat(repeat);
  const times = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  for (let round = 0; round < 5; round += 1) {
    times.small = Math.min(times.small, timed(run, input));
    times.large = Math.min(times.large, timed(run, large));
  }
  return times.large / Math.max(times.small, GRAIN_MS);
}

function timed(run: (input: string) => unknown, input: string): number {
  const start = performance.now();
  run(input);
  return performance.now() - start;
}

/** Durations as they are written: `duration_ms` is a number above 0 with up to 3 decimals, wherever it stands. */

/** The smallest duration that 3 decimals can tell, in milliseconds. */
const LEAST_MS = 0.001;

/**
 * A duration in milliseconds as lines, events and reports carry it: up to 3 decimals, never below 0.001, so that
 * "it took no time" is not mistaken for "it was not measured". What is not finite (a clock that failed) counts as least.
 */
export function roundMs(ms: number): number {
  const rounded = Math.round(ms * 1000) / 1000;
  return rounded >= LEAST_MS && Number.isFinite(rounded) ? rounded : LEAST_MS;
}

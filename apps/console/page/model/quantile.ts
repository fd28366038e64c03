/** What Prometheus' functions make of counters and histograms, the same way. */

/**
 * `increase()` without its extrapolation: the sum of the rises, where a fall is a counter that began again at 0.
 * @param values oldest first
 */
export function increase(values: readonly number[]): number {
  let sum = 0;
  for (let at = 1; at < values.length; at += 1) {
    const [before, now] = [values[at - 1] as number, values[at] as number];
    sum += now >= before ? now - before : now;
  }
  return sum;
}

/**
 * `histogram_quantile()`: linear within a bucket; the lowest begins at 0 where its bound is above 0.
 * @param q from 0 to 1
 * @param bounds upper bounds, ascending, without `+Inf`
 * @param cumulative observations up to each bound, and last of all of them
 * @returns NaN where nothing was observed
 */
export function quantile(q: number, bounds: readonly number[], cumulative: readonly number[]): number {
  const total = cumulative[bounds.length] ?? 0;
  if (!(total > 0) || bounds.length === 0) return Number.NaN;
  const rank = Math.min(1, Math.max(0, q)) * total;
  let at = 0;
  // A bucket never holds less than the one before it, whatever the moments between which it was read.
  let reached = cumulative[0] ?? 0;
  let before = 0;
  while (at < bounds.length && reached < rank) {
    at += 1;
    before = reached;
    reached = Math.max(reached, cumulative[at] ?? 0);
  }
  if (at >= bounds.length) return bounds[bounds.length - 1] as number;
  const upper = bounds[at] as number;
  if (at === 0 && upper <= 0) return upper;
  const lower = at === 0 ? 0 : (bounds[at - 1] as number);
  const within = reached - before;
  return within <= 0 ? upper : lower + ((upper - lower) * (rank - before)) / within;
}

/** A quantile of single values, by the nearest rank; NaN of none. */
export function quantileOf(q: number, values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number;
}

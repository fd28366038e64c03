/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Median with least and greatest, as text.
 * @param {readonly number[]} values
 * @param {number} [digits]
 */
export function spread(values, digits = 2) {
  if (values.length === 0) return 'none';
  const show = (/** @type {number} */ value) => value.toFixed(digits);
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

/**
 * Two rows of figures by round, compared within each round that both have.
 * @template T
 * @param {readonly (T | undefined)[]} ones
 * @param {readonly (T | undefined)[]} others
 * @param {(one: T, other: T) => number} compare
 */
export function pairUp(ones, others, compare) {
  return ones.flatMap((one, round) => {
    const other = others[round];
    return one === undefined || other === undefined ? [] : [compare(one, other)];
  });
}

/**
 * @param {readonly (number | undefined)[]} ones
 * @param {readonly (number | undefined)[]} others
 */
export function ratios(ones, others) {
  return pairUp(ones, others, (one, other) => one / other);
}

/**
 * How far figures of one thing lie from their median, as a share of it: half of them lie nearer.
 * @param {readonly number[]} values
 */
export function typicalDeviation(values) {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value / middle - 1)));
}

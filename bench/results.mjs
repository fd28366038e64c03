import { pairUp, ratios } from './statistics.mjs';

/**
 * All that one run measured; a part that was left out is empty.
 *
 * @typedef {import('./rounds.mjs').Result} Result
 * @typedef {import('./slice.mjs').Slice} Slice
 * @typedef {{ results: Result[], starts: import('./starts.mjs').Starts[], operations: import('./operations.mjs').Operation[] }} Run
 */

/**
 * @param {readonly Result[]} results
 * @param {string} id
 */
export function find(results, id) {
  return results.find(({ variant }) => variant.id === id);
}

/**
 * One that did what it promises: figures of another are worth nothing.
 * @param {readonly Result[]} results
 * @param {string} id
 */
export function findValid(results, id) {
  const result = find(results, id);
  return result?.problems.length === 0 ? result : undefined;
}

/**
 * A figure by round, with holes where there is none.
 * @param {Result | undefined} result
 * @param {keyof Slice} key
 */
export function byRound(result, key) {
  return Array.from(result?.slices ?? [], (slice) =>
    slice === undefined || Number.isNaN(slice[key]) ? undefined : slice[key],
  );
}

/**
 * @param {Result | undefined} result
 * @param {keyof Slice} key
 */
export function valuesOf(result, key) {
  return byRound(result, key).flatMap((value) => value ?? []);
}

/**
 * One variant to another, within each round that both have.
 * @param {Result | undefined} own
 * @param {Result | undefined} other
 * @param {keyof Slice} key
 */
export function ratio(own, other, key) {
  return ratios(byRound(own, key), byRound(other, key));
}

/**
 * What a variant has more than another.
 * @param {Result | undefined} own
 * @param {Result | undefined} other
 * @param {keyof Slice} key
 */
export function added(own, other, key) {
  return pairUp(byRound(own, key), byRound(other, key), (one, beside) => one - beside);
}

/**
 * What one variant adds to bare, to what another adds.
 * @param {Result | undefined} own
 * @param {Result | undefined} other
 * @param {Result | undefined} bare
 * @param {keyof Slice} key
 */
export function addedRatio(own, other, bare, key) {
  const base = byRound(bare, key);
  const over = (/** @type {Result | undefined} */ result) =>
    byRound(result, key).map((value, round) => {
      const beside = base[round];
      return value === undefined || beside === undefined ? undefined : value - beside;
    });
  return ratios(over(own), over(other));
}

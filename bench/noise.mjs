import { find, ratio, valuesOf } from './results.mjs';
import { median, spread } from './statistics.mjs';

/**
 * How far the figures of a run can be trusted.
 *
 * @typedef {import('./rounds.mjs').Result} Result
 */

/** A server at full load takes at least this share of a processor that is its own. */
const NEARLY_BUSY = 0.9;

/**
 * How far two runs of one thing lie apart, as a share: the greatest of the rounds; 0 where there is but one.
 * @param {readonly Result[]} results
 */
export function noiseOf(results) {
  const again = ratio(find(results, 'bare-again'), find(results, 'bare'), 'cpuUs');
  return Math.max(0, ...again.map((value) => Math.abs(value - 1)));
}

/**
 * Whether other work took the processors while the servers were to be at full load.
 * @param {readonly Result[]} results of requests
 */
export function isCrowded(results) {
  return median(results.flatMap((result) => valuesOf(result, 'serverBusy'))) < NEARLY_BUSY;
}

/** @param {readonly Result[]} results of requests */
export function toNoise(results) {
  const bare = find(results, 'bare');
  const again = find(results, 'bare-again');
  const server = results.flatMap((result) => valuesOf(result, 'serverBusy'));
  const bench = results.flatMap((result) => valuesOf(result, 'benchBusy'));
  const percent = (/** @type {number} */ share) => `${Math.round(share * 100)}%`;
  const crowded = isCrowded(results)
    ? ['**Other work took the processors meanwhile: CPU a request stands, requests/s, latency and start-up do not.**']
    : [];
  return [
    `Noise: bare to bare ${spread(ratio(again, bare, 'cpuUs'))} of CPU, ${spread(ratio(again, bare, 'perSecond'))} of requests/s; bare itself ${spread(valuesOf(bare, 'cpuUs'), 1)} µs over the rounds.`,
    `The server's processor was busy with it ${percent(Math.min(...server))} to ${percent(Math.max(...server))} of a slice, load and sink, polling, not sleeping, took at most ${percent(Math.max(...bench))} of theirs.`,
    ...crowded,
  ].join(' ');
}

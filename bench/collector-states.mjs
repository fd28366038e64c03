/**
 * What can be wrong with a collector.
 *
 * @typedef {object} State
 * @property {string} id
 * @property {string} title
 * @property {'none' | 'all'} lost of the spans that are sent: what of them the collector does not take
 */

/** Longer than an export may take: its answer always comes too late. */
export const SLOW_MS = 5000;

/**
 * What every other state is held against.
 * @type {State}
 */
export const HEALTHY = { id: 'healthy', title: 'healthy', lost: 'none' };

/** @type {readonly State[]} */
export const STATES = [
  { id: 'refused', title: 'refuses connections', lost: 'all' },
  { id: 'blackhole', title: 'black hole: accepts, reads, never answers', lost: 'all' },
  { id: 'slow', title: `slow: answers after ${SLOW_MS / 1000} s`, lost: 'all' },
  { id: 'status-500', title: '500', lost: 'all' },
  { id: 'status-503', title: '503 with Retry-After: 1', lost: 'all' },
  { id: 'reset', title: 'resets in the middle of a request', lost: 'all' },
  { id: 'garbage', title: '200 with random bytes', lost: 'none' },
  { id: 'no-http', title: 'answers what is no HTTP', lost: 'all' },
];

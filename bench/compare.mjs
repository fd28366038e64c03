import process from 'node:process';

/** Times operations beside each other in one process: in turn, over several rounds, so that what disturbs one disturbs all. */

const ROUNDS = 7;
const ROUND_MS = 60;
/** Calls between two looks at the clock. */
const CHUNK = 500;

/**
 * @param {Record<string, () => void>} works the same thing, done by several
 * @returns {Record<string, number[]>} nanoseconds a call, round by round
 */
export function nanosOf(works) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  // The first round only warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const nanos = timed(work);
      if (round > 0) times[name]?.push(nanos);
    }
  }
  return times;
}

/** @param {() => void} work */
function timed(work) {
  const start = performance.now();
  let calls = 0;
  let now = start;
  while (now - start < ROUND_MS) {
    for (let at = 0; at < CHUNK; at += 1) work();
    calls += CHUNK;
    now = performance.now();
  }
  return ((now - start) * 1e6) / calls;
}

/** @typedef {{ cpuMs: number, holdMs: number }} Cost CPU is of all threads; the hold is the longest of the event loop */

/**
 * What asynchronous works cost, taken in turn.
 * @param {Record<string, () => Promise<unknown>>} works
 * @returns {Promise<Record<string, Cost[]>>} round by round
 */
export async function costsOf(works) {
  /** @type {Record<string, Cost[]>} */
  const costs = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const cost = { cpuMs: await cpuOf(work), holdMs: await longestHold(work) };
      if (round > 0) costs[name]?.push(cost);
    }
  }
  return costs;
}

/** @param {() => Promise<unknown>} work */
async function cpuOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * The longest time between two turns of the event loop, in a run of its own: looking takes processor time.
 * @param {() => Promise<unknown>} work
 */
async function longestHold(work) {
  let longest = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(look);
  };
  let next = setImmediate(look);
  await work();
  // The work may have ended before a turn of the loop.
  longest = Math.max(longest, performance.now() - last);
  clearImmediate(next);
  return longest;
}

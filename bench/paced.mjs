/**
 * Load at a fixed rate: a request is due whether or not the ones before it were answered, and its latency counts from
 * when it was due.
 *
 * @typedef {{ seconds: number, perSecond: number }} Pace
 */

/**
 * Every request counted has been answered with 200; rejects where one was not.
 * @param {import('./load.mjs').Lane[]} lanes
 * @param {Pace} pace
 * @param {() => Promise<unknown>} turn waits until it is looked again what is due
 * @returns {Promise<import('./load.mjs').Loaded>}
 */
export async function runPaced(lanes, { seconds, perSecond }, turn) {
  const total = Math.round(seconds * perSecond);
  const free = [...lanes];
  /** @type {number[]} */
  const latencies = [];
  /** @type {unknown} */
  let failure;
  const start = performance.now();
  const dueAt = (/** @type {number} */ index) => start + (index * 1000) / perSecond;
  let asked = 0;
  const askDue = () => {
    while (asked < total && free.length > 0 && dueAt(asked) <= performance.now()) {
      // The one that rested longest: a server closes connections that rest too long.
      const lane = /** @type {import('./load.mjs').Lane} */ (free.shift());
      const due = dueAt(asked);
      asked += 1;
      lane
        .run((askedAt) => askedAt === 0)
        .then(() => {
          latencies.push(performance.now() - due);
          free.push(lane);
          askDue();
        })
        .catch((error) => {
          failure = error;
        });
    }
  };
  while (latencies.length < total && failure === undefined) {
    askDue();
    await turn();
  }
  if (failure !== undefined) throw failure;
  latencies.sort((a, b) => a - b);
  const share = (/** @type {number} */ of) => latencies[Math.min(total - 1, Math.ceil(total * of) - 1)] ?? Number.NaN;
  return { requests: total, seconds: (performance.now() - start) / 1000, p50Ms: share(0.5), p99Ms: share(0.99) };
}

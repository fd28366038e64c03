import { setTimeout as sleep } from 'node:timers/promises';
import { openLane } from './load.mjs';

/**
 * The load generator of the bench at a fixed rate: a request is due whether or not the ones before it were answered,
 * and its latency counts from when it was due.
 */

const TICK_MS = 2;

/** @typedef {{ requests: number, seconds: number, p50Ms: number, p99Ms: number }} Paced */

/**
 * @param {{ port: number, connections: number, answer: string }} options as of `openLoad`
 * @returns {Promise<{ run: (pace: { seconds: number, perSecond: number }) => Promise<Paced>, close: () => void }>}
 */
export async function openPacedLoad({ port, connections, answer }) {
  const body = Buffer.from(answer);
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(port, body)));
  return {
    run: (pace) => runPaced(lanes, pace),
    close: () => {
      for (const lane of lanes) lane.socket.destroy();
    },
  };
}

/**
 * Every request counted has been answered with 200; rejects where one was not.
 * @param {import('./load.mjs').Lane[]} lanes
 * @param {{ seconds: number, perSecond: number }} pace
 * @returns {Promise<Paced>}
 */
async function runPaced(lanes, { seconds, perSecond }) {
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
      const lane = /** @type {import('./load.mjs').Lane} */ (free.pop());
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
    await sleep(TICK_MS);
  }
  if (failure !== undefined) throw failure;
  latencies.sort((a, b) => a - b);
  const share = (/** @type {number} */ of) => latencies[Math.min(total - 1, Math.ceil(total * of) - 1)] ?? Number.NaN;
  return { requests: total, seconds: (performance.now() - start) / 1000, p50Ms: share(0.5), p99Ms: share(0.99) };
}

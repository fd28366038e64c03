import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runPaced } from './paced.mjs';

/**
 * A closed-loop load generator over raw sockets: one request in flight a connection. Small on purpose: a full HTTP
 * client would need more of its processor than a bare server needs of its own, and would then measure itself.
 */

/** An answer that takes longer fails the run. */
const PATIENCE_MS = 10_000;
/** The most that is waited for a number of requests, in seconds. */
const LONGEST_S = 20;
/** Latencies are kept to so many microseconds, up to the longest that is waited for. */
const UNIT_US = 10;
const SLOWEST = (PATIENCE_MS * 1000) / UNIT_US;

/** @typedef {{ requests: number, seconds: number, p50Ms: number, p99Ms: number }} Loaded */
/** @typedef {{ seconds?: number, atLeast?: number, requests?: number }} Until a time, by which so many have to be asked too; or a number */
/** @typedef {{ run: (until: Until) => Promise<Loaded>, runPaced: (pace: import('./paced.mjs').Pace, turn?: () => Promise<unknown>) => Promise<Loaded>, close: () => void }} Load */

/**
 * Opens the connections, which are kept over all runs.
 * @param {{ port: number, connections: number, question: import('./questions.mjs').Question }} options
 * @returns {Promise<Load>}
 */
export async function openLoad({ port, connections, question }) {
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(port, question)));
  return {
    run: (until) => runAll(lanes, until),
    // By turns of the event loop, not by a timer: this processor does not sleep then either (see `keepAwake`).
    runPaced: (pace, turn = nextTurn) => runPaced(lanes, pace, turn),
    close: () => {
      for (const lane of lanes) lane.socket.destroy();
    },
  };
}

/**
 * Asks until the time or the number is up, then waits for what is in flight: every request counted has been answered.
 * @param {Lane[]} lanes
 * @param {Until} until
 * @returns {Promise<Loaded>}
 */
async function runAll(lanes, { seconds = LONGEST_S, atLeast = 0, requests = Number.POSITIVE_INFINITY }) {
  const latencies = new Uint32Array(SLOWEST);
  let asked = 0;
  let answered = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const limit = start + Math.max(seconds, LONGEST_S) * 1000;
  const again = (/** @type {number} */ askedAt) => {
    const now = performance.now();
    if (askedAt > 0) {
      answered += 1;
      latencies[Math.min(SLOWEST - 1, Math.round(((now - askedAt) * 1000) / UNIT_US))] += 1;
    }
    if (now >= limit || asked >= requests || (now >= end && asked >= atLeast)) return false;
    asked += 1;
    return true;
  };
  const rest = keepAwake();
  await Promise.all(lanes.map((lane) => lane.run(again)));
  rest();
  const took = (performance.now() - start) / 1000;
  return {
    requests: answered,
    seconds: took,
    p50Ms: percentile(latencies, answered, 0.5),
    p99Ms: percentile(latencies, answered, 0.99),
  };
}

/**
 * Polls instead of sleeping. A processor that sleeps is woken by whoever writes to it: on a virtual machine that costs the
 * server several microseconds an answer, and only where it is slow enough that the load waits for it.
 */
function keepAwake() {
  let isRunning = true;
  const poll = () => {
    if (isRunning) setImmediate(poll);
  };
  poll();
  return () => {
    isRunning = false;
  };
}

/**
 * @param {Uint32Array} latencies number of answers by their time
 * @param {number} count
 * @param {number} share
 */
function percentile(latencies, count, share) {
  let seen = 0;
  for (let at = 0; at < latencies.length; at += 1) {
    seen += latencies[at] ?? 0;
    if (seen >= count * share) return (at * UNIT_US) / 1000;
  }
  return Number.NaN;
}

/** @typedef {{ socket: import('node:net').Socket, run: (again: (askedAt: number) => boolean) => Promise<void> }} Lane */

/**
 * @param {number} port
 * @param {import('./questions.mjs').Question} question
 * @returns {Promise<Lane>}
 */
export function openLane(port, question) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const isWhole = question.reader();
  let onAnswer = () => {};
  let onFailure = (/** @type {Error} */ _error) => {};
  socket.on('data', (chunk) => {
    let whole = false;
    try {
      whole = isWhole(chunk);
    } catch (error) {
      onFailure(/** @type {Error} */ (error));
    }
    if (whole) onAnswer();
  });
  socket.on('error', (error) => onFailure(error));
  socket.on('close', () => onFailure(new Error('the server closed a connection')));
  const run = (/** @type {(askedAt: number) => boolean} */ again) =>
    new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      let askedAt = 0;
      const timer = setInterval(() => {
        if (performance.now() - askedAt > PATIENCE_MS) onFailure(new Error(`no answer within ${PATIENCE_MS} ms`));
      }, 1000);
      onFailure = (error) => {
        clearInterval(timer);
        reject(error);
      };
      onAnswer = () => {
        if (!again(askedAt)) {
          clearInterval(timer);
          resolve();
          return;
        }
        askedAt = performance.now();
        socket.write(question.next());
      };
      onAnswer();
    });
  return new Promise((resolve, reject) => {
    onFailure = reject;
    socket.once('connect', () => resolve({ socket, run }));
  });
}

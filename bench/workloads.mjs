import { openLoad } from './load.mjs';
import { askJson, askSession, askStream } from './questions.mjs';
import { ANSWER, EVENTS } from './variants/serve.mjs';

/**
 * What the variants are loaded with.
 *
 * @typedef {object} Workload
 * @property {string} path of the route that is asked, as spans and series name it
 * @property {string} what one of it
 * @property {number} connections each with one request in flight
 * @property {number} warmUp requests at least before those that count
 * @property {number} atLeast requests that count
 * @property {number} checked requests whose lines are read, in a run of their own
 * @property {number} [perSecond] the fixed rate that follows full load
 * @property {() => import('./questions.mjs').Question} question
 */

/** @type {Workload} */
export const REQUESTS = {
  path: '/hello',
  what: 'request',
  connections: 32,
  // Where other work takes the processor, a time alone may be too short: V8 has compiled what is hot by about as many.
  warmUp: 20_000,
  atLeast: 5000,
  checked: 500,
  perSecond: 2000,
  question: () => askJson('/hello', JSON.stringify(ANSWER)),
};

/** @type {Workload} */
export const STREAMS = {
  path: '/stream',
  what: 'stream',
  connections: 32,
  warmUp: 600,
  atLeast: 200,
  checked: 100,
  question: () => askStream('/stream', EVENTS),
};

/** @type {Workload} */
export const SESSIONS = {
  path: '/api/fit-check/stream',
  what: 'session',
  connections: 64,
  warmUp: 300,
  atLeast: 100,
  checked: 64,
  question: () => askSession('/api/fit-check/stream'),
};

/**
 * @param {Workload} workload
 * @param {number} port
 */
export function connect({ connections, question }, port) {
  return openLoad({ port, connections, question: question() });
}

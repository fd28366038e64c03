/**
 * What fit-check imports of Binnacle, without Binnacle: its time limits, durations and settings work, its breakers let
 * every call through, its logger writes nothing; there is no metric, no span and no context. A client that goes away is
 * not noticed, and a session settles with its work, not with its last byte.
 */
import { mkdirSync } from 'node:fs';
import process from 'node:process';

export class SettingsError extends Error {}
export class BreakerOpenError extends Error {}
export class ExchangeAborted extends Error {}

const nothing = () => {};
const log = Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, nothing]));

/** @param {number} ms */
export const roundMs = (ms) => Math.max(0.001, Math.round(ms * 1000) / 1000);

export function measure() {
  const start = performance.now();
  return { stop: () => roundMs(performance.now() - start) };
}

/** @param {unknown} error */
export function outcomeOf(error) {
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return 'timeout';
  return name === 'AbortError' ? 'cancelled' : 'error';
}

/** @param {unknown} error */
export function errorTypeOf(error) {
  return error instanceof Error ? error.name : '_OTHER';
}

/** @param {string} path */
export function makeFolder(path) {
  mkdirSync(path, { recursive: true });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {(from: Record<string, any>) => unknown} read
 */
export function readSettings(env, read) {
  const text = (/** @type {string} */ name) => env[name]?.trim() || undefined;
  const parse = (/** @type {string} */ name, /** @type {any} */ fallback, /** @type {(text: string) => any} */ by) => {
    const value = text(name);
    if (value === undefined) return fallback;
    const parsed = by(value);
    if (parsed === undefined) throw new SettingsError(`${name} is not usable`);
    return parsed;
  };
  return read({
    text,
    parse,
    integer: (/** @type {string} */ name, /** @type {any} */ fallback) => parse(name, fallback, Number),
    flag: (/** @type {string} */ name, /** @type {boolean} */ fallback) =>
      parse(name, fallback, (word) => word === 'true'),
    url: (/** @type {string} */ name, /** @type {any} */ fallback) => parse(name, fallback, (word) => word),
  });
}

/**
 * @param {string} service
 * @param {unknown} error
 */
export function reportStartFailure(service, error) {
  process.stderr.write(`${service} cannot start: ${error}\n`);
  process.exitCode = 1;
}

/** Health checks are asked by nobody. */
export const database = () => nothing;
export const disk = database;
export const eventLoop = database;
export const memory = database;
export const redis = database;

/** @typedef {{ id: string, timeoutMs: number }} SessionOptions */
/** @typedef {(session: object) => Promise<unknown>} SessionWork */

/**
 * @param {SessionOptions} options
 * @param {SessionWork} work
 */
async function runSession({ id, timeoutMs }, work) {
  const start = performance.now();
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(new DOMException('the time is up', 'TimeoutError')), timeoutMs);
  /** @type {(ending: object) => void} */
  let settle = nothing;
  const settled = new Promise((resolve) => {
    settle = resolve;
  });
  const remainingMs = () => timeoutMs - (performance.now() - start);
  let outcome = 'success';
  try {
    const aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return await Promise.race([work({ id, signal, settled, remainingMs, phase: runPhase, note: nothing }), aborted]);
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    clearTimeout(timer);
    settle({ outcome, errorType: '', durationMs: roundMs(performance.now() - start) });
  }
}

/**
 * @param {string} name
 * @param {(phase: { name: string, end: () => number }) => Promise<unknown>} work
 */
async function runPhase(name, work) {
  const watch = measure();
  return await work({ name, end: watch.stop });
}

/** @param {() => unknown} close */
function stopOnSignals(close) {
  process.once('SIGTERM', async () => {
    await close();
    process.exit(0);
  });
}

const operation = { usage: nothing, response: nothing, chunk: nothing, content: nothing };

export function observe() {
  return {
    log,
    logger: () => log,
    settings: {
      otel: { exporter: 'none' },
      metrics: { enabled: false, token: undefined },
      managementPort: undefined,
      console: undefined,
    },
    session: runSession,
    breaker: (/** @type {string} */ service) => ({
      service,
      state: 'closed',
      run: (/** @type {() => unknown} */ call) => call(),
      stream: (/** @type {() => AsyncIterable<unknown>} */ open) => open(),
    }),
    cache: (/** @type {string} */ _name, /** @type {(evicted: () => void) => unknown} */ make) => make(nothing),
    ai: {
      expect: nothing,
      client: (/** @type {object} */ client) => client,
      stream: (/** @type {object} */ _info, /** @type {(told: object) => unknown} */ open) => open(operation),
    },
    client: (/** @type {object} */ client) => client,
    health: { check: nothing },
    quiet: (/** @type {() => unknown} */ work) => work(),
    logProcessEvents: nothing,
    stopOnSignals,
  };
}

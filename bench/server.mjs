import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { SERVER_CPU } from './machine.mjs';

const START_MS = 30_000;
const STOP_MS = 10_000;
/** The same for every SDK, so that the rest of a slice's spans does not take seconds to arrive. */
export const SPAN_DELAY_MS = 200;

/** @typedef {import('./variants.mjs').Variant} Variant */
/** @typedef {{ pid: number, port: number, startMs: number, ask: (question: string) => Promise<any>, stop: () => Promise<void>, kill: () => Promise<void> }} Server one question at a time */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends every server that still runs, whatever ends the bench. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, status] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.on(signal, () => process.exit(status));
}

/**
 * Starts a variant's server and waits until it listens.
 * @param {Variant} variant
 * @param {{ sinkUrl: string, pinned: boolean, stdout: number | 'ignore', library?: string, nodeArgs?: string[] }} options `ignore` is /dev/null
 * @returns {Promise<Server>}
 */
export async function startServer(variant, { sinkUrl, pinned, stdout, library = '', nodeArgs = [] }) {
  const start = performance.now();
  const file = fileURLToPath(new URL(`variants/${variant.file}`, import.meta.url));
  const program =
    variant.program === undefined ? [process.execPath, ...nodeArgs, ...(variant.nodeArgs ?? [])] : [variant.program];
  const [command = '', ...args] = [...(pinned ? ['taskset', '-c', String(SERVER_CPU)] : []), ...program, file];
  const child = spawn(command, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...environmentOf(variant, sinkUrl), BENCH_LIBRARY: library },
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  });
  running.add(child);
  const ended = new Promise((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      resolve(undefined);
    });
  });
  const port = await waitForPort(child, variant.id);
  const startMs = performance.now() - start;
  return {
    pid: /** @type {number} */ (child.pid),
    port,
    startMs,
    ask(question) {
      const answer = answerOf(child, variant.id);
      child.send(question);
      return answer;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      if (child.connected) child.send('stop');
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} id
 */
function answerOf(child, id) {
  return new Promise((resolve, reject) => {
    const gone = (/** @type {number | null} */ status) => reject(new Error(`${id} ended with status ${status}`));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer);
    });
  });
}

/**
 * Nothing of this shell's settings reaches a server: each variant sees the same.
 * @param {Variant} variant
 * @param {string} sinkUrl
 */
function environmentOf(variant, sinkUrl) {
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_BSP_SCHEDULE_DELAY: String(SPAN_DELAY_MS),
    ...variant.env,
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} id
 * @returns {Promise<number>}
 */
function waitForPort(child, id) {
  let told = '';
  child.stderr?.on('data', (chunk) => {
    told = (told + chunk).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${id} ${why}${told === '' ? '' : `:\n${told}`}`));
    };
    const timer = setTimeout(() => fail(`did not listen within ${START_MS} ms`), START_MS);
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', (status) => fail(`ended with status ${status} before it listened`));
    child.once('message', (/** @type {{ port: number }} */ message) => {
      clearTimeout(timer);
      resolve(message.port);
    });
  });
}

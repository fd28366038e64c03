import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SERVER_CPU } from './machine.mjs';

const ANSWER_MS = 30_000;

/**
 * @typedef {object} Child
 * @property {number} pid
 * @property {number} port
 * @property {(question: string) => Promise<any>} ask one question at a time
 * @property {(signal: NodeJS.Signals, patienceMs: number) => Promise<{ code: number | null, tookMs: number }>} end after its patience the process is killed, and its code is null
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends every process that still runs, whatever ends the bench. */
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
 * Starts a module of the bench as a process, and waits until it tells its port.
 * @param {string} file
 * @param {{ args?: string[], env?: Record<string, string>, stdout?: number | 'ignore', onServerCpu?: boolean }} [options] nothing of this shell's settings reaches it but PATH
 * @returns {Promise<Child>}
 */
export async function startChild(file, { args = [], env = {}, stdout = 'ignore', onServerCpu = false } = {}) {
  const node = [process.execPath, fileURLToPath(new URL(file, import.meta.url)), ...args];
  // The rest stays on the processor that this process was moved to.
  const [command = '', ...rest] = onServerCpu ? ['taskset', '-c', String(SERVER_CPU), ...node] : node;
  const child = spawn(command, rest, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  });
  running.add(child);
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return { code: /** @type {number | null} */ (code), at: performance.now() };
  });
  const message = async () => {
    const patience = new AbortController();
    const told = once(child, 'message', { signal: patience.signal }).then(([answer]) => answer);
    const gone = exited.then(({ code }) => Promise.reject(new Error(`${file} ended with status ${code}`)));
    const late = sleep(ANSWER_MS, undefined, { signal: patience.signal }).then(() =>
      Promise.reject(new Error(`${file} said nothing for ${ANSWER_MS} ms`)),
    );
    for (const each of [told, gone, late]) each.catch(() => {});
    return Promise.race([told, gone, late]).finally(() => patience.abort());
  };
  const { port } = await message();
  return {
    pid: /** @type {number} */ (child.pid),
    port,
    ask(question) {
      const answer = message();
      child.send(question);
      return answer;
    },
    async end(signal, patienceMs) {
      const start = performance.now();
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      child.kill(signal);
      const { code, at } = await exited;
      clearTimeout(timer);
      return { code, tookMs: at - start };
    },
  };
}

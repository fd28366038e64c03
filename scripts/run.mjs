import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { StepFailed } from './step.mjs';

/** @typedef {{ status: number, output: string }} Ran */
/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: 'stderr' | 'all', timeoutMs?: number, shell?: boolean }} RunOptions */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
/** @type {NodeJS.Signals | undefined} */
let stoppedBy;

/** @param {NodeJS.Signals} signal */
function stop(signal) {
  stoppedBy = signal;
  for (const child of children) child.kill(signal);
}

/** @param {import('node:child_process').ChildProcess} child */
function watch(child) {
  if (children.size === 0) for (const signal of SIGNALS) process.on(signal, stop);
  children.add(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function unwatch(child) {
  children.delete(child);
  if (children.size === 0) for (const signal of SIGNALS) process.off(signal, stop);
}

/** @param {NodeJS.Signals | null} signal */
const statusOf = (signal) => 128 + (signal === null ? 0 : constants.signals[signal]);

/**
 * Runs a command to its end. Its output is kept, unless `show` passes it on (to stderr, or as it comes).
 * Signals that reach this process are handed to it, and then nothing more is started.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Ran>}
 * @throws {StepFailed} where the command cannot be started, or a signal stopped the whole
 */
export function run(command, args, { show, timeoutMs, ...options } = {}) {
  const stdio = { stderr: ['ignore', 2, 2], all: ['inherit', 'inherit', 'inherit'] };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...options,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: /** @type {import('node:child_process').StdioOptions} */ (
        show === undefined ? ['ignore', 'pipe', 'pipe'] : stdio[show]
      ),
    });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk;
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    watch(child);
    child.once('error', (error) => {
      unwatch(child);
      reject(new StepFailed(`Could not start ${command}: ${error.message}`));
    });
    child.once('close', (status, signal) => {
      unwatch(child);
      if (stoppedBy !== undefined) reject(new StepFailed(`Stopped by ${stoppedBy}.`, statusOf(stoppedBy)));
      else resolve({ status: status ?? statusOf(signal), output });
    });
  });
}

/**
 * Runs a script by the Node.js that runs this one.
 * @param {string[]} args
 * @param {RunOptions} [options]
 */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

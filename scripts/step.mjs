import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A step that could not be done: its message is the one line to show, its status the one to exit with. */
export class StepFailed extends Error {
  /**
   * @param {string} message
   * @param {number} [status]
   */
  constructor(message, status = 1) {
    super(message);
    this.name = 'StepFailed';
    this.status = status;
  }
}

/**
 * Tells progress, on stderr: stdout belongs to the service.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Whether the module at `url` is the one that node was started with.
 * @param {string} url
 */
export function isMain(url) {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === realpathSync(fileURLToPath(url));
}

/**
 * Does a script's work. A step that failed becomes its one line and its exit status.
 * @param {() => Promise<void>} work
 */
export async function runScript(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    say(error.message);
    process.exitCode = error.status;
  }
}

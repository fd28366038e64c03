// The image's command as a process: its user, its environment, its files, and no right to write but on its volumes.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { run } from '../run.mjs';
import { StepFailed } from '../step.mjs';
import { inside } from './stages.mjs';

/** @typedef {import('./stages.mjs').Image} Image */
/**
 * @typedef {object} Container
 * @property {number} port
 * @property {() => Promise<number>} untilHealthy milliseconds until HEALTHCHECK succeeded
 * @property {() => Promise<{ status: number | string, ms: number }>} stop by SIGTERM
 * @property {() => string} output all that it wrote
 * @property {() => void} kill
 */

const HEALTHY_WITHIN_MS = 30_000;
/** Docker's and Kubernetes' grace is 30 s by our compose file and by default. */
const STOPS_WITHIN_MS = 30_000;

/**
 * @param {Image} image
 * @param {Readonly<Record<string, string>>} settings as `docker run -e` would give them
 * @returns {Promise<Container>}
 */
export async function startContainer(image, settings) {
  const port = await freePort();
  const env = { ...environment(image), PORT: String(port), ...settings };
  const child = spawn(process.execPath, args(image.command), {
    ...image.user,
    cwd: inside(image, '.'),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  /** @type {Promise<number | string>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new StepFailed(`Could not start CMD: ${error.message}`)));
    child.once('close', (status, signal) => resolve(status ?? signal ?? 1));
  });
  return {
    port,
    untilHealthy: () => untilHealthy(image, env, ended, () => output),
    async stop() {
      const started = performance.now();
      child.kill('SIGTERM');
      const deadline = wait(STOPS_WITHIN_MS, `no end within ${STOPS_WITHIN_MS} ms of SIGTERM`, { ref: false });
      const status = await Promise.race([ended, deadline]);
      return { status, ms: performance.now() - started };
    },
    output: () => output,
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * @param {Image} image
 * @param {NodeJS.ProcessEnv} env
 * @param {Promise<number | string>} ended
 * @param {() => string} output
 */
async function untilHealthy(image, env, ended, output) {
  const started = performance.now();
  let last = '';
  /** @type {number | string | undefined} */
  let over;
  ended.then((status) => {
    over = status;
  });
  while (performance.now() - started < HEALTHY_WITHIN_MS) {
    const checked = await runInside(image, args(image.health), env);
    if (checked.status === 0) return performance.now() - started;
    if (over !== undefined) throw new StepFailed(`CMD ended with ${over} before it was healthy:\n${output()}`);
    last = checked.output.trim();
    await wait(100);
  }
  throw new StepFailed(`HEALTHCHECK did not succeed within ${HEALTHY_WITHIN_MS} ms: ${last}\n${output()}`);
}

/**
 * Paths, of those asked for, that the image's user may write.
 * @param {Image} image
 * @param {readonly string[]} paths in the container
 */
export async function writablePaths(image, paths) {
  const script = `
    const { accessSync, constants } = require('node:fs');
    const may = (path) => { try { accessSync(path, constants.W_OK); return true } catch { return false } };
    console.log(JSON.stringify(process.argv.slice(1).map(may)))`;
  const real = paths.map((path) => inside(image, path));
  const { output } = await runInside(image, ['-e', script, ...real], environment(image));
  /** @type {boolean[]} */
  const may = JSON.parse(output);
  return paths.filter((_, at) => may[at]);
}

/**
 * @param {Image} image
 * @param {string[]} nodeArgs
 * @param {NodeJS.ProcessEnv} env
 */
function runInside(image, nodeArgs, env) {
  const options = { ...image.user, cwd: inside(image, '.'), env };
  return run(process.execPath, nodeArgs, /** @type {import('../run.mjs').RunOptions} */ (options));
}

/**
 * ENV, with the volumes' paths as they are on this machine. Its temporary folder and its home do not exist.
 * @param {Image} image
 * @returns {Record<string, string>}
 */
function environment(image) {
  const mapped = [...image.env].map(([name, value]) => {
    const volume = image.volumes.find((path) => new RegExp(`^(\\w+:)?${path}(/|$)`).test(value));
    return [name, volume === undefined ? value : value.replace(volume, inside(image, volume))];
  });
  return { ...Object.fromEntries(mapped), TMPDIR: inside(image, '/tmp'), HOME: inside(image, '/home') };
}

/**
 * @param {readonly string[]} command
 * @returns {string[]}
 */
function args(command) {
  if (command[0] !== 'node') throw new StepFailed(`CMD and HEALTHCHECK must be run by node, not ${command[0]}.`);
  return command.slice(1);
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

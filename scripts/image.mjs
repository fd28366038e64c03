// `npm run image`: does what the Dockerfile says without a Docker engine. Each stage becomes a folder, RUN runs the real
// npm, CMD and HEALTHCHECK run on the read-only result. By unprivileged users where root asks, else by whoever does.
// It proves the steps, the files and the rights; not the base image, the layers or the kernel's isolation.
import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startContainer, writablePaths } from './image/container.mjs';
import { copyContext, readIgnore } from './image/context.mjs';
import { readDockerfile } from './image/dockerfile.mjs';
import { unneeded } from './image/prune.mjs';
import { buildStages, inside } from './image/stages.mjs';
import { IS_ROOT, makeWritable, walk } from './image/users.mjs';
import { ROOT } from './root.mjs';
import { isMain, runScript, StepFailed } from './step.mjs';

/** @typedef {import('./image/stages.mjs').Image} Image */
/** @typedef {(line: string) => void} Tell */

/**
 * Builds and tries the image.
 * @param {{ root?: string, tell?: Tell }} [options]
 * @throws {StepFailed} with the first thing that is not as it should be
 */
export async function tryImage({ root = ROOT, tell = console.log } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'fit-check-image-'));
  // Others must be able to go through it; what they may write is told below it.
  chmodSync(folder, 0o755);
  try {
    const image = await build(root, folder, tell);
    checkPackages(image, tell);
    await checkRights(image, tell);
    await tryContainer(image, tell);
  } finally {
    makeWritable(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {Tell} tell
 */
async function build(root, folder, tell) {
  const stages = readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const context = join(folder, 'context');
  copyContext(root, context, readIgnore(readFileSync(join(root, '.dockerignore'), 'utf8')));
  const sent = measure(context);
  tell(`Context: ${sent.files} files, ${inMiB(sent.bytes)}`);
  return buildStages(stages, { folder, context, images: new Map(), tell });
}

/**
 * Production's packages alone, and of them what the workspaces need.
 * @param {Image} image
 * @param {Tell} tell
 */
function checkPackages(image, tell) {
  const lock = JSON.parse(readFileSync(inside(image, 'node_modules/.package-lock.json'), 'utf8'));
  /** @type {[string, { link?: boolean, dev?: boolean }][]} */
  const packages = Object.entries(lock.packages);
  const installed = packages.filter(([path, { link }]) => path.includes('node_modules/') && !link);
  const dev = installed.filter(([, entry]) => entry.dev).map(([path]) => path);
  if (dev.length > 0) throw new StepFailed(`The image holds development packages: ${dev.join(', ')}.`);
  const workspaces = packages.map(([path]) => path).filter((path) => !path.includes('node_modules/'));
  const idle = unneeded(lock.packages, workspaces);
  if (idle.length > 0) throw new StepFailed(`The image holds packages that nothing needs: ${idle.join(', ')}.`);
  const all = measure(image.folder);
  const modules = measure(inside(image, 'node_modules'));
  tell(`Runtime: ${installed.length} packages, ${all.files} files, ${inMiB(all.bytes)}`);
  tell(`  of that ${inMiB(modules.bytes)} packages; Node.js and its base image come below it`);
}

/**
 * @param {Image} image
 * @param {Tell} tell
 */
async function checkRights(image, tell) {
  if (image.user === undefined) throw new StepFailed('The last stage names no USER: it would run as root.');
  const closed = ['/', '.', 'node_modules', ...image.command.slice(1)];
  const writable = await writablePaths(image, [...closed, ...image.volumes]);
  const wrong = closed.filter((path) => writable.includes(path));
  if (wrong.length > 0) throw new StepFailed(`USER may write ${wrong.join(', ')}.`);
  const shut = image.volumes.filter((path) => !writable.includes(path));
  if (shut.length > 0) throw new StepFailed(`USER may not write its volume ${shut.join(', ')}.`);
  const who = IS_ROOT ? `uid ${image.user.uid}` : 'you (start it as root to have another user)';
  tell(`Rights: ${who} may write ${image.volumes.join(', ')}, and not the code`);
}

/**
 * @param {Image} image
 * @param {Tell} tell
 */
async function tryContainer(image, tell) {
  const before = fingerprint(image);
  // A collector that is not there must not matter.
  const container = await startContainer(image, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.invalid:4318' });
  try {
    tell(`Started ${image.command.join(' ')} on port ${container.port}`);
    tell(`HEALTHCHECK succeeded after ${Math.round(await container.untilHealthy())} ms`);
    tell(`One analysis: ${await analyse(container.port)}`);
    const { status, ms } = await container.stop();
    if (status !== 0) throw new StepFailed(`SIGTERM ended it with ${status}, not 0:\n${container.output()}`);
    tell(`SIGTERM: exit status 0 after ${Math.round(ms)} ms`);
  } finally {
    container.kill();
  }
  const changed = changes(before, fingerprint(image));
  if (changed.length > 0) throw new StepFailed(`It wrote outside its volumes: ${changed.join(', ')}.`);
  tell(`Written outside ${image.volumes.join(', ')}: nothing`);
}

/**
 * @param {number} port
 * @returns {Promise<string>} what came of it
 */
async function analyse(port) {
  const url = `http://127.0.0.1:${port}/api/fit-check`;
  const answer = await fetch(`${url}/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'Google', session_id: 'image' }),
  });
  const text = await answer.text();
  const events = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
  if (events.at(-1) !== 'complete') throw new StepFailed(`The analysis did not complete (${answer.status}):\n${text}`);
  const stored = await fetch(`${url}/sessions/image`);
  if (stored.status !== 200) throw new StepFailed(`The analysis was not stored: status ${stored.status}.`);
  return `${events.length} events, the last of them complete, and stored`;
}

/**
 * @param {Image} image
 * @returns {Map<string, string>} size and time by path, volumes left out
 */
function fingerprint(image) {
  /** @type {Map<string, string>} */
  const files = new Map();
  const volumes = image.volumes.map((path) => inside(image, path));
  walk(
    image.folder,
    (path) => {
      const { size, mtimeMs } = lstatSync(path);
      files.set(path, `${size} ${mtimeMs}`);
    },
    volumes,
  );
  return files;
}

/**
 * @param {ReadonlyMap<string, string>} before
 * @param {ReadonlyMap<string, string>} after
 */
function changes(before, after) {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}

/** @param {string} folder */
function measure(folder) {
  let files = 0;
  let bytes = 0;
  walk(folder, (path) => {
    const stats = lstatSync(path);
    if (!stats.isFile()) return;
    files += 1;
    bytes += stats.size;
  });
  return { files, bytes };
}

/** @param {number} bytes */
function inMiB(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

if (isMain(import.meta.url)) await runScript(() => tryImage());

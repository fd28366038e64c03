import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { buildConsole, CONSOLE, CONSOLE_PARTS, takeConsole } from './console.mjs';
import { filesIn } from './files.mjs';
import { ensureInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { buildPage } from './page.mjs';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';
import { isMain, runScript, StepFailed, say } from './step.mjs';

const LIBRARY = 'packages/binnacle';
/** In the order in which they need each other: the library takes in the console's page. */
const PACKAGES = [CONSOLE, LIBRARY, 'apps/fit-check'];
const STAMP = '.build-stamp';
/** Folders that a package is built from; a page takes in the client. */
const SOURCES = ['src', 'client', 'page'];
const SETTINGS = /^(tsconfig.*|package)\.json$|^vite\.config\.ts$/;
/** What a build depends on beside the package itself. */
const TOOLS = [
  'tsconfig.base.json',
  'node_modules/typescript/package.json',
  'node_modules/esbuild/package.json',
  'scripts/bundle.mjs',
  'scripts/page.mjs',
];
const CONSOLE_TOOLS = ['scripts/console.mjs', ...CONSOLE_PARTS.map((name) => `node_modules/${name}/package.json`)];
const TESTS = /\.test(-helper)?\.ts$|\/test\//;
const TSC = 'node_modules/typescript/bin/tsc';

/** @typedef {{ folder: string, inputs: string }} Build a package's folder, and a hash over all that its dist comes from */

/**
 * Builds each package whose inputs have changed.
 * @param {string} [root]
 * @returns {Promise<string[]>} the packages that were built
 * @throws {StepFailed} on a type error, after the compiler's own output; the old dist then stays as it was
 */
export async function ensureBuilt(root = ROOT) {
  const lock = join(root, '.cache', 'build.lock');
  if (!existsSync(lock) && staleBuilds(root).length === 0) return [];
  return withLock(lock, async () => {
    const builds = staleBuilds(root);
    for (const next of builds) await build(root, next);
    return builds.map(({ folder }) => folder);
  });
}

/**
 * @param {string} root
 * @returns {Build[]}
 */
function staleBuilds(root) {
  let inputs = '';
  const builds = PACKAGES.filter((folder) => existsSync(join(root, folder, 'package.json'))).map((folder) => {
    inputs = hashInputs(root, folder, inputs);
    return { folder, inputs };
  });
  return builds.filter(({ folder, inputs }) => readStamp(root, folder) !== inputs);
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {string} before the inputs of the packages that this one may import
 */
function hashInputs(root, folder, before) {
  const settings = readdirSync(join(root, folder)).filter((name) => SETTINGS.test(name));
  const files = [
    ...(folder === CONSOLE ? CONSOLE_TOOLS : TOOLS),
    ...settings.map((name) => `${folder}/${name}`),
    ...SOURCES.flatMap((name) => filesIn(root, `${folder}/${name}`)).filter((path) => !TESTS.test(path)),
  ];
  const hash = createHash('sha256').update(before);
  for (const path of files) {
    if (existsSync(join(root, path))) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} folder
 */
function readStamp(root, folder) {
  const path = join(root, folder, 'dist', STAMP);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/**
 * @param {string} root
 * @param {Build} build
 */
async function build(root, { folder, inputs }) {
  say(`Building ${folder}`);
  const dist = join(root, folder, 'dist');
  const fresh = `${dist}.tmp-${process.pid}`;
  removeLeftovers(join(root, folder));
  const { status, output } = await (folder === CONSOLE ? buildConsole(root, fresh) : compile(root, folder, fresh));
  if (status !== 0) {
    say(output.trimEnd());
    throw failed(folder, fresh);
  }
  try {
    if (folder !== CONSOLE) {
      await bundle(join(root, folder), fresh);
      await buildPage(join(root, folder), fresh);
    }
    if (folder === LIBRARY) takeConsole(root, fresh);
  } catch (error) {
    // esbuild has said what is wrong; any other error is ours.
    const isTold = error instanceof Error && 'errors' in error;
    const failure = failed(folder, fresh);
    throw isTold ? failure : error;
  }
  writeFileSync(join(fresh, STAMP), inputs);
  replace(dist, fresh);
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {string} fresh
 */
function compile(root, folder, fresh) {
  return runNode([join(root, TSC), '-p', folder, '--outDir', fresh], { cwd: root });
}

/**
 * @param {string} folder
 * @param {string} fresh what was built of it, and goes
 */
function failed(folder, fresh) {
  rmSync(fresh, { recursive: true, force: true });
  return new StepFailed(
    `Could not build ${folder}: correct what the compiler says above; the last build stays in place.`,
  );
}

/**
 * What a build left that was cut short. Whoever holds the lock is the only one who builds.
 * @param {string} folder
 */
function removeLeftovers(folder) {
  for (const name of readdirSync(folder)) {
    if (/^dist\.(tmp|old)-\d+$/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * @param {string} dist
 * @param {string} fresh
 */
function replace(dist, fresh) {
  const old = `${dist}.old-${process.pid}`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await ensureInstalled();
    const built = await ensureBuilt();
    if (built.length === 0) say('Nothing to build: the inputs are unchanged.');
  });
}

import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { ROOT } from './root.mjs';
import { StepFailed, say } from './step.mjs';

/** @typedef {{ version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Entry */

/**
 * Installs what the lock file names, where that is not what node_modules holds.
 * @param {string} [root]
 * @returns {Promise<boolean>} whether it had to
 * @throws {StepFailed} with npm's exit status
 */
export async function ensureInstalled(root = ROOT) {
  const lock = join(root, '.cache', 'install.lock');
  if (!existsSync(lock) && isInstalled(root)) return false;
  return withLock(lock, async () => {
    if (isInstalled(root)) return false;
    say('Installing packages (npm ci)');
    await install(root);
    return true;
  });
}

/** @param {string} root */
async function install(root) {
  const modules = join(root, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new StepFailed(`node_modules is a link, and npm ci would empty what it leads to: remove ${modules} first.`);
  // Building needs the development packages, whatever NODE_ENV says.
  const { status } = await npm(['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root, show: 'stderr' });
  if (status === 0) return;
  const advice = 'look at its lines above, and check the network and that package-lock.json fits package.json';
  throw new StepFailed(`Could not install the packages, npm ci ended with status ${status}: ${advice}.`, status);
}

/**
 * Whether node_modules holds each package of the lock file, at its version, and each workspace's link.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => path === '' || isThere(root, path, entry, present[path]));
}

/**
 * @param {string} path
 * @returns {Record<string, Entry> | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {string} path
 * @param {Entry} wanted
 * @param {Entry | undefined} present
 */
function isThere(root, path, wanted, present) {
  if (present === undefined) return wanted.optional === true && !isForThisMachine(wanted);
  if (wanted.link) return present.link === true && leadsTo(join(root, path), join(root, wanted.resolved ?? ''));
  if (wanted.version !== present.version || wanted.integrity !== present.integrity) return false;
  return existsSync(join(root, path, 'package.json'));
}

/**
 * An optional package that names no platform (a helper of one that does) may be absent too.
 * @param {Entry} entry
 */
function isForThisMachine({ os, cpu, libc }) {
  if (os === undefined && cpu === undefined) return false;
  return fits(os, process.platform) && fits(cpu, process.arch) && (libc === undefined || fits(libc, libcHere()));
}

/**
 * @param {string[] | undefined} names some may be excluded, as in `!win32`
 * @param {string} here
 */
function fits(names, here) {
  if (names === undefined || names.includes(here)) return true;
  return names.every((name) => name.startsWith('!')) && !names.includes(`!${here}`);
}

function libcHere() {
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport());
  return report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/**
 * @param {string} link
 * @param {string} folder
 */
function leadsTo(link, folder) {
  return existsSync(link) && existsSync(folder) && realpathSync(link) === realpathSync(folder);
}

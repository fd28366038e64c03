// `node prune.mjs WORKSPACE…`, after npm ci: takes out of node_modules what these workspaces do not depend on. npm leaves an
// optional peer there where the root has it as a development package: SDKs that the library is tested with, and which the
// service never loads. (npm's own `--omit=optional` takes them too, and libSQL's binary for this platform with them.)
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { isMain, runScript, StepFailed } from '../step.mjs';

/**
 * @typedef {object} Entry a package of the lock file
 * @property {string} [resolved] where a link leads to
 * @property {boolean} [link]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 */
/** @typedef {Readonly<Record<string, Entry>>} Packages by their paths from the root */

/** What npm writes of the packages that it has installed. */
const INSTALLED = 'node_modules/.package-lock.json';

/**
 * Removes what is not needed, its commands and its lines in npm's own record.
 * @param {string} root
 * @param {readonly string[]} workspaces
 * @returns {string[]} what was removed
 */
export function prune(root, workspaces) {
  const record = JSON.parse(readFileSync(join(root, INSTALLED), 'utf8'));
  const removed = unneeded(record.packages, workspaces);
  for (const path of removed) {
    rmSync(join(root, path), { recursive: true, force: true });
    delete record.packages[path];
  }
  for (const folder of new Set(removed.map((path) => path.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '$1')))) {
    tidy(join(root, folder, 'node_modules'));
  }
  writeFileSync(join(root, INSTALLED), `${JSON.stringify(record, null, 2)}\n`);
  return removed;
}

/**
 * The installed packages that these workspaces reach by no dependency, optional dependency or peer that is required.
 * @param {Packages} packages
 * @param {readonly string[]} workspaces paths from the root
 * @returns {string[]} their paths, sorted
 * @throws {StepFailed} where something needed is not there: then the rest is not to be trusted either
 */
export function unneeded(packages, workspaces) {
  /** @type {Set<string>} */
  const needed = new Set();
  const waiting = [...workspaces];
  if (waiting.length === 0) throw new StepFailed('No workspace was named: nothing would be needed.');
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (needed.has(path)) continue;
    const entry = packages[path];
    if (entry === undefined) throw new StepFailed(`There is no ${path} in ${INSTALLED}.`);
    needed.add(path);
    waiting.push(...(entry.link ? [entry.resolved ?? ''] : askedBy(packages, path, entry)));
  }
  const installed = Object.keys(packages).filter((path) => path.includes('node_modules/'));
  return installed.filter((path) => !needed.has(path)).sort();
}

/**
 * @param {Packages} packages
 * @param {string} path
 * @param {Entry} entry
 */
function askedBy(packages, path, { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  const required = [...Object.keys(dependencies ?? {}), ...peers].map((name) => {
    const found = resolve(packages, path, name);
    if (found === undefined) throw new StepFailed(`${path} depends on ${name}, which is not installed.`);
    return found;
  });
  // Those for another platform are not there.
  const optional = Object.keys(optionalDependencies ?? {}).flatMap((name) => resolve(packages, path, name) ?? []);
  return [...required, ...optional];
}

/**
 * As Node.js does: in the nearest node_modules, from the package's folder upwards.
 * @param {Packages} packages
 * @param {string} from
 * @param {string} name
 */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const path = posix.join(folder, 'node_modules', name);
    if (Object.hasOwn(packages, path)) return path;
    if (folder === '.') return undefined;
  }
}

/**
 * Takes away commands that lead nowhere, and scopes that are empty.
 * @param {string} modules
 */
function tidy(modules) {
  const bin = join(modules, '.bin');
  for (const name of namesIn(bin)) {
    const command = join(bin, name);
    if (lstatSync(command).isSymbolicLink() && !existsSync(command)) rmSync(command);
  }
  for (const name of namesIn(modules)) {
    const scope = join(modules, name);
    if (name.startsWith('@') && readdirSync(scope).length === 0) rmdirSync(scope);
  }
}

/** @param {string} folder */
function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const removed = prune(process.cwd(), process.argv.slice(2));
    console.log(['Removed, as nothing here depends on it:', ...removed].join('\n'));
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from '../files.mjs';
import { brokenImports } from '../import-rules.mjs';

const MAX_LINES = 400;
/** Files that may be longer, each with the reason. @type {Record<string, string>} */
const LONG_FILES = {};

/** @param {string} root */
export async function checkImports(root) {
  const paths = filesIn(root, 'packages/binnacle/src');
  return brokenImports(new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))).join('\n');
}

/** @param {string} root */
export async function checkLongFiles(root) {
  const paths = ['packages', 'apps', 'scripts'].flatMap((folder) => filesIn(root, folder));
  const sources = paths.filter((path) => /\.m?tsx?$|\.mjs$/.test(path) && !/\.test\.ts$|\/test\//.test(path));
  return longFiles(new Map(sources.map((path) => [path, readFileSync(join(root, path), 'utf8')]))).join('\n');
}

/**
 * @param {ReadonlyMap<string, string>} files text by path
 * @param {Readonly<Record<string, string>>} [exceptions] the reason by path
 * @returns {string[]}
 */
export function longFiles(files, exceptions = LONG_FILES) {
  const long = [...files].filter(([, text]) => text.trimEnd().split('\n').length > MAX_LINES).map(([path]) => path);
  return [
    ...long
      .filter((path) => exceptions[path] === undefined)
      .map(
        (path) =>
          `${path} has more than ${MAX_LINES} lines: split it by nouns, or name it in LONG_FILES with the reason`,
      ),
    ...Object.keys(exceptions)
      .filter((path) => !long.includes(path))
      .map((path) => `${path} is named in LONG_FILES and is not long: take it out`),
  ];
}

/** @param {string} root */
export async function checkLockfile(root) {
  return downloadAddresses(readFileSync(join(root, 'package-lock.json'), 'utf8')).join('\n');
}

/**
 * A lock file with addresses installs from one registry only; versions and integrity are all it needs.
 * @param {string} text of package-lock.json
 * @returns {string[]}
 */
export function downloadAddresses(text) {
  const packages = /** @type {Record<string, { resolved?: unknown }>} */ (JSON.parse(text).packages ?? {});
  return Object.entries(packages)
    .filter(([, { resolved }]) => typeof resolved === 'string' && resolved.startsWith('http'))
    .map(([path]) => `package-lock.json: ${path} holds a download address: install with the .npmrc of this repository`);
}

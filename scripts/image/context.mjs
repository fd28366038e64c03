// The build context: what .dockerignore lets through to COPY.
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepFailed } from '../step.mjs';

/** @typedef {(path: string) => boolean} Ignores whether a path, with `/` and from the context's root, stays out */

/**
 * Reads .dockerignore: of all lines that name a path or a folder above it, the last one decides.
 * @param {string} text
 * @returns {Ignores}
 * @throws {StepFailed} for patterns outside the subset: `*`, `**` and plain names
 */
export function readIgnore(text) {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keep: line.startsWith('!'), matches: toExpression(line.replace(/^!/, '')) }));
  return (path) => {
    const parts = path.split('/');
    const prefixes = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
    const last = rules.findLast(({ matches }) => prefixes.some((prefix) => matches.test(prefix)));
    return last !== undefined && !last.keep;
  };
}

/** @param {string} pattern */
function toExpression(pattern) {
  if (/[?[\]\\]|^\/|\/$/.test(pattern))
    throw new StepFailed(`.dockerignore: the pattern ${pattern} is not known here.`);
  const source = pattern
    .split(/(\*\*\/|\*)/)
    .map((part) => ({ '**/': '(?:.*/)?', '*': '[^/]*' })[part] ?? part.replaceAll(/[.+^${}()|]/g, '\\$&'))
    .join('');
  return new RegExp(`^${source}$`);
}

/**
 * Copies what the context holds.
 * @param {string} root
 * @param {string} folder empty or missing
 * @param {Ignores} ignores
 */
export function copyContext(root, folder, ignores) {
  for (const path of contextFiles(root, '', ignores)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {Ignores} ignores
 * @returns {string[]}
 */
export function contextFiles(root, folder, ignores) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    // Never a file of ours below these, whatever the rules say; going through them would take seconds.
    if (entry.isDirectory())
      return entry.name === '.git' || entry.name === 'node_modules' ? [] : contextFiles(root, path, ignores);
    return entry.isFile() && !ignores(path) ? [path] : [];
  });
}

/**
 * COPY's way: a folder's content goes into the target, a file becomes it, or goes into one that ends in a slash.
 * @param {string} source
 * @param {string} target
 * @param {boolean} into
 */
export function copyInto(source, target, into) {
  if (!existsSync(source)) throw new StepFailed(`COPY: ${source} does not exist (does .dockerignore let it through?).`);
  const options = { recursive: true, verbatimSymlinks: true };
  if (lstatSync(source).isDirectory() || !into) {
    mkdirSync(dirname(target), { recursive: true });
    return cpSync(source, target, options);
  }
  mkdirSync(target, { recursive: true });
  cpSync(source, join(target, source.slice(source.lastIndexOf('/') + 1)), options);
}

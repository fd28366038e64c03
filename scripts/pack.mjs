import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { ROOT } from './root.mjs';
import { StepFailed } from './step.mjs';

/**
 * @typedef {object} Packed the library as it would be published
 * @property {string} tarball
 * @property {string} name
 * @property {string} version
 * @property {number} unpackedSize in bytes
 * @property {string[]} files paths within the package
 * @property {() => void} remove
 */

/**
 * Packs the built library by `npm pack`, into a folder of its own.
 * @param {string} [library] its folder
 * @returns {Promise<Packed>}
 */
export async function packLibrary(library = join(ROOT, 'packages/binnacle')) {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-pack-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { status, output } = await npm(args, { cwd: library });
  const [file] = readdirSync(folder);
  if (status !== 0 || file === undefined) {
    remove();
    throw new StepFailed(`Could not pack the library, npm pack ended with status ${status}: ${output.trim()}`);
  }
  const told = readReport(output);
  const { name, version, unpackedSize } = told;
  const files = told.files.map(({ path }) => path);
  return { tarball: join(folder, file), name, version, unpackedSize, files, remove };
}

/**
 * npm 10 and 11 tell of a list, npm 12 of an object by name.
 * @param {string} output
 * @returns {{ name: string, version: string, unpackedSize: number, files: { path: string }[] }}
 */
function readReport(output) {
  const told = JSON.parse(output);
  return Array.isArray(told) ? told[0] : Object.values(told)[0];
}

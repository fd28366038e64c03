import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../scripts/build.mjs';
import { ensureInstalled } from '../scripts/install.mjs';
import { ROOT } from '../scripts/root.mjs';
import { StepFailed } from '../scripts/step.mjs';

const BENCH = fileURLToPath(new URL('.', import.meta.url));

/** Installs what the repository and the bench need, and builds the library, where that is not done yet. */
export async function prepare() {
  await ensureInstalled();
  await ensureInstalled(BENCH);
  await prepareLibrary();
}

/** The same without the packages that are only compared with. */
export async function prepareLibrary() {
  await ensureInstalled();
  try {
    await ensureBuilt();
  } catch (error) {
    // The library is built first: a service that does not compile is no matter of the bench.
    if (!(error instanceof StepFailed && error.message.startsWith('Could not build apps/'))) throw error;
  }
}

/**
 * Keeps the built library, and fit-check on it and on its stand-in, as they are now, so that all rounds are of one thing
 * whatever is built meanwhile.
 * @returns {string} a folder laid out as the workspace, with another in `stand-in`; gone when the bench ends
 */
export function keepLibrary() {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  layOut(folder, join(ROOT, 'packages/binnacle'), ['package.json', 'dist']);
  layOut(join(folder, 'stand-in'), join(BENCH, 'stand-in'), readdirSync(join(BENCH, 'stand-in')));
  return folder;
}

/**
 * @param {string} folder
 * @param {string} library what `binnacle` is there
 * @param {readonly string[]} parts of it
 */
function layOut(folder, library, parts) {
  const own = join(folder, 'packages/binnacle');
  for (const part of parts) cpSync(join(library, part), join(own, part), { recursive: true });
  for (const part of ['package.json', 'dist', 'assets']) {
    const inside = join('apps/fit-check', part);
    // A service that did not compile has no dist, and then no figure.
    if (existsSync(join(ROOT, inside))) cpSync(join(ROOT, inside), join(folder, inside), { recursive: true });
  }
  const packages = join(folder, 'node_modules');
  mkdirSync(packages, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name === 'binnacle') continue;
    symlinkSync(join(ROOT, 'node_modules', name), join(packages, name), 'dir');
  }
  symlinkSync(own, join(packages, 'binnacle'), 'dir');
}

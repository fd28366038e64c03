import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../scripts/build.mjs';
import { ensureInstalled } from '../scripts/install.mjs';
import { ROOT } from '../scripts/root.mjs';
import { StepFailed } from '../scripts/step.mjs';

/** Installs what the repository and the bench need, and builds the library, where that is not done yet. */
export async function prepare() {
  await ensureInstalled();
  await ensureInstalled(fileURLToPath(new URL('.', import.meta.url)));
  try {
    await ensureBuilt();
  } catch (error) {
    // The library is built first: a service that does not compile is no matter of the bench.
    if (!(error instanceof StepFailed && error.message.startsWith('Could not build apps/'))) throw error;
  }
}

/**
 * Keeps the built library as it is now, so that all rounds are of one thing whatever is built meanwhile.
 * @returns {string} a folder laid out as the workspace, gone when the bench ends
 */
export function keepLibrary() {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['package.json', 'dist']) {
    const inside = join('packages', 'binnacle', part);
    cpSync(join(ROOT, inside), join(folder, inside), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

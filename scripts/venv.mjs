import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';
import { say } from './step.mjs';

/** Python's packages, installed once into a virtual environment of their own outside of the tree. */

const INSTALL_MS = 300_000;

/** @typedef {{ program: string, version: string } | { missing: string }} Venv its interpreter, or why there is none */

/**
 * Makes the virtual environment where it is not there yet. Never throws.
 * @param {string} cache its folder below the user's cache
 * @param {string} requirements path of the file that pip is given
 * @param {string} what it is, for people
 * @returns {Promise<Venv>}
 */
export async function prepareVenv(cache, requirements, what) {
  const { output, problem } = await tryRun('python3', ['--version'], 10_000);
  if (problem !== undefined) return { missing: `python3 cannot be run here: ${problem}` };
  const version = output.trim();
  const text = readFileSync(requirements, 'utf8');
  const hash = createHash('sha256').update(`${version}\n${text}`).digest('hex').slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), cache, `python-${hash}`);
  const program = join(folder, 'bin/python');
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return { program, version };
  try {
    // Two that look for it at once make it once.
    const missing = await withLock(`${folder}.lock`, async () => {
      if (existsSync(complete)) return undefined;
      say(`Installing ${what} into ${folder}`);
      rmSync(folder, { recursive: true, force: true });
      const why = await install(folder, requirements);
      if (why === undefined) writeFileSync(complete, '');
      return why;
    });
    return missing === undefined ? { program, version } : { missing };
  } catch (error) {
    return { missing: `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * @param {string} folder
 * @param {string} requirements
 */
async function install(folder, requirements) {
  const program = join(folder, 'bin/python');
  const steps = /** @type {const} */ ([
    ['python3', ['-m', 'venv', folder], 'no virtual environment can be made (Debian: python3-venv)'],
    [program, ['-m', 'pip', 'install', '--quiet', '--no-input', '-r', requirements], 'pip cannot install it'],
  ]);
  for (const [command, args, failed] of steps) {
    const { problem } = await tryRun(command, [...args], INSTALL_MS);
    if (problem !== undefined) return `${failed}: ${problem}`;
  }
  return undefined;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {number} timeoutMs
 * @returns {Promise<{ output: string, problem?: string }>}
 */
async function tryRun(command, args, timeoutMs) {
  try {
    const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
    const { status, output } = await run(command, args, { env, timeoutMs });
    if (status === 0) return { output };
    return { output, problem: output.trim().split('\n').at(-1) || `status ${status}` };
  } catch (error) {
    return { output: '', problem: error instanceof Error ? error.message : String(error) };
  }
}

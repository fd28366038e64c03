import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/run.mjs';
import { say } from '../scripts/step.mjs';

/** The Python stack's packages, installed once into a folder of their own outside of the tree. */

const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));
const INSTALL_MS = 300_000;

/** @typedef {{ program: string, about: string } | { missing: string }} Python its interpreter and what was installed, or why there is none */

/**
 * Makes the virtual environment where it is not there yet. Never throws: without Python the rest of the bench runs.
 * @returns {Promise<Python>}
 */
export async function preparePython() {
  const version = await tryRun('python3', ['--version'], 10_000);
  if (version.problem !== undefined) return leftOut(`python3 cannot be run here: ${version.problem}`);
  const name = version.output.trim();
  const requirements = readFileSync(REQUIREMENTS, 'utf8');
  const hash = createHash('sha256').update(`${name}\n${requirements}`).digest('hex').slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'binnacle-bench', `python-${hash}`);
  const program = join(folder, 'bin/python');
  const about = `${name}, ${describe(requirements)}`;
  if (existsSync(join(folder, '.complete'))) return { program, about };
  say(`Installing the Python stack into ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  const steps = /** @type {const} */ ([
    ['python3', ['-m', 'venv', folder], 'no virtual environment can be made (Debian: python3-venv)'],
    [program, ['-m', 'pip', 'install', '--quiet', '--no-input', '-r', REQUIREMENTS], 'pip cannot install it'],
  ]);
  for (const [command, args, what] of steps) {
    const { problem } = await tryRun(command, [...args], INSTALL_MS);
    if (problem !== undefined) return leftOut(`${what}: ${problem}`);
  }
  writeFileSync(join(folder, '.complete'), '');
  return { program, about };
}

/** @param {string} missing */
function leftOut(missing) {
  say(`The Python stack is left out: ${missing}`);
  return { missing };
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

/**
 * What is named on purpose, above the rest of a requirements file.
 * @param {string} requirements
 */
function describe(requirements) {
  const named = requirements.split('\n\n')[0] ?? '';
  const packages = named.split('\n').filter((line) => /^[a-z]/.test(line));
  return packages.map((line) => line.replace(/\[.*\]/, '').replace('==', ' ')).join(', ');
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { say } from '../scripts/step.mjs';
import { prepareVenv } from '../scripts/venv.mjs';

/** The Python stack's packages, installed once. */

const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));

/** @typedef {{ program: string, about: string } | { missing: string }} Python its interpreter and what was installed, or why there is none */

/**
 * Never throws: without Python the rest of the bench runs.
 * @returns {Promise<Python>}
 */
export async function preparePython() {
  const venv = await prepareVenv('binnacle-bench', REQUIREMENTS, 'the Python stack');
  if ('missing' in venv) {
    say(`The Python stack is left out: ${venv.missing}`);
    return venv;
  }
  return { program: venv.program, about: `${venv.version}, ${describe(readFileSync(REQUIREMENTS, 'utf8'))}` };
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

import { checkExports } from './checks/exports.mjs';
import { checkImports, checkLockfile, checkLongFiles } from './checks/sources.mjs';
import { checkFormat, checkLint, checkTypes } from './checks/tools.mjs';
import { ROOT } from './root.mjs';
import { StepFailed } from './step.mjs';

/** @typedef {{ name: string, find: (root: string) => Promise<string> }} Check tells what is wrong, or '' where all is well */
/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @type {readonly Check[]} */
const CHECKS = [
  { name: 'format', find: checkFormat },
  { name: 'lint', find: checkLint },
  { name: 'types', find: checkTypes },
  { name: 'exports', find: checkExports },
  { name: 'imports', find: checkImports },
  { name: 'lockfile', find: checkLockfile },
  { name: 'long files', find: checkLongFiles },
];

/**
 * Runs the checks side by side, tells of each in order, and counts each as one test.
 * @param {{ root?: string, checks?: readonly Check[], write?: (line: string) => void }} [options]
 * @returns {Promise<Counts>}
 */
export async function runChecks({ root = ROOT, checks = CHECKS, write = console.log } = {}) {
  const found = await Promise.all(checks.map((check) => findOrTell(check, root)));
  for (const [at, { name }] of checks.entries()) write(found[at] === '' ? `ok  ${name}` : `FAIL ${name}\n${found[at]}`);
  const failed = found.filter((trouble) => trouble !== '').length;
  return { passed: checks.length - failed, failed, skipped: 0 };
}

/**
 * @param {Check} check
 * @param {string} root
 */
async function findOrTell({ name, find }, root) {
  try {
    return await find(root);
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    return `${name} could not be checked: ${error instanceof Error ? error.stack : error}`;
  }
}

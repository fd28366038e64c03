import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';
import { testEnvironment } from './test-environment.mjs';

/** @typedef {import('./checks.mjs').Counts} Counts */
/**
 * @typedef {object} Report what vitest's json reporter writes, as far as it is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ name: string, status: string, assertionResults: { status: string }[] }[]} testResults
 */

/**
 * Runs the test files.
 * @param {readonly string[]} args for vitest
 * @param {string} [root]
 * @returns {Promise<Counts & { troubles: string[] }>} `troubles` are failures that no test stands for, counted too
 */
export async function runVitest(args, root = ROOT) {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-tests-'));
  const file = join(folder, 'report.json');
  try {
    const { status } = await runNode(
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${file}`,
        ...args,
      ],
      { cwd: root, env: testEnvironment(process.env), show: 'all' },
    );
    return countReport(readReport(file), status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @returns {Report | undefined}
 */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {Report | undefined} report
 * @param {number} status vitest's exit status
 * @returns {Counts & { troubles: string[] }}
 */
export function countReport(report, status) {
  if (report === undefined) {
    return { passed: 0, failed: 1, skipped: 0, troubles: [`vitest ended with status ${status} and left no report`] };
  }
  const troubles = report.testResults
    .filter(failedOutsideTests)
    .map(({ name }) => `${relative(ROOT, name)} failed outside its tests`);
  if (report.numPassedTests + report.numFailedTests === 0 && troubles.length === 0) troubles.push('no test was run');
  if (status !== 0 && report.numFailedTests + troubles.length === 0) {
    troubles.push(`vitest ended with status ${status} although each test passed: look for unhandled errors above`);
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + troubles.length,
    skipped: report.numPendingTests + report.numTodoTests,
    troubles,
  };
}

/** A file that does not load, or a hook that throws. @param {Report['testResults'][number]} file */
function failedOutsideTests({ status, assertionResults }) {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
}

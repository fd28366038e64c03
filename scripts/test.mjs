// `npm test`: installs and builds what is missing, then the checks and the test files. The last line counts them all.
import { ensureBuilt } from './build.mjs';
import { runChecks } from './checks.mjs';
import { formatCounts, ONE_FAILED, sumCounts } from './counts.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNodeVersion } from './node-version.mjs';
import { StepFailed, say } from './step.mjs';
import { runVitest } from './vitest.mjs';

/** @returns {Promise<import('./checks.mjs').Counts>} */
async function runAll() {
  try {
    await ensureInstalled();
    await ensureBuilt();
    const checks = await runChecks();
    const { troubles, ...tests } = await runVitest(process.argv.slice(2));
    for (const trouble of troubles) console.log(`FAIL ${trouble}`);
    return sumCounts(checks, tests);
  } catch (error) {
    say(error instanceof StepFailed ? error.message : `The tests could not be run: ${error}`);
    return ONE_FAILED;
  }
}

requireNodeVersion();
const counts = await runAll();
console.log(formatCounts(counts));
if (counts.failed > 0) process.exitCode = 1;

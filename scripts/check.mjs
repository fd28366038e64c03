// `npm run check`: everything that a pull request needs besides its tests.
import { ensureBuilt } from './build.mjs';
import { runChecks } from './checks.mjs';
import { formatCounts } from './counts.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNodeVersion } from './node-version.mjs';
import { runScript } from './step.mjs';

requireNodeVersion();
await runScript(async () => {
  await ensureInstalled();
  await ensureBuilt();
  const counts = await runChecks();
  console.log(formatCounts(counts));
  if (counts.failed > 0) process.exitCode = 1;
});

// After `changeset version`: what else names the library's version. A test holds each against package.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { ROOT } from './root.mjs';
import { runScript, StepFailed } from './step.mjs';

const LIBRARY = 'packages/binnacle';
const USER_AGENT = `${LIBRARY}/src/traces/user-agent.ts`;

await runScript(async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, LIBRARY, 'package.json'), 'utf8'));
  const path = join(ROOT, USER_AGENT);
  const text = readFileSync(path, 'utf8');
  const named = text.replace(/^const VERSION = '[^']*';$/m, `const VERSION = '${version}';`);
  if (!named.includes(`'${version}'`)) throw new StepFailed(`${USER_AGENT} names no version in the form that is known`);
  writeFileSync(path, named);
  const { status } = await npm(['install', '--package-lock-only', '--ignore-scripts'], { cwd: ROOT, show: 'stderr' });
  if (status !== 0) throw new StepFailed(`Could not bring the lock file up to date, npm ended with ${status}.`, status);
});

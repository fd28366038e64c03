/** `binnacle/testing` under Node's own test runner, as a user's project has it: compiled, ESM and CommonJS. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilePackage } from './compiled-package.ts';

const BODY = `
test('a question is counted once, and told in one line', async (context) => {
  const t = observeForTest({ service: 'answers', namespace: 'answers' });
  await t.session({ id: 's1' }, (session) => session.phase('research', () => t.clock.advance(250)));
  assert.equal(await t.value('answers_requests_total{status="success"}'), 1);
  assert.equal(t.lines().at(-1).message, '[s1] Request completed');
  assert.deepEqual(t.spans().map(({ name, durationMs }) => [name, durationMs]), [['phase research', 250], ['session', 250]]);
});

test('nothing that is left open keeps the process alive', () => {
  observeForTest({ service: 'open' }).health.check('slow', () => new Promise(() => {}));
});
`;
const ESM = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observeForTest } from 'binnacle/testing';
${BODY}`;
const COMMONJS = `const assert = require('node:assert/strict');
const { test } = require('node:test');
const { observeForTest } = require('binnacle/testing');
${BODY}`;

let compiled: Awaited<ReturnType<typeof compilePackage>>;
beforeAll(async () => {
  compiled = await compilePackage();
});
afterAll(() => compiled?.remove());

test.each([
  ['ESM', 'telemetry.test.mjs', ESM],
  ['CommonJS', 'telemetry.test.cjs', COMMONJS],
])("a user's test passes under node --test, %s", async (_form, file, code) => {
  writeFileSync(join(compiled.folder, file), code);
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], {
    cwd: compiled.folder,
    timeout: 20_000,
  });
  expect(stdout).toMatch(/# pass 2\n# fail 0/);
});

/** A release: Changesets moves the version, and everything that names it follows. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const USER_AGENT = 'packages/binnacle/src/traces/user-agent.ts';
const COPIED = [
  ...['package.json', 'package-lock.json', '.npmrc', 'scripts', '.changeset/config.json'],
  ...['packages/binnacle/package.json', 'apps/fit-check/package.json', USER_AGENT],
];

test('the version of a change is in the package, its user, its exports and the lock file', async () => {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-release-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const json = (path: string) => JSON.parse(read(path));
  const [major = 0, minor = 0] = json('packages/binnacle/package.json').version.split('.').map(Number);
  writeFileSync(join(root, '.changeset/one.md'), '---\n"binnacle": minor\n---\n\nSomething that users notice.\n');

  const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: root });
  await run(join(ROOT, 'node_modules/@changesets/cli/bin.js'), 'version');
  await run('scripts/version.mjs');

  const version = `${major}.${minor + 1}.0`;
  expect(json('packages/binnacle/package.json').version).toBe(version);
  expect(json('apps/fit-check/package.json').dependencies.binnacle).toBe(`^${version}`);
  expect(read(USER_AGENT)).toContain(`const VERSION = '${version}';`);
  expect(json('package-lock.json').packages['packages/binnacle'].version).toBe(version);
  expect(read('packages/binnacle/CHANGELOG.md')).toMatch(/Something that users notice\./);
});

test('what is published is public, and says where it was built', () => {
  const pkg = JSON.parse(readFileSync(join(ROOT, 'packages/binnacle/package.json'), 'utf8'));
  expect(pkg.publishConfig).toEqual({ access: 'public', provenance: true });
  expect(pkg.scripts.prepack).toBe('node ../../scripts/build.mjs');
  expect(pkg.private).toBeUndefined();
});

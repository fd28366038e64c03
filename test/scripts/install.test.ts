import { existsSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadScript } from './module.ts';
import { emptyWorkspace, type Workspace } from './workspace.ts';

const { isInstalled } = await loadScript<{ isInstalled(root: string): boolean }>('install.mjs');

const entry = { version: '1.0.0', integrity: 'sha512-a' };
const optional = { ...entry, optional: true };

/** A workspace whose lock file wants these packages, and which holds those. */
function holding(wanted: Record<string, object>, present: Record<string, object>): Workspace {
  const workspace = emptyWorkspace();
  workspace.write('package-lock.json', JSON.stringify({ packages: { '': {}, ...wanted } }));
  workspace.write('node_modules/.package-lock.json', JSON.stringify({ packages: present }));
  for (const path of Object.keys(present)) workspace.write(`${path}/package.json`, '{}');
  return workspace;
}

test.each([
  ['the same', { 'node_modules/a': entry }, { 'node_modules/a': entry }, true],
  ['one missing', { 'node_modules/a': entry }, {}, false],
  ['another version', { 'node_modules/a': entry }, { 'node_modules/a': { ...entry, version: '2.0.0' } }, false],
  ['other content', { 'node_modules/a': entry }, { 'node_modules/a': { ...entry, integrity: 'sha512-b' } }, false],
  ['one too many', {}, { 'node_modules/a': entry }, true],
  ['optional, another system', { 'node_modules/a': { ...optional, os: ['none'] } }, {}, true],
  ['optional, any system but this', { 'node_modules/a': { ...optional, os: [`!${process.platform}`] } }, {}, true],
  ['optional, another processor', { 'node_modules/a': { ...optional, cpu: ['none'] } }, {}, true],
  ['optional, a helper of another system', { 'node_modules/a': optional }, {}, true],
  ['optional, this system', { 'node_modules/a': { ...optional, os: [process.platform] } }, {}, false],
])('installed? %s', (_name, wanted, present, expected) => {
  expect(isInstalled(holding(wanted as Record<string, object>, present as Record<string, object>).root)).toBe(expected);
});

test('a folder that was removed by hand is missing', () => {
  const { root } = holding({ 'node_modules/a': entry }, { 'node_modules/a': entry });
  rmSync(join(root, 'node_modules/a'), { recursive: true });
  expect(isInstalled(root)).toBe(false);
});

/** A workspace that npm can install without a registry: one package of its own. */
function installable(): Workspace {
  const workspace = emptyWorkspace();
  const root = { name: 'fixture', version: '1.0.0', workspaces: ['packages/*'] };
  const packages = {
    '': root,
    'node_modules/one': { resolved: 'packages/one', link: true },
    'packages/one': { version: '1.0.0' },
  };
  workspace.write('package.json', JSON.stringify(root));
  workspace.write('packages/one/package.json', JSON.stringify({ name: 'one', version: '1.0.0' }));
  workspace.write(
    'package-lock.json',
    JSON.stringify({ name: 'fixture', lockfileVersion: 3, requires: true, packages }),
  );
  workspace.write(
    'scripts/only-install.mjs',
    `import { ensureInstalled } from './install.mjs';
import { runScript } from './step.mjs';
await runScript(async () => console.log(await ensureInstalled() ? 'installed' : 'skipped'));`,
  );
  return workspace;
}

test('installs what is missing, production or not, and then skips', async () => {
  const workspace = installable();
  const first = await workspace.start('only-install.mjs', { NODE_ENV: 'production' }).ended;
  expect(first).toMatchObject({ status: 0, stdout: 'installed\n' });
  expect(isInstalled(workspace.root)).toBe(true);
  expect(await workspace.start('only-install.mjs').ended).toMatchObject({ status: 0, stdout: 'skipped\n', stderr: '' });
  rmSync(join(workspace.root, 'node_modules/one'));
  expect(isInstalled(workspace.root)).toBe(false);
});

test('two starts at once install once', async () => {
  const workspace = installable();
  const all = [workspace.start('only-install.mjs'), workspace.start('only-install.mjs')];
  const said = await Promise.all(all.map(async ({ ended }) => (await ended).stdout));
  expect(said.sort()).toEqual(['installed\n', 'skipped\n']);
});

test('what a link leads to is not emptied', async () => {
  const [workspace, linked] = [installable(), emptyWorkspace()];
  linked.write('kept/package.json', '{}');
  symlinkSync(linked.root, join(workspace.root, 'node_modules'));
  const { status, stderr } = await workspace.start('only-install.mjs').ended;
  expect(status).toBe(1);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^node_modules is a link, and npm ci would empty /);
  expect(existsSync(join(linked.root, 'kept/package.json'))).toBe(true);
});

test("a failed install is one line of advice and npm's status", async () => {
  const workspace = installable();
  workspace.write('package-lock.json', '{}');
  const { status, stdout, stderr } = await workspace.start('only-install.mjs').ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^Could not install the packages, npm ci ended with status 1: /);
});

test.each([
  ['whose holder died', { pid: 2 ** 30, host: hostname() }, 0],
  ['that nobody has touched for a minute', { pid: 1, host: 'another' }, 60],
])('a lock %s is taken', async (_name, holder, age) => {
  const workspace = installable();
  const lock = join(workspace.root, '.cache/install.lock');
  workspace.write('.cache/install.lock', JSON.stringify(holder));
  utimesSync(lock, new Date(), new Date(Date.now() - age * 1000));
  expect(await workspace.start('only-install.mjs').ended).toMatchObject({ status: 0, stdout: 'installed\n' });
});

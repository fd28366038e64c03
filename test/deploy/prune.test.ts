import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadScript } from '../scripts/module.ts';
import { ROOT, read } from './files.ts';

type Packages = Readonly<Record<string, object>>;

const { prune, unneeded } = await loadScript<{
  prune(root: string, workspaces: readonly string[]): string[];
  unneeded(packages: Packages, workspaces: readonly string[]): string[];
}>('image/prune.mjs');

const any = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, '*']));

/** A service on a library, whose optional peers the root has for its tests. */
const INSTALLED: Packages = {
  'apps/web': { dependencies: any('lib', 'sdk', '@db/client'), peerDependencies: any('schema') },
  'packages/lib': {
    dependencies: any('log'),
    peerDependencies: any('sdk', 'other-sdk'),
    peerDependenciesMeta: { sdk: { optional: true }, 'other-sdk': { optional: true } },
  },
  'packages/lib/node_modules/log': { dependencies: any('loop') },
  'node_modules/web': { link: true, resolved: 'apps/web' },
  'node_modules/lib': { link: true, resolved: 'packages/lib' },
  'node_modules/log': {},
  'node_modules/loop': { dependencies: any('loop-back') },
  'node_modules/loop-back': { dependencies: any('loop') },
  'node_modules/sdk': { peerDependencies: any('shapes'), peerDependenciesMeta: { shapes: { optional: true } } },
  'node_modules/shapes': {},
  'node_modules/schema': {},
  'node_modules/other-sdk': { dependencies: any('@other/core', 'loop') },
  'node_modules/@other/core': {},
  'node_modules/other-sdk/node_modules/loop': {},
  'node_modules/@db/client': { optionalDependencies: any('@db/here', '@db/elsewhere') },
  'node_modules/@db/here': { dependencies: any('loader') },
  'node_modules/@db/other': {},
  'node_modules/loader': {},
};
const UNNEEDED = [
  'node_modules/@db/other',
  'node_modules/@other/core',
  'node_modules/log',
  'node_modules/other-sdk',
  'node_modules/other-sdk/node_modules/loop',
  'node_modules/shapes',
  'node_modules/web',
];

describe('what is not needed', () => {
  test('is what no dependency, no optional one that is there and no required peer leads to', () => {
    expect(unneeded(INSTALLED, ['apps/web'])).toEqual(UNNEEDED);
  });

  test('does not depend on the order of the record', () => {
    expect(unneeded(Object.fromEntries(Object.entries(INSTALLED).reverse()), ['apps/web'])).toEqual(UNNEEDED);
  });

  test.each([
    ['a dependency', { dependencies: any('absent') }],
    ['a required peer', { peerDependencies: any('absent') }],
  ])('cannot be told where %s is not there', (_, entry) => {
    const packages = { ...INSTALLED, 'node_modules/loader': entry };
    expect(() => unneeded(packages, ['apps/web'])).toThrow(
      'node_modules/loader depends on absent, which is not installed.',
    );
  });

  test('cannot be told of a workspace that is not there, nor of none', () => {
    expect(() => unneeded(INSTALLED, ['apps/wbe'])).toThrow(/There is no apps\/wbe/);
    expect(() => unneeded(INSTALLED, [])).toThrow(/No workspace/);
  });

  test('of the service is what its library is tested with', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Packages };
    const names = (paths: readonly string[]) => paths.map((path) => path.replace(/^node_modules\//, ''));
    const removed = names(unneeded(packages, ['apps/fit-check', 'packages/binnacle']));
    for (const name of ['@anthropic-ai/sdk', '@google/genai', '@langchain/core', 'ai', 'zod', 'vitest', 'typescript'])
      expect.soft(removed).toContain(name);
    const kept = names(Object.keys(packages)).filter((name) => !removed.includes(name));
    for (const name of ['openai', 'fastify', 'libsql', '@libsql/linux-x64-gnu', 'pg', 'ioredis', 'pino', 'binnacle'])
      expect.soft(kept).toContain(name);
  });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-prune-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Installs these packages in a folder, each with one command. */
function install(root: string, packages: Packages): void {
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  for (const [path, entry] of Object.entries(packages)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if ('link' in entry) {
      symlinkSync(`../${(entry as { resolved?: string }).resolved}`, join(root, path));
      continue;
    }
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, 'index.js'), '');
    const name = path.replace(/^node_modules\//, '');
    if (name !== path) symlinkSync(`../${name}/index.js`, join(root, 'node_modules/.bin', name.replaceAll('/', '-')));
  }
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
}

const recorded = (root: string): string[] =>
  Object.keys(JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages);

describe('pruning', () => {
  test('removes it from the disk, with its commands, its empty scopes and its lines in the record', () => {
    const root = emptyFolder();
    install(root, INSTALLED);
    expect(prune(root, ['apps/web'])).toEqual(UNNEEDED);
    const kept = Object.keys(INSTALLED).filter((path) => !UNNEEDED.includes(path));
    expect(recorded(root)).toEqual(kept);
    for (const path of UNNEEDED) expect.soft(lstatSync(join(root, path), { throwIfNoEntry: false })).toBeUndefined();
    for (const path of kept) expect.soft([path, existsSync(join(root, path, 'index.js'))]).toEqual([path, true]);
    expect(readdirSync(join(root, 'node_modules'))).not.toContain('@other');
    // The link's own workspace is a source, and stays.
    expect(existsSync(join(root, 'apps/web/index.js'))).toBe(true);
    const commands = readdirSync(join(root, 'node_modules/.bin'));
    expect(commands.sort()).toEqual(['@db-client', '@db-here', 'loader', 'loop', 'loop-back', 'schema', 'sdk']);
    expect(prune(root, ['apps/web'])).toEqual([]);
  });

  test('as a command tells what it removed; where something is missing it ends with 1, one line, and all in place', () => {
    const root = emptyFolder();
    const run = (...workspaces: string[]) =>
      spawnSync(process.execPath, [join(ROOT, 'scripts/image/prune.mjs'), ...workspaces], {
        cwd: root,
        encoding: 'utf8',
      });
    install(root, { ...INSTALLED, 'node_modules/loader': { dependencies: any('absent') } });
    const stderr = 'node_modules/loader depends on absent, which is not installed.\n';
    expect(run('apps/web')).toMatchObject({ status: 1, stdout: '', stderr });
    expect(existsSync(join(root, 'node_modules/shapes/index.js'))).toBe(true);
    const stdout = 'Removed, as nothing here depends on it:\nnode_modules/web\n';
    rmSync(join(root, 'node_modules'), { recursive: true });
    install(root, { 'apps/web': {}, 'node_modules/web': { link: true, resolved: 'apps/web' } });
    expect(run('apps/web')).toMatchObject({ status: 0, stdout, stderr: '' });
  });
});

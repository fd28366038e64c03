import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtWorkspace } from './workspace.ts';

const BOTH = 'Building packages/binnacle\nBuilding apps/fit-check\n';
const NOTHING = 'Nothing to build: the inputs are unchanged.\n';
const ANSWER = 'packages/binnacle/src/answer.ts';

test('builds in order, imports rewritten, and skips what is unchanged', async () => {
  const workspace = builtWorkspace();
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0, stdout: '', stderr: BOTH });
  expect(workspace.read('packages/binnacle/dist/index.js')).toContain(`from './answer.js'`);
  expect(existsSync(join(workspace.root, 'packages/binnacle/dist/index.d.ts'))).toBe(true);
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0, stderr: NOTHING });
});

test('builds again what changed and what stands on it, and nothing for a test file', async () => {
  const workspace = builtWorkspace();
  await workspace.start('build.mjs').ended;
  workspace.write('apps/fit-check/src/other.ts', 'export const other = 1;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: 'Building apps/fit-check\n' });
  workspace.write('packages/binnacle/src/answer.test.ts', 'not even TypeScript');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: NOTHING });
  workspace.write(ANSWER, 'export const answer: number = 43;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: BOTH });
  rmSync(join(workspace.root, ANSWER));
  workspace.write('packages/binnacle/src/index.ts', 'export const answer: number = 44;\n');
  await workspace.start('build.mjs').ended;
  expect(existsSync(join(workspace.root, 'packages/binnacle/dist/answer.js'))).toBe(false);
});

test('a type error is shown, and the old build stays as it was', async () => {
  const workspace = builtWorkspace();
  await workspace.start('build.mjs').ended;
  const before = workspace.read('packages/binnacle/dist/answer.js');
  workspace.write(ANSWER, `export const answer: number = 'forty-two';\n`);
  const { status, stdout, stderr } = await workspace.start('build.mjs').ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/answer\.ts\(1,14\): error TS2322/);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^Could not build packages\/binnacle: correct what the compiler/);
  expect(workspace.read('packages/binnacle/dist/answer.js')).toBe(before);
  expect(readdirSync(join(workspace.root, 'packages/binnacle')).sort()).toEqual([
    'dist',
    'package.json',
    'src',
    'tsconfig.json',
  ]);
});

test('what a build left that was cut short is removed', async () => {
  const workspace = builtWorkspace();
  workspace.write('packages/binnacle/dist.tmp-1/index.js', '');
  workspace.write('packages/binnacle/dist.old-1/index.js', '');
  await workspace.start('build.mjs').ended;
  expect(readdirSync(join(workspace.root, 'packages/binnacle')).sort()).toEqual([
    'dist',
    'package.json',
    'src',
    'tsconfig.json',
  ]);
});

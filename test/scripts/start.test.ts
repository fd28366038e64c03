import { expect, test } from 'vitest';
import { loadScript } from './module.ts';
import { builtWorkspace } from './workspace.ts';

const { nodeVersionTrouble } = await loadScript<{ nodeVersionTrouble(version: string): string | undefined }>(
  'node-version.mjs',
);

test.each(['20.19.0', '22.0.0', '24.1.0'])('Node.js %s will do', (version) => {
  expect(nodeVersionTrouble(version)).toBeUndefined();
});

test.each(['18.20.0', '20.18.3'])('Node.js %s is too old, in one line', (version) => {
  expect(nodeVersionTrouble(version)).toMatch(/^This needs Node\.js 20\.19 or newer .*$/);
});

test('builds, then runs the service in its own process, which alone writes to stdout', async () => {
  const workspace = builtWorkspace(
    `import { answer } from 'binnacle';\nconsole.log(\`\${answer} \${process.pid}\`);\nprocess.exitCode = 7;\n`,
  );
  const { process, ended } = workspace.start('start.mjs', { NODE_ENV: 'production' });
  const { status, stdout, stderr } = await ended;
  expect({ status, stdout }).toEqual({ status: 7, stdout: `42 ${process.pid}\n` });
  expect(stderr).toBe('Building packages/binnacle\nBuilding apps/fit-check\n');
  expect((await workspace.start('start.mjs').ended).stderr).toBe('');
});

test("a signal is the service's own to handle", async () => {
  const workspace = builtWorkspace(
    `export {};\nprocess.on('SIGTERM', () => {\n  console.log('goodbye');\n  process.exit(3);\n});\nsetInterval(() => {}, 1000);\nconsole.log('ready');\n`,
  );
  const { process, says, ended } = workspace.start('start.mjs');
  await says('ready');
  process.kill('SIGTERM');
  expect(await ended).toMatchObject({ status: 3, signal: null, stdout: 'ready\ngoodbye\n' });
});

test('without a handler the signal ends it as it would any process', async () => {
  const workspace = builtWorkspace(`export {};\nsetInterval(() => {}, 1000);\nconsole.log('ready');\n`);
  const { process, says, ended } = workspace.start('start.mjs');
  await says('ready');
  process.kill('SIGTERM');
  expect(await ended).toMatchObject({ signal: 'SIGTERM' });
});

test('does not start what does not build', async () => {
  const workspace = builtWorkspace(`export {};\nconst wrong: number = 'a';\nconsole.log(wrong);\n`);
  expect(await workspace.start('start.mjs').ended).toMatchObject({ status: 1, stdout: '' });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { loadScript } from '../scripts/module.ts';

const { runNode } = await loadScript<{
  runNode(args: string[], options: { env: NodeJS.ProcessEnv }): Promise<{ status: number; output: string }>;
}>('run.mjs');
const MODULE = fileURLToPath(new URL('../../bench/python.mjs', import.meta.url));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Prepares in an environment whose `python3` is that script, if any. */
async function prepareWith(python3?: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-python-'));
  folders.push(folder);
  if (python3 !== undefined) writeFileSync(join(folder, 'python3'), `#!/bin/sh\n${python3}\n`, { mode: 0o755 });
  const code = `const { preparePython } = await import(${JSON.stringify(MODULE)});
    process.stdout.write(JSON.stringify(await preparePython()), () => process.exit());`;
  const env = { PATH: folder, XDG_CACHE_HOME: folder };
  const { status, output } = await runNode(['--input-type=module', '--eval', code], { env });
  expect(status).toBe(0);
  return output;
}

test('where there is no python3, the stack is left out with a line that says so', async () => {
  const output = await prepareWith();
  expect(output).toMatch(/The Python stack is left out: python3 cannot be run here: /);
  expect(output).toMatch(/\{"missing":"python3 cannot be run here: /);
});

test('where it makes no virtual environment, the line says why', async () => {
  const output = await prepareWith(
    '[ "$1" = --version ] && echo Python 3.11.2 && exit 0; echo No module named venv; exit 1',
  );
  expect(output).toMatch(/left out: no virtual environment can be made \(Debian: python3-venv\): No module named venv/);
});

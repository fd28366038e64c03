import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** How a process ended, and all that it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A small workspace of its own in a temporary folder, with these scripts in it. */
export interface Workspace {
  readonly root: string;
  write(path: string, text: string): void;
  read(path: string): string;
  /** Starts one of the scripts. */
  start(script: string, env?: NodeJS.ProcessEnv): Started;
}

export interface Started {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves once stdout holds the text. */
  says(text: string): Promise<void>;
}

/** A temporary folder with the scripts; it is removed with the test. */
export function emptyWorkspace(): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-scripts-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(repository, 'scripts'), join(root, 'scripts'), { recursive: true });
  return {
    root,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    start: (script, env = {}) => start(root, script, env),
  };
}

/** A library and a service that build with the real compiler. `main` is the service's main.ts. */
export function builtWorkspace(main = `import { answer } from 'binnacle';\nconsole.log(answer);\n`): Workspace {
  const workspace = emptyWorkspace();
  const { root, write } = workspace;
  write('package.json', JSON.stringify({ name: 'fixture', type: 'module', workspaces: ['packages/*', 'apps/*'] }));
  write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: {} }));
  write('node_modules/.package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: {} }));
  for (const tool of ['typescript', 'esbuild'])
    symlinkSync(join(repository, 'node_modules', tool), join(root, 'node_modules', tool));
  write('tsconfig.base.json', readFileSync(join(repository, 'tsconfig.base.json'), 'utf8').replace('["node"]', '[]'));
  for (const folder of ['packages/binnacle', 'apps/fit-check']) {
    write(`${folder}/tsconfig.json`, readFileSync(join(repository, folder, 'tsconfig.json'), 'utf8'));
  }
  const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };
  write('packages/binnacle/package.json', JSON.stringify({ name: 'binnacle', type: 'module', exports }));
  write('packages/binnacle/src/index.ts', `export { answer } from './answer.ts';\n`);
  write('packages/binnacle/src/answer.ts', 'export const answer: number = 42;\n');
  symlinkSync('../packages/binnacle', join(root, 'node_modules/binnacle'));
  write('apps/fit-check/package.json', JSON.stringify({ name: 'fit-check', type: 'module' }));
  write('apps/fit-check/src/main.ts', main);
  write(
    'apps/fit-check/src/globals.d.ts',
    'declare const console: { log(value: unknown): void };\ndeclare const process: any;\ndeclare const setInterval: any;\n',
  );
  return workspace;
}

function start(root: string, script: string, env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, [join(root, 'scripts', script)], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    process: child,
    ended: new Promise((resolve) => {
      child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    }),
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => stdout.includes(text) && resolve();
        look();
        child.stdout.on('data', look);
        child.once('close', () => reject(new Error(`It ended without saying ${text}: ${stdout}${stderr}`)));
      }),
  };
}

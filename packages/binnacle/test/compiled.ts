/** Modules of the library compiled, so that plain Node.js runs them in child processes that may end in any way. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Compiled {
  /** Holds the modules as `.js`, in the source's own folders. */
  readonly folder: string;
  remove(): void;
}

/** Compiles modules, named from `src/`, with all that they import. */
export async function compileModules(...modules: readonly string[]): Promise<Compiled> {
  const require = createRequire(import.meta.url);
  const source = fileURLToPath(new URL('../src', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-compiled-'));
  const config = {
    extends: join(source, '../../../tsconfig.base.json'),
    compilerOptions: {
      rootDir: source,
      outDir: folder,
      typeRoots: [dirname(dirname(require.resolve('@types/node/package.json')))],
    },
    files: modules.map((name) => join(source, name)),
  };
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  symlinkSync(dirname(dirname(require.resolve('pino/package.json'))), join(folder, 'node_modules'), 'junction');
  await promisify(execFile)(process.execPath, [
    join(dirname(require.resolve('typescript/package.json')), 'bin/tsc'),
    ...['-p', join(folder, 'tsconfig.json')],
  ]);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

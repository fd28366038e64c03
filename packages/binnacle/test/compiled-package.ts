/** The library as its users have it in `node_modules`, for tests that run it by plain Node.js. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadScript } from '../../../test/scripts/module.ts';

const { bundle } = await loadScript<{ bundle(folder: string, dist: string): Promise<void> }>('bundle.mjs');
const require = createRequire(import.meta.url);
const PACKAGE = fileURLToPath(new URL('../', import.meta.url));
const REPOSITORY = join(PACKAGE, '../..');

export interface CompiledPackage {
  /** A project that has it in its `node_modules`. */
  readonly folder: string;
  /** The package's own folder. */
  readonly library: string;
  remove(): void;
}

/** Compiles the library into a folder of its own, as a package, so that a build under way elsewhere does no harm. */
export async function compilePackage(): Promise<CompiledPackage> {
  // Within the repository, whose `node_modules` the package's own dependencies are found in.
  const cache = join(REPOSITORY, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'package-'));
  const installed = join(folder, 'node_modules', 'binnacle');
  mkdirSync(installed, { recursive: true });
  for (const file of ['package.json', 'README.md', 'LICENSE', 'NOTICE'])
    copyFileSync(join(PACKAGE, file), join(installed, file));
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  // Its types are for `npm run check` to check.
  await promisify(execFile)(process.execPath, [tsc, '-p', PACKAGE, '--noCheck', '--outDir', join(installed, 'dist')]);
  await bundle(installed, join(installed, 'dist'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  // tsx reads the nearest one: the repository's own leads to the library's source.
  writeFileSync(join(folder, 'tsconfig.json'), '{}');
  return { folder, library: installed, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

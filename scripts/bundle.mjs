import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from './files.mjs';

/**
 * Puts the compiled modules of a package together, so that an import reads a few files and not a hundred: Node's loader
 * takes about half a millisecond for each. What entries share is one file too, so that a class is the same for all of
 * them; dependencies stay imports, and declarations stay as they are.
 * @param {string} folder the package
 * @param {string} dist where its compiled modules are, in the place of `dist`
 */
export async function bundle(folder, dist) {
  const entries = entriesOf(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  if (entries.length === 0) return;
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: entries.map((entry) => join(dist, entry)),
    outbase: dist,
    outdir: dist,
    absWorkingDir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    chunkNames: 'shared-[hash]',
    write: false,
    logLevel: 'error',
  });
  for (const path of filesIn(dist, '.')) if (path.endsWith('.js')) rmSync(join(dist, path));
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
}

/**
 * Files below `dist` that are loaded by name.
 * @param {{ exports?: Record<string, string | { default: string }>, bin?: Record<string, string> }} pkg
 */
function entriesOf({ exports = {}, bin = {} }) {
  const targets = Object.values(exports).map((target) => (typeof target === 'string' ? target : target.default));
  const entries = [...targets, ...Object.values(bin)].filter(
    (path) => path.startsWith('./dist/') && path.endsWith('.js'),
  );
  return [...new Set(entries.map((path) => path.slice('./dist/'.length)))];
}

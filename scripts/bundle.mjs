import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from './files.mjs';

/**
 * Packages whose code goes into the bundle: of 83 files they are most of what a start reads, and a service uses a part of
 * them. `@opentelemetry/api` is not among them: a service's own spans go through the same one.
 */
const TAKEN_IN = [
  '@opentelemetry/core',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/semantic-conventions',
];

/**
 * Puts the compiled modules of a package together, so that an import reads a few files and not a hundred: Node's loader
 * takes about half a millisecond for each. What entries share is one file too, so that a class is the same for all of
 * them; other dependencies stay imports, and declarations stay as they are.
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
    mainFields: ['module', 'main'],
    plugins: [{ name: 'packages', setup: (own) => own.onResolve({ filter: /^[^./]/ }, resolvePackage) }],
    chunkNames: 'shared-[hash]',
    write: false,
    logLevel: 'error',
  });
  for (const path of filesIn(dist, '.')) if (path.endsWith('.js')) rmSync(join(dist, path));
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
}

/** @param {import('esbuild').OnResolveArgs} args */
function resolvePackage({ path, kind }) {
  const isTakenIn = TAKEN_IN.some((name) => path === name || path.startsWith(`${name}/`));
  return kind === 'entry-point' || isTakenIn ? undefined : { external: true };
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

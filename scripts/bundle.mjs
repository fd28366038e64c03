import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { filesIn } from './files.mjs';
import { readSpecifiers } from './specifiers.mjs';

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
 * them; other dependencies stay imports. Of declarations those stay that an entry's types lead to.
 * @param {string} folder the package
 * @param {string} dist where its compiled modules are, in the place of `dist`
 */
export async function bundle(folder, dist) {
  const pkg = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entries = entriesOf(pkg);
  if (entries.length === 0) return;
  const { build, transform } = await import('esbuild');
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
  for (const { path, text } of outputFiles) writeFileSync(path, await withoutComments(text, transform));
  pruneDeclarations(dist, typesOf(pkg));
}

/** A comment of a member, which esbuild keeps. */
const MEMBER_COMMENT = /^[ \t]*\/\*\*(?:[^*]|\*(?!\/))*\*\/\n/gm;

/**
 * Leaves out what no process reads, some 3% of it; as it was where that would make it another program (a text that looks
 * like a comment).
 * @param {string} text a module
 * @param {typeof import('esbuild').transform} transform
 */
async function withoutComments(text, transform) {
  const bare = text.replace(MEMBER_COMMENT, '');
  const [one, other] = await Promise.all([text, bare].map((code) => transform(code, { minify: true })));
  return one?.code === other?.code ? bare : text;
}

/**
 * @param {string} dist
 * @param {string[]} entries files of declarations below it
 */
function pruneDeclarations(dist, entries) {
  const reached = new Set(entries);
  for (const path of reached) {
    for (const { to } of readSpecifiers(readFileSync(join(dist, path), 'utf8'))) {
      if (to.startsWith('.')) reached.add(posix.join(posix.dirname(path), to).replace(/\.[jt]s$/, '.d.ts'));
    }
  }
  for (const path of filesIn(dist, '.')) {
    if (path.endsWith('.d.ts') && !reached.has(posix.normalize(path))) rmSync(join(dist, path));
  }
}

/**
 * @param {{ exports?: Record<string, string | { types?: string }> }} pkg
 * @returns {string[]}
 */
function typesOf({ exports = {} }) {
  const targets = Object.values(exports).map((target) => (typeof target === 'string' ? undefined : target.types));
  return targets.flatMap((path) => (path?.startsWith('./dist/') ? [path.slice('./dist/'.length)] : []));
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

/** What is really installed, read from folders `node_modules`; nothing of it is run. */
import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readManifest } from './manifest.ts';

/** One copy of a package. */
export interface Copy {
  readonly name: string;
  readonly version: string;
  /** Its folder, relative to the project's. */
  readonly path: string;
}

/** Folders of packages that are looked into at most. */
const MAX_PACKAGES = 20_000;

/** The copy that the project's own code gets by a package's name, or undefined. */
export function resolveCopy(folder: string, name: string): Copy | undefined {
  for (const modules of modulesAbove(folder)) {
    const real = realPath(join(modules, name));
    const found = real === undefined ? undefined : readCopy(folder, real, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every copy of these packages that the project or what it is built on may get, each once. */
export function findCopies(folder: string, names: ReadonlySet<string>): Copy[] {
  const seen = new Set<string>();
  const copies: Copy[] = [];
  const waiting = modulesAbove(folder);
  for (let modules = waiting.shift(); modules !== undefined; modules = waiting.shift()) {
    for (const [name, path] of packagesIn(modules)) {
      const real = realPath(path);
      if (real === undefined || seen.has(real)) continue;
      if (seen.size >= MAX_PACKAGES) return copies;
      seen.add(real);
      waiting.push(join(real, 'node_modules'));
      const copy = names.has(name) ? readCopy(folder, real, name) : undefined;
      if (copy !== undefined) copies.push(copy);
    }
    waiting.push(...storesIn(modules));
  }
  return copies;
}

function modulesAbove(folder: string): string[] {
  const found: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    found.push(join(at, 'node_modules'));
    if (at === dirname(at)) return found;
  }
}

/** Names and folders of the packages of one `node_modules`. */
function packagesIn(modules: string): [name: string, path: string][] {
  return foldersIn(modules).flatMap((name): [string, string][] => {
    if (name.startsWith('.')) return [];
    if (!name.startsWith('@')) return [[name, join(modules, name)]];
    return foldersIn(join(modules, name)).map((inner) => [`${name}/${inner}`, join(modules, name, inner)]);
  });
}

/** pnpm keeps the packages in `node_modules/.pnpm/NAME@VERSION/node_modules`. */
function storesIn(modules: string): string[] {
  return foldersIn(join(modules, '.pnpm')).map((name) => join(modules, '.pnpm', name, 'node_modules'));
}

function foldersIn(path: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** `path` is a real one, so that a copy which links lead to has one path. */
function readCopy(folder: string, path: string, name: string): Copy | undefined {
  const manifest = readManifest(join(path, 'package.json'));
  if (typeof manifest === 'string') return undefined;
  const short = relative(realPath(folder) ?? folder, path)
    .split(sep)
    .join('/');
  return { name: manifest.name ?? name, version: manifest.version ?? 'unknown', path: short === '' ? '.' : short };
}

/** Files `package.json`, of which nothing is known for sure. */
import { readFileSync } from 'node:fs';

export interface Manifest {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly dependencies: ReadonlySet<string>;
  /** What a service runs with where it is installed: optional ones, and those it asks its host for. */
  readonly optional: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

/** Reads one; `missing` where there is none, `broken` where it cannot be read. */
export function readManifest(path: string | URL): Manifest | 'missing' | 'broken' {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'broken';
  }
  try {
    const content: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return isObject(content) ? toManifest(content) : 'broken';
  } catch {
    return 'broken';
  }
}

function toManifest(content: Readonly<Record<string, unknown>>): Manifest {
  const names = (field: string): string[] => (isObject(content[field]) ? Object.keys(content[field]) : []);
  const text = (field: string): string | undefined => {
    const value = content[field];
    return typeof value === 'string' ? value.slice(0, 100) : undefined;
  };
  return {
    name: text('name'),
    version: text('version'),
    dependencies: new Set(names('dependencies')),
    optional: new Set(['optionalDependencies', 'peerDependencies'].flatMap(names)),
    devDependencies: new Set(names('devDependencies')),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

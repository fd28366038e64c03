/** What stands in for Binnacle under fit-check has all that fit-check imports; else the bench would have no bare twin. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadBench } from './modules.ts';

const SOURCES = fileURLToPath(new URL('../../apps/fit-check/src', import.meta.url));

/** Names that are there when it runs: no types. */
function importedFrom(module: string): string[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !/\.test(-helper)?\.ts$/.test(file));
  const names = sources.flatMap((file) => {
    const text = readFileSync(join(SOURCES, file), 'utf8');
    return [...text.matchAll(/^import (type )?\{([^}]*)\} from '([^']+)';/gm)].flatMap(([, type, list = '', from]) =>
      type !== undefined || from !== module ? [] : list.split(',').map((name) => name.trim()),
    );
  });
  const values = names.filter((name) => name !== '' && !name.startsWith('type '));
  return [...new Set(values.map((name) => name.split(' as ')[0] as string))].sort();
}

test.each([
  ['binnacle', 'stand-in/index.mjs'],
  ['binnacle/fastify', 'stand-in/fastify.mjs'],
])('%s', async (module, file) => {
  const standIn = await loadBench<Record<string, unknown>>(file);
  const imported = importedFrom(module);
  expect(imported).not.toEqual([]);
  expect(imported.filter((name) => !(name in standIn))).toEqual([]);
});

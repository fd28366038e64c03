/** The library's public names: held by a list, so that none comes, goes or changes its kind by accident. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadScript } from '../../../test/scripts/module.ts';

interface ExportListModule {
  exportList(): string;
  namesOf(file: string, read: (file: string) => string): Map<string, string>;
}
const { exportList, namesOf } = await loadScript<ExportListModule>('export-list.mjs');

const LIST = readFileSync(new URL('exports.txt', import.meta.url), 'utf8');

test('are those of the list; after a change that is meant, `npm run exports` writes it anew', () => {
  expect(exportList()).toBe(LIST);
});

/** Entries with their names that are there at run time. */
const entries = LIST.split(/^(?=\S)/m).map((block) => {
  const [name = '', ...rows] = block.trimEnd().split('\n');
  const values = rows.map((row) => row.trim().split(': ')).filter(([, kind]) => kind !== 'type');
  return { name, values: values as [string, string][] };
});

test.each(entries)('$name exports these values when it is loaded, and no other', async ({ name, values }) => {
  const loaded = (await import(/* @vite-ignore */ name)) as Record<string, unknown>;
  expect(values.map(([exported]) => exported).sort()).toEqual(Object.keys(loaded).sort());
  for (const [exported, kind] of values) expect([exported, kindOf(loaded[exported])]).toEqual([exported, kind]);
});

function kindOf(value: unknown): string {
  if (typeof value !== 'function') return 'const';
  return /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function';
}

describe('reading them', () => {
  const FILES: Readonly<Record<string, string>> = {
    'src/index.ts': `export type { A } from './a.ts';\nexport {\n  B,\n  type C,\n  d as e,\n} from './deep/b.ts';\nexport { f } from './a.ts';`,
    'src/a.ts': `// export const no = 1;\nexport class A {}\nexport async function f(): Promise<void> {}\nconst hidden = 1;`,
    'src/deep/b.ts': `export class B {}\nexport interface C {}\nexport const d = 1;\nexport * as more from './c.ts';`,
  };
  const read =
    (files = FILES) =>
    (file: string): string =>
      files[file] ?? '';

  test('follows each name to where it is declared', () => {
    const files = { ...FILES, 'src/deep/b.ts': FILES['src/deep/b.ts']?.replace(/\nexport \*.*/, '') ?? '' };
    expect(Object.fromEntries(namesOf('src/index.ts', read(files)))).toEqual({
      A: 'type',
      B: 'class',
      C: 'type',
      e: 'const',
      f: 'function',
    });
  });

  test('refuses what it does not read', () => {
    expect(() => namesOf('src/index.ts', read())).toThrow(/src\/deep\/b\.ts: exports are named one by one/);
    expect(() => namesOf('a.ts', () => `const a = 1;\nexport { a };`)).toThrow(/declared where they stand/);
    expect(() => namesOf('src/index.ts', read({ ...FILES, 'src/a.ts': '' }))).toThrow(/does not export A/);
  });
});

/** What is published: the checks of the tarball see what they are for. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { loadScript } from './module.ts';

interface ExportsModule {
  checkTarball(root: string, pkg: Record<string, unknown>): Promise<string>;
  wrongFiles(files: readonly string[]): string[];
}
const { checkTarball, wrongFiles } = await loadScript<ExportsModule>('checks/exports.mjs');
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = 'packages/binnacle';

test('files that nobody needs are told, and files that are missing', () => {
  const right = [
    'LICENSE',
    'NOTICE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/logs/line.js',
  ];
  const page = ['index.html', 'licenses.txt', 'assets/index-a1_B.js', 'assets/index-a1.css', 'assets/geist-a1.woff2'];
  const ofConsole = page.map((name) => `dist/console/${name}`);
  expect(wrongFiles([...right, ...ofConsole, 'dist/console/assets/icon-a1.svg'])).toEqual([]);
  const stray = [
    'dist/a.test.js',
    'dist/a.test-helper.d.ts',
    'dist/a.js.map',
    'dist/.build-stamp',
    'src/a.ts',
    'dist/index.html',
    'dist/console/a.map',
  ];
  expect(wrongFiles([...right, ...stray]).map((line) => line.split(' ')[1])).toEqual(stray);
  expect(wrongFiles(right.slice(2))).toEqual([
    `${PACKAGE}: LICENSE is not in the package`,
    `${PACKAGE}: NOTICE is not in the package`,
  ]);
});

describe('a package', () => {
  let root: string;
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** A small library in the place of ours. */
  async function troubles(files: Readonly<Record<string, string>>, fields: object = {}): Promise<string> {
    root = mkdtempSync(join(tmpdir(), 'binnacle-package-'));
    const pkg = {
      name: 'small',
      version: '1.0.0',
      type: 'module',
      license: 'Apache-2.0',
      sideEffects: false,
      files: ['dist', 'NOTICE'],
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      ...fields,
    };
    const all = {
      'package.json': JSON.stringify(pkg),
      'README.md': '# Small',
      NOTICE: 'Small',
      'dist/index.js': 'export const a = 1;',
      'dist/index.d.ts': 'export declare const a: number;',
      ...files,
    };
    for (const [name, text] of Object.entries(all)) {
      const path = join(root, PACKAGE, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    copyFileSync(join(ROOT, 'LICENSE'), join(root, PACKAGE, 'LICENSE'));
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'junction');
    return checkTarball(root, pkg);
  }

  test('that is right has none', async () => expect(await troubles({})).toBe(''));

  test('whose types are not found is told by attw', async () => {
    expect(await troubles({ 'dist/index.d.ts': `export { a } from './none.js';` })).toMatch(/^attw: /);
  });

  test('whose files do not fit its fields is told by publint', async () => {
    const fields = { exports: { '.': { types: './dist/index.d.ts', default: './dist/none.js' } } };
    expect(await troubles({}, fields)).toMatch(/^publint: error: /m);
  });
});

test('the license of the package is that of the repository', () => {
  expect(readFileSync(join(ROOT, PACKAGE, 'LICENSE'), 'utf8')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
});

const exampleOf = (file: string): string | undefined =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];

test('the example of the package is that of the repository', () => {
  expect(exampleOf(`${PACKAGE}/README.md`)).toBe(exampleOf('README.md'));
});

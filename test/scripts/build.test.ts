import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { builtWorkspace } from './workspace.ts';

const BOTH = 'Building packages/binnacle\nBuilding apps/fit-check\n';
const NOTHING = 'Nothing to build: the inputs are unchanged.\n';
const ANSWER = 'packages/binnacle/src/answer.ts';

test('builds in order, the library in one file, and skips what is unchanged', async () => {
  const workspace = builtWorkspace();
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0, stdout: '', stderr: BOTH });
  expect(workspace.read('packages/binnacle/dist/index.js')).toMatch(/answer = 42/);
  expect(readdirSync(join(workspace.root, 'packages/binnacle/dist')).sort()).toEqual([
    '.build-stamp',
    'answer.d.ts',
    'index.d.ts',
    'index.js',
  ]);
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0, stderr: NOTHING });
});

test('builds again what changed and what stands on it, and nothing for a test file', async () => {
  const workspace = builtWorkspace();
  await workspace.start('build.mjs').ended;
  workspace.write('apps/fit-check/src/other.ts', 'export const other = 1;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: 'Building apps/fit-check\n' });
  workspace.write('packages/binnacle/src/answer.test.ts', 'not even TypeScript');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: NOTHING });
  workspace.write(ANSWER, 'export const answer: number = 43;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: BOTH });
  rmSync(join(workspace.root, ANSWER));
  workspace.write('packages/binnacle/src/index.ts', 'export const answer: number = 44;\n');
  await workspace.start('build.mjs').ended;
  expect(existsSync(join(workspace.root, 'packages/binnacle/dist/answer.d.ts'))).toBe(false);
});

test('a type error is shown, and the old build stays as it was', async () => {
  const workspace = builtWorkspace();
  await workspace.start('build.mjs').ended;
  const before = workspace.read('packages/binnacle/dist/index.js');
  workspace.write(ANSWER, `export const answer: number = 'forty-two';\n`);
  const { status, stdout, stderr } = await workspace.start('build.mjs').ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/answer\.ts\(1,14\): error TS2322/);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^Could not build packages\/binnacle: correct what the compiler/);
  expect(workspace.read('packages/binnacle/dist/index.js')).toBe(before);
  expect(readdirSync(join(workspace.root, 'packages/binnacle')).sort()).toEqual([
    'dist',
    'package.json',
    'src',
    'tsconfig.json',
  ]);
});

test('what a build left that was cut short is removed', async () => {
  const workspace = builtWorkspace();
  workspace.write('packages/binnacle/dist.tmp-1/index.js', '');
  workspace.write('packages/binnacle/dist.old-1/index.js', '');
  await workspace.start('build.mjs').ended;
  expect(readdirSync(join(workspace.root, 'packages/binnacle')).sort()).toEqual([
    'dist',
    'package.json',
    'src',
    'tsconfig.json',
  ]);
});

test('what entries share is one file, and no dependency is taken in', async () => {
  const workspace = builtWorkspace();
  const target = (name: string) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  workspace.write(
    'packages/binnacle/package.json',
    JSON.stringify({
      name: 'binnacle',
      type: 'module',
      exports: { '.': target('index'), './adapters/a': target('adapters/a') },
      bin: { binnacle: './dist/cli/main.js' },
    }),
  );
  workspace.write(
    'packages/binnacle/src/adapters/a.ts',
    `import { parse } from 'yaml';\nexport { answer } from '../answer.ts';\nexport const yaml: unknown = parse;\n`,
  );
  workspace.write('packages/binnacle/src/yaml.d.ts', `declare module 'yaml' { export const parse: unknown; }\n`);
  workspace.write('packages/binnacle/src/cli/main.ts', `#!/usr/bin/env node\nexport {};\n`);
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0 });
  const adapter = workspace.read('packages/binnacle/dist/adapters/a.js');
  expect(adapter).toMatch(/import \{ parse \} from "yaml";/);
  const shared = /from "\.\.\/(shared-\w+\.js)"/.exec(adapter)?.[1];
  expect(workspace.read('packages/binnacle/dist/index.js')).toContain(`from "./${shared}"`);
  expect(workspace.read(`packages/binnacle/dist/${shared}`)).toMatch(/answer = 42/);
  expect(workspace.read('packages/binnacle/dist/cli/main.js').startsWith('#!/usr/bin/env node\n')).toBe(true);
  expect(existsSync(join(workspace.root, 'packages/binnacle/dist/answer.js'))).toBe(false);
  // Of declarations, what an entry's types lead to.
  const declarations = readdirSync(join(workspace.root, 'packages/binnacle/dist'), { recursive: true }).filter((name) =>
    String(name).endsWith('.d.ts'),
  );
  expect(declarations.sort()).toEqual(['adapters/a.d.ts', 'answer.d.ts', 'index.d.ts']);
});

test('a page and its files go beside the service, by names that hold their content', async () => {
  const workspace = builtWorkspace();
  const page = (name: string): string => `apps/fit-check/page/${name}`;
  workspace.write(
    page('index.html'),
    '<link rel="stylesheet" href="style.css">\n  <script src="main.ts"></script><a href="/">x</a>',
  );
  workspace.write(page('style.css'), 'body { color: light-dark(#000, #fff) }');
  workspace.write(page('main.ts'), `import { say } from '../client/index.ts';\nsay('one' satisfies string);\n`);
  workspace.write('apps/fit-check/client/index.ts', 'export const say = (text: string): void => void text;\n');
  const service = 'Building apps/fit-check\n';
  const built = (): string[] => readdirSync(join(workspace.root, 'apps/fit-check/dist/page/assets')).sort();
  expect(await workspace.start('build.mjs').ended).toMatchObject({ status: 0 });
  const [main = '', style = '', ...others] = built();
  expect(others).toEqual([]);
  expect([main, style].map((name) => name.replace(/-[0-9a-f]{10}\./, '.'))).toEqual(['main.js', 'style.css']);
  const html = workspace.read('apps/fit-check/dist/page/index.html');
  expect(html).toBe(
    `<link rel="stylesheet" href="/assets/${style}">\n<script src="/assets/${main}"></script><a href="/">x</a>`,
  );
  expect(workspace.read(`apps/fit-check/dist/page/assets/${main}`)).not.toMatch(/import|satisfies/);
  // What tests alone need is no input; the client is.
  workspace.write(page('test/look.ts'), 'not even TypeScript');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: NOTHING });
  workspace.write('apps/fit-check/client/index.ts', 'export const say = (text: string): string => text + text;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: service });
  expect(built()[1]).toBe(style);
  expect(built()[0]).not.toBe(main);
  // A page that cannot be built leaves the old one in place.
  workspace.write(page('main.ts'), `import 'node:fs';\nimport './missing.ts';\n`);
  const failed = await workspace.start('build.mjs').ended;
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('missing.ts');
  expect(failed.stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^Could not build apps\/fit-check: correct what the compiler/,
  );
  expect(workspace.read('apps/fit-check/dist/page/index.html')).toContain(built()[0]);
  expect(readdirSync(join(workspace.root, 'apps/fit-check')).filter((name) => name.startsWith('dist.'))).toEqual([]);
});

test("the console's page is built first, put beside the library's modules, and built again where it changed", async () => {
  const workspace = builtWorkspace();
  const repository = fileURLToPath(new URL('../../', import.meta.url));
  symlinkSync(join(repository, 'node_modules/vite'), join(workspace.root, 'node_modules/vite'));
  const source = (name: string): string => `apps/console/page/${name}`;
  workspace.write('apps/console/package.json', JSON.stringify({ name: 'binnacle-console', type: 'module' }));
  workspace.write(
    'apps/console/vite.config.ts',
    `export default { root: new URL('page', import.meta.url).pathname, base: './', build: { emptyOutDir: true } };\n`,
  );
  workspace.write(source('index.html'), '<script type="module" src="./main.ts"></script>');
  workspace.write(source('main.ts'), `document.title = process.env.NODE_ENV === 'production' ? 'live' : 'lab';\n`);
  const served = (): string[] =>
    readdirSync(join(workspace.root, 'packages/binnacle/dist/console'), { recursive: true }).map(String).sort();
  for (const NODE_ENV of ['development', undefined]) {
    rmSync(join(workspace.root, 'apps/console/dist'), { recursive: true, force: true });
    const env = NODE_ENV === undefined ? {} : { NODE_ENV };
    expect(await workspace.start('build.mjs', env).ended).toMatchObject({ status: 0 });
    expect(served().slice(-1)).toEqual(['index.html']);
    const script = served().find((name) => name.endsWith('.js'));
    expect(workspace.read(`packages/binnacle/dist/console/${script}`)).toMatch(/live/);
  }
  expect(served().some((name) => name.includes('stamp'))).toBe(false);
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: NOTHING });
  // The page stands on none of the library's code: a change of that leaves it as it is.
  workspace.write(ANSWER, 'export const answer: number = 43;\n');
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: BOTH });
  expect(served()).toContain('index.html');
  workspace.write(source('main.ts'), `document.title = 'other';\n`);
  expect(await workspace.start('build.mjs').ended).toMatchObject({ stderr: `Building apps/console\n${BOTH}` });
  // A page that cannot be built leaves all as it was.
  workspace.write(source('main.ts'), `import './missing.ts';\n`);
  const failed = await workspace.start('build.mjs').ended;
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('missing.ts');
  expect(failed.stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^Could not build apps\/console: correct what the compiler/,
  );
  expect(served()).toContain('index.html');
  expect(readdirSync(join(workspace.root, 'apps/console')).filter((name) => name.startsWith('dist.'))).toEqual([]);
});

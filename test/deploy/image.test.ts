import { describe, expect, test } from 'vitest';
import { loadScript } from '../scripts/module.ts';

type Variables = ReadonlyMap<string, string>;
interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly { readonly line: number; readonly keyword: string; readonly text: string }[];
}

const dockerfile = await loadScript<{
  readDockerfile(text: string): Stage[];
  readCopy(line: number, text: string): unknown;
  readRun(line: number, text: string): string[][];
  readExecForm(line: number, text: string): string[];
  readPairs(line: number, text: string, variables: Variables): [string, string][];
}>('image/dockerfile.mjs');
const { readIgnore } = await loadScript<{ readIgnore(text: string): (path: string) => boolean }>('image/context.mjs');
const { tryImage } = await loadScript<{ tryImage(options: { tell(line: string): void }): Promise<void> }>('image.mjs');

describe('the reader of Dockerfiles', () => {
  const { readDockerfile, readCopy, readRun, readExecForm, readPairs } = dockerfile;

  test('reads stages, with arguments of the whole, comments and lines that go on', () => {
    const text = `ARG NODE=node:1\n# a comment\nFROM \${NODE} AS a\nLABEL x=1 \\\n  # another\n  y=2\nFROM a:2 AS b\nUSER 1:1\n`;
    expect(readDockerfile(text)).toEqual([
      { name: 'a', image: 'node:1', steps: [{ line: 4, keyword: 'LABEL', text: 'x=1 y=2' }] },
      { name: 'b', image: 'a:2', steps: [{ line: 8, keyword: 'USER', text: '1:1' }] },
    ]);
  });

  test.each([
    ['an unknown instruction', 'FROM a AS b\nADD x y', /line 2: ADD is not among FROM/],
    ['a shell to be set', 'FROM a AS b\nSHELL ["x"]', /line 2: SHELL/],
    ['an unnamed stage', 'FROM a', /line 1: FROM is read as/],
    ['a platform', 'FROM --platform=x a AS b', /line 1: FROM is read as/],
    ['an unset argument', `FROM \${A} AS b`, /line 1: A is not set/],
    ['a step before a stage', 'RUN npm ci', /line 1: RUN before the first FROM/],
    ['a directive', '# escape=`\nFROM a AS b', /line 1: parser directives/],
    ['nothing', '# nothing', /no FROM/],
  ])('refuses %s', (_, text, why) => {
    expect(() => readDockerfile(text)).toThrow(why);
  });

  test('reads COPY, and refuses flags and wildcards that it does not know', () => {
    expect(readCopy(1, '--from=a --chown=1:2 x y z/')).toEqual({
      from: 'a',
      owner: '1:2',
      sources: ['x', 'y'],
      target: 'z/',
    });
    expect(() => readCopy(7, '--link x y')).toThrow(/line 7: COPY --link/);
    expect(() => readCopy(7, 'x*.json y/')).toThrow(/line 7: more than plain words/);
    expect(() => readCopy(7, 'x y z')).toThrow(/line 7: COPY of several sources/);
    expect(() => readCopy(7, 'x')).toThrow(/line 7: COPY needs/);
  });

  test('reads plain commands, and refuses what needs a shell', () => {
    expect(readRun(1, 'npm ci && npm run build')).toEqual([
      ['npm', 'ci'],
      ['npm', 'run', 'build'],
    ]);
    for (const text of ['a | b', 'a; b', 'a > b', 'a $HOME', 'a "b c"', 'a &', 'a $(b)', 'rm *', 'a && ']) {
      expect(() => readRun(3, text), text).toThrow(/line 3/);
    }
  });

  test('reads the exec form alone, and pairs with their variables', () => {
    expect(readExecForm(1, '["node", "x"]')).toEqual(['node', 'x']);
    for (const text of ['node x', '[]', '[1]', '{"a": 1}']) expect(() => readExecForm(5, text), text).toThrow(/line 5/);
    expect(readPairs(1, 'A=1 b.c="two words" D=', new Map())).toEqual([
      ['A', '1'],
      ['b.c', 'two words'],
      ['D', ''],
    ]);
    expect(readPairs(1, `A="x\${V}"`, new Map([['V', 'y']]))).toEqual([['A', 'xy']]);
    for (const text of ['A 1', "A='1'", 'A=$V', `A=\${V:-1}`])
      expect(() => readPairs(6, text, new Map())).toThrow(/line 6/);
  });
});

test('.dockerignore: the last line that names a path or a folder above it decides', () => {
  const ignores = readIgnore('# all\n*\n!a\n!b.json\n**/x.*\n');
  const paths = ['a/b', 'a/x.y', 'a/c/x.y', 'x.y', 'b.json', 'bxjson', 'c/a'];
  expect(paths.filter((path) => !ignores(path))).toEqual(['a/b', 'b.json']);
  expect(() => readIgnore('a/')).toThrow(/a\/ is not known/);
});

// It installs twice and builds once, some 30 s: CI does it, and `npm run image` whoever changes the image.
const why = ' (skipped: `npm run image` does it here)';
const skip = process.env.REQUIRE_SERVERS !== '1';
test.skipIf(skip)(
  `the image's steps, its rights, its start, one analysis, its end${skip ? why : ''}`,
  { timeout: 300_000 },
  async () => {
    const told: string[] = [];
    await tryImage({ tell: (line) => told.push(line) });
    expect(told.join('\n')).toMatch(
      /HEALTHCHECK succeeded.*\nOne analysis.*complete.*\nSIGTERM: exit status 0.*\nWritten outside \/data: nothing$/,
    );
  },
);

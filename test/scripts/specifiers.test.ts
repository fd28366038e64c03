import { expect, test } from 'vitest';
import { loadScript } from './module.ts';

interface Specifier {
  to: string;
  line: number;
  typeOnly: boolean;
}
const { readSpecifiers } = await loadScript<{ readSpecifiers(text: string): Specifier[] }>('specifiers.mjs');

const one = (text: string): string[] =>
  readSpecifiers(text).map(({ to, line, typeOnly }) => `${line} ${to}${typeOnly ? ' (type)' : ''}`);

test.each([
  [`import a from './a.ts';`, ['1 ./a.ts']],
  [`import './a.ts';`, ['1 ./a.ts']],
  [`import * as a from "./a.ts";`, ['1 ./a.ts']],
  [`\nimport {\n  a,\n  type B,\n} from './a.ts';`, ['2 ./a.ts']],
  [`import type { A } from './a.ts';`, ['1 ./a.ts (type)']],
  [`import type A from './a.ts';`, ['1 ./a.ts (type)']],
  [`import type * as A from './a.ts';`, ['1 ./a.ts (type)']],
  [`import type from './a.ts';`, ['1 ./a.ts']],
  [`import { type A } from './a.ts';`, ['1 ./a.ts']],
  [`export { a } from './a.ts';`, ['1 ./a.ts']],
  [`export * from './a.ts';`, ['1 ./a.ts']],
  [`export * as a from './a.ts';`, ['1 ./a.ts']],
  [`export type { A } from './a.ts';`, ['1 ./a.ts (type)']],
  [`const a = 1;\nexport { a };\nexport { b } from './b.ts';`, ['3 ./b.ts']],
  [`const a = await import('./a.ts');`, ['1 ./a.ts']],
  [`const a = b || import('./a.ts');`, ['1 ./a.ts']],
  [`const load = () =>\n  import('./a.ts');`, ['2 ./a.ts']],
  [`let a: import('./a.ts').A;`, ['1 ./a.ts (type)']],
  [`type A = typeof import('./a.ts');`, ['1 ./a.ts (type)']],
])('reads %j', (text, expected) => {
  expect(one(text)).toEqual(expected);
});

test.each([
  ['a comment', `/**\n * @example\n import { a } from './a.ts';\n */`],
  ['a line of comment', `// import('./a.ts')`],
  ['a string', `const a = "import('./a.ts')";`],
  ['a template', "const a = `\nimport { a } from './a.ts';\n`;"],
  ['a declaration before a string', `export const from = './a.ts';`],
  ['a type before a string', `export type A = { from: './a.ts' };`],
])('takes nothing from %s', (_name, text) => {
  expect(one(text)).toEqual([]);
});

test('goes on after regular expressions that hold quotes, slashes and backticks', () => {
  expect(one("const a = text.replace(/['\"`/*]/g, '');\nconst b = await import('./b.ts');")).toEqual(['2 ./b.ts']);
});

/** Examples as they are printed, made to run: what they leave to their reader is supplied, and nothing else changed. */
import { readFileSync } from 'node:fs';
import { transform } from 'esbuild';

/** The first block of TypeScript of a page that imports `module`. */
export function printedExample(page: URL, module: string): string {
  const blocks = readFileSync(page, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
  for (const [, code = ''] of blocks) if (code.includes(`from '${module}'`)) return code;
  throw new Error(`${page.pathname} has no example of ${module}`);
}

/** Lines that a user writes. */
export function linesOf(code: string): number {
  return code.split('\n').filter((line) => line.trim() !== '').length;
}

/** What the example calls and does not show; declarations, so that they may stand behind it. */
export const SUPPLIED = `
async function research() { return ['a fact']; }
async function answer(facts) { return { text: 'It fits: ' + facts.join() }; }
`;

/** At another port than the printed one, which may be taken here. */
export function atPort(code: string, port: number): string {
  const moved = code.replaceAll('8000', String(port));
  if (moved === code) throw new Error('the example listens on no port 8000');
  return moved;
}

/** A file of TypeScript as JavaScript: its types taken away, and decorators as frameworks take them. */
export async function withoutTypes(code: string): Promise<string> {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true, verbatimModuleSyntax: true } };
  return (await transform(code, { loader: 'ts', format: 'esm', target: 'node20', tsconfigRaw })).code;
}

const IMPORT = /^import (?:(?:(\w+)|(\{[^}]*\})) from )?(['"])([^'"]+)\3;$/gm;

/** The same code as CommonJS: each import is a `require`, and what awaits stands in a function. */
export function toCommonJs(code: string): string {
  const required = code.replace(
    IMPORT,
    (_whole, name: string | undefined, names: string | undefined, _quote, module: string) => {
      const what = name ?? names?.replaceAll(' as ', ': ');
      return `${what === undefined ? '' : `const ${what} = `}require('${module}');`;
    },
  );
  if (/^import\b/m.test(required)) throw new Error('an import is of no form that is known here');
  return `(async () => {\n${required}\n})();\n`;
}

/** Blocks of JavaScript of a page, by the heading (`##`) that they stand under. */
export function sectionsOf(page: URL): ReadonlyMap<string, readonly string[]> {
  const sections = readFileSync(page, 'utf8').split(/^## /m).slice(1);
  return new Map(
    sections.map((text) => [
      text.slice(0, text.indexOf('\n')),
      [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code),
    ]),
  );
}

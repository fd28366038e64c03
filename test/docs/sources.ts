/** What the tests of the docs read. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** The text of each source of the library's, without its tests. */
export function librarySources(): string[] {
  const folder = join(ROOT, 'packages/binnacle/src');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => /(?<!\.test|-helper)\.ts$/.test(path))
    .sort()
    .map((path) => readFileSync(join(folder, path), 'utf8'));
}

/** Pages whose blocks are looked at: the first page and all of docs/; the reference has none. */
export function guidePages(): string[] {
  const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...guides.sort().map((name) => `docs/${name}`)];
}

export interface Block {
  readonly page: string;
  /** Where it begins. */
  readonly line: number;
  /** After the fence; '' where nothing is said. */
  readonly language: string;
  readonly code: string;
}

/** All fenced blocks of a page. An unclosed fence throws. */
export function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; code: string[] } | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    const fence = /^ {0,3}```(.*)$/.exec(line);
    if (open === undefined) {
      if (fence !== null) open = { line: at + 1, language: (fence[1] ?? '').trim(), code: [] };
    } else if (fence !== null) {
      blocks.push({ page, line: open.line, language: open.language, code: `${open.code.join('\n')}\n` });
      open = undefined;
    } else open.code.push(line);
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block does not end`);
  return blocks;
}

/** A heading of a page, and the blocks below it. */
export interface Section {
  readonly page: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** The blocks of a page by the headings that they stand under, of any level. */
export function sectionsOf(page: string, text: string): Section[] {
  const blocks = blocksOf(page, text);
  const lines = text.split('\n');
  const isWithin = (line: number): boolean =>
    blocks.some((block) => line > block.line && line < block.line + block.code.split('\n').length);
  const heads = lines.flatMap((line, at) => (/^#{1,6} /.test(line) && !isWithin(at + 1) ? [at + 1] : []));
  return heads.map((line, at) => ({
    page,
    title: (lines[line - 1] ?? '').replace(/^#+ /, ''),
    blocks: blocks.filter((block) => block.line > line && block.line < (heads[at + 1] ?? Number.POSITIVE_INFINITY)),
  }));
}

/** Assignments before a command: `A=1 B=2 node server.js`. */
export function environmentOf(code: string): Record<string, string> {
  const command = code.replaceAll('\\\n', ' ').replace(/\s#.*$/m, '');
  return Object.fromEntries(
    [...command.matchAll(/(?:^|\s)([A-Z][A-Z0-9_]*)=("[^"]*"|\S*)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** A folder within the workspace, whose packages what lies in it may import; removed after `work`. */
export async function within<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.cache', 'blocks-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Pages that a test of their own runs, block by block. */
export const RUN_WHOLE: readonly string[] = [
  'docs/migration.md',
  'docs/getting-started.md',
  'docs/console-standalone.md',
];

/** Pages whose commands are run one after the other, and compared with what is printed, by `run-blocks.test.ts`. */
export const WALKED: readonly string[] = ['docs/faq.md', 'docs/operations.md', 'docs/seeds.md'];

/** The blocks of all pages. */
export function allBlocks(): Block[] {
  return guidePages().flatMap((page) => blocksOf(page, readFileSync(join(ROOT, page), 'utf8')));
}

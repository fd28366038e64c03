/** What the tests of the docs read. */
import { readdirSync, readFileSync } from 'node:fs';
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

/** The blocks of all pages. */
export function allBlocks(): Block[] {
  return guidePages().flatMap((page) => blocksOf(page, readFileSync(join(ROOT, page), 'utf8')));
}

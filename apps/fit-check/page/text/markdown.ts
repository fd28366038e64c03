/** The small part of Markdown that verdicts use, as plain data; all else stays the text that it is. */
import { plain } from './plain.ts';

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'strong' | 'em'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string }
  /** What the text rests on, by id. */
  | { readonly kind: 'cite'; readonly id: string };

export type Block =
  | { readonly kind: 'heading' | 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[] };

/** None of these patterns looks further than its own end mark or 500 characters, so that no text makes them slow. */
const MARKS = /\*\*([^*\n]{1,500})\*\*|\*([^*\s\n](?:[^*\n]{0,499})?)\*|`([^`\n]{1,500})`|\[([^[\]\n]{3,300})\]/g;
const ID = /^[a-z]{1,20}:[\p{L}\p{N}._-]{1,120}$/u;
const HEADING = /^#{1,6}[ \t]+(.*)$/;
const BOLD_LINE = /^\*\*([^*\n]{1,120})\*\*:?$/;
const ITEM = /^[ \t]{0,8}(?:([-*•])|(\d{1,3})[.)])[ \t]+(.*)$/;

/** Reads a piece of Markdown between blank lines. */
export function readBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let list: { ordered: boolean; items: string[] } | undefined;
  const endParagraph = (): void => {
    if (lines.length > 0) blocks.push({ kind: 'paragraph', children: readInlines(lines.join('\n')) });
    lines = [];
  };
  const endList = (): void => {
    if (list !== undefined)
      blocks.push({ kind: 'list', ordered: list.ordered, items: list.items.map((item) => readInlines(item)) });
    list = undefined;
  };
  for (const line of plain(text, text.length).split('\n')) {
    const item = ITEM.exec(line);
    const heading = HEADING.exec(line) ?? BOLD_LINE.exec(line.trim());
    if (item !== null) {
      endParagraph();
      const ordered = item[2] !== undefined;
      if (list?.ordered !== ordered) endList();
      list ??= { ordered, items: [] };
      list.items.push(item[3] ?? '');
    } else if (heading !== null || line.trim() === '') {
      endParagraph();
      endList();
      if (heading !== null) blocks.push({ kind: 'heading', children: readInlines(heading[1] ?? '') });
    } else if (list !== undefined && /^[ \t]{2,}/.test(line)) list.items[list.items.length - 1] += ` ${line.trim()}`;
    else {
      endList();
      lines.push(line.trim());
    }
  }
  endParagraph();
  endList();
  return blocks;
}

/** Reads what stands within a line. */
export function readInlines(text: string, nested = false): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  const say = (words: string): void => {
    if (words !== '') found.push({ kind: 'text', text: words });
  };
  for (const match of text.matchAll(MARKS)) {
    const [whole, strong, em, code, cited] = match;
    const inlines = toInlines({ strong, em, code, cited }, nested);
    if (inlines === undefined) continue;
    say(text.slice(from, match.index));
    found.push(...inlines);
    from = match.index + whole.length;
  }
  say(text.slice(from));
  return found;
}

interface Marked {
  readonly strong: string | undefined;
  readonly em: string | undefined;
  readonly code: string | undefined;
  readonly cited: string | undefined;
}

/** Undefined for what is no mark after all. */
function toInlines({ strong, em, code, cited }: Marked, nested: boolean): Inline[] | undefined {
  if (code !== undefined) return [{ kind: 'code', text: code }];
  if (cited !== undefined) return citations(cited);
  if (nested) return undefined;
  if (strong !== undefined) return [{ kind: 'strong', children: readInlines(strong, true) }];
  return em === undefined ? undefined : [{ kind: 'em', children: readInlines(em, true) }];
}

/** `work:1, query:1` as two; undefined where nothing of it is an id. */
function citations(inside: string): Inline[] | undefined {
  const parts = inside.split(/[,;\s]+/).filter((part) => part !== '');
  if (parts.length === 0 || !parts.every((part) => ID.test(part))) return undefined;
  return parts.map((id) => ({ kind: 'cite', id }));
}

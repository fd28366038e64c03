/** A page that is walked: its blocks by section, its diffs applied, its output compared. */
import { readFileSync } from 'node:fs';

export interface Block {
  /** `sh`, `js`, `ts`, `diff`, `text`, `json`. */
  readonly language: string;
  readonly text: string;
}

/** The blocks of a page, by the heading (`##`) that they stand under. */
export function blocksOf(page: URL): ReadonlyMap<string, readonly Block[]> {
  const sections = readFileSync(page, 'utf8').split(/^## /m).slice(1);
  return new Map(
    sections.map((text) => [
      text.slice(0, text.indexOf('\n')),
      [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
        language,
        text: code,
      })),
    ]),
  );
}

/** The text that a diff over a whole file makes of it. Throws where the file is not the one that the diff is of. */
export function applyWhole(diff: string, file: string): string {
  const lines = diff.split('\n').slice(0, -1);
  const odd = lines.find((line) => !/^([-+ ]|$)/.test(line));
  if (odd !== undefined) throw new Error(`a line of the diff has no sign: ${odd}`);
  const side = (signs: string): string =>
    lines
      .filter((line) => signs.includes(line[0] ?? ' '))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  if (side(' -') !== file) throw new Error(`the diff is of another file:\n${side(' -')}`);
  return side(' +');
}

/** Whether output is what is printed: `…` stands for anything, and numbers and ids of traces differ from run to run. */
export function isAsPrinted(printed: string, output: string): boolean {
  const pattern = printed
    .trim()
    .split(/(…|\b[0-9a-f]{32}\b|\d+(?:\.\d+)?)/)
    .map((part, index) => {
      if (index % 2 === 0) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      if (part === '…') return '.*';
      return part.length === 32 ? '[0-9a-f]{32}' : '\\d+(?:\\.\\d+)?';
    })
    .join('');
  return new RegExp(`^${pattern}$`).test(output.trim());
}

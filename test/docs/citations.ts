/** Tests that pages name, and the names that tests have. */

export interface Citation {
  /** The test's file, from the repository's root. */
  readonly file: string;
  /** Its title, as the file has it: `%s` of a table of cases stays. */
  readonly title: string;
}

/** A row of a table of docs/seeds.md. */
export interface Row {
  /** Where it stands, from 1. */
  readonly line: number;
  readonly asked: string;
  /** Files that do it. */
  readonly files: readonly string[];
  readonly shownBy: readonly Citation[];
}

/** `file` in code, a blank, and the title. A text of another form throws. */
function citationOf(text: string): Citation {
  const match = /^`([^`]+)` (\S.*)$/.exec(text.trim());
  if (match === null) throw new Error(`this names no test: ${text}`);
  return { file: match[1] ?? '', title: match[2] ?? '' };
}

/** The rows of all tables that end in a column of tests. */
export function rowsOf(page: string): Row[] {
  const rows: Row[] = [];
  let within = false;
  for (const [at, text] of page.split('\n').entries()) {
    if (!text.startsWith('|')) within = false;
    else if (text.endsWith(' shown by |')) within = true;
    else if (within && !/^\|(?:-+\|)+$/.test(text)) rows.push(rowOf(text, at + 1));
  }
  return rows;
}

function rowOf(text: string, line: number): Row {
  const cells = text.slice(1, -1).split(/(?<!\\)\|/);
  const [asked = '', here = '', files = '', shownBy = ''] = cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
  if (cells.length !== 4 || [asked, here, files, shownBy].includes(''))
    throw new Error(`line ${line} has not the four cells of a row: ${text}`);
  return {
    line,
    asked,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    shownBy: shownBy.split('<br>').map(citationOf),
  };
}

/** What a page names in comments: `<!-- shown by: … -->`. */
export function commentsOf(page: string): Citation[] {
  return [...page.matchAll(/<!-- shown by: (.*?) -->/g)].map(([, text = '']) => citationOf(text));
}

/** `test('…',`, `it.each(…)('…',`: not those that are skipped or yet to be written. */
const TITLE =
  /(?:(?<![\w.])(?:test|it|describe)(?:\.(?!skip\b|todo\b)\w+)*|\))\(\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`),/g;

/** The titles of the tests in a file's text. */
export function titlesOf(source: string): ReadonlySet<string> {
  const code = source.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  const titles = [...code.matchAll(TITLE)].map(([, single, double, template]) => single ?? double ?? template ?? '');
  return new Set(titles.map((title) => title.replaceAll(/\\(.)/g, '$1')));
}

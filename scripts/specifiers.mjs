/**
 * @typedef {object} Specifier
 * @property {string} to what is imported, as written
 * @property {number} line where its statement begins, from 1
 * @property {boolean} typeOnly `import type …`, `export type …` or a type's `import('…')`: nothing is left of it at run
 *   time. `import { type A }` is no such thing: under `verbatimModuleSyntax` the module is still loaded
 * @property {boolean} dynamic an `import()`, which loads when it is reached
 */

// Comments, strings, templates and regular expressions, so that nothing within them passes for an import.
const COMMENT = String.raw`\/\*[\s\S]*?\*\/|\/\/[^\n]*`;
const STRING = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
const TEMPLATE = String.raw`\x60(?:\\[\s\S]|[^\x60\\])*\x60`;
const REGEXP = String.raw`(?<=(?:[(,=:[!&|?{};\n]|\breturn)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`;
const OPAQUE = new RegExp(`${COMMENT}|(${STRING})|${TEMPLATE}|${REGEXP}`, 'g');

// In blanked text a string is its quotes around blanks, as long as it was: its text is read from the original.
const QUOTED = String.raw`(['"]) *\k<quote>`.replace('(', '(?<quote>');
const STATEMENT = new RegExp(
  String.raw`^[ \t]*(?:import|export)\b(?<clause>[\w$*{},\s]*?\bfrom\s*|\s*)(?<text>${QUOTED})`,
  'gm',
);
const DYNAMIC = new RegExp(
  String.raw`(?<before>[:<]|(?<![|&])[|&]|\btypeof)?\s*\bimport\s*\(\s*(?<text>${QUOTED})`,
  'g',
);

/**
 * Every module that a TypeScript file names in `import`, `export … from` and `import()`, in the order of its lines.
 * @param {string} text
 * @returns {Specifier[]}
 */
export function readSpecifiers(text) {
  const blanked = text.replace(OPAQUE, (found, string) => {
    if (string === undefined) return blank(found);
    return `${found[0]}${blank(found.slice(1, -1))}${found[0]}`;
  });
  const statements = [...blanked.matchAll(STATEMENT)].map((match) => {
    const typeOnly = /^\s+type\b(?!\s*(?:,|from\b))/.test(match.groups?.clause ?? '');
    return toSpecifier(text, match, typeOnly, false);
  });
  const dynamic = [...blanked.matchAll(DYNAMIC)].map((match) => {
    const typeOnly = match.groups?.before !== undefined;
    return toSpecifier(text, match, typeOnly, !typeOnly);
  });
  return [...statements, ...dynamic].sort((a, b) => a.line - b.line);
}

/** @param {string} text */
function blank(text) {
  return text.replace(/[^\n]/g, ' ');
}

/**
 * @param {string} text
 * @param {RegExpExecArray} match its last part is the quoted text
 * @param {boolean} typeOnly
 * @param {boolean} dynamic
 * @returns {Specifier}
 */
function toSpecifier(text, match, typeOnly, dynamic) {
  const end = match.index + match[0].length;
  const start = end - (match.groups?.text ?? '').length;
  const statement = match.index + match[0].search(/\S/);
  const line = text.slice(0, statement).split('\n').length;
  return { to: text.slice(start + 1, end - 1), line, typeOnly, dynamic };
}

// `npm run exports`: writes down every public name of the library. A test holds the list against the code, so that no
// name comes, goes or changes its kind by accident.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ROOT } from './root.mjs';
import { isMain, say } from './step.mjs';

const LIBRARY = 'packages/binnacle';
export const LIST = `${LIBRARY}/test/exports.txt`;

/** @typedef {'class' | 'const' | 'function' | 'type'} Kind */

const DECLARATION =
  /^export (?:declare )?(?:async )?(?:abstract )?(class|const|function\*?|interface|type) ([A-Za-z_$][\w$]*)/gm;
const REEXPORT = /^export (type )?\{([^}]*)\}(?: from '([^']+)')?;/gm;
/** What the two above do not read: it would leave the list short without a word. */
const UNREAD = /^export (?:\*|default|enum|let|var|namespace|=).*/m;

/**
 * Every name of every entry with its kind, entry by entry, sorted.
 * @param {string} [root]
 */
export function exportList(root = ROOT) {
  const { name, exports } = JSON.parse(readFileSync(join(root, LIBRARY, 'package.json'), 'utf8'));
  const entries = Object.entries(/** @type {Record<string, string | { types: string }>} */ (exports));
  return entries
    .flatMap(([path, target]) => {
      if (typeof target === 'string') return [];
      const source = target.types.replace('./dist/', `${LIBRARY}/src/`).replace(/\.d\.ts$/, '.ts');
      const read = (/** @type {string} */ file) => readFileSync(join(root, file), 'utf8');
      const names = [...namesOf(source, read)].map(([exported, kind]) => `  ${exported}: ${kind}\n`);
      return [`${name}${path.slice(1)}\n${names.sort().join('')}`];
    })
    .join('');
}

/**
 * The names that a source file exports, with what they are.
 * @param {string} file
 * @param {(file: string) => string} read
 * @returns {Map<string, Kind>}
 */
export function namesOf(file, read) {
  const text = read(file);
  const unread = UNREAD.exec(text);
  if (unread !== null) throw new Error(`${file}: exports are named one by one, not as in: ${unread[0]}`);
  /** @type {Map<string, Kind>} */
  const names = new Map();
  for (const [, word = '', name = ''] of text.matchAll(DECLARATION)) names.set(name, toKind(word));
  for (const [, typeOnly, list = '', from] of text.matchAll(REEXPORT)) {
    if (from === undefined) throw new Error(`${file}: exports are declared where they stand, or named with their file`);
    const there = namesOf(posix.join(posix.dirname(file), from), read);
    for (const item of list.split(',').map((part) => part.trim().replace(/\s+/g, ' '))) {
      if (item === '') continue;
      const [original = '', exported = original] = item.replace(/^type /, '').split(' as ');
      const kind = there.get(original);
      if (kind === undefined) throw new Error(`${file}: ${from} does not export ${original}`);
      names.set(exported, typeOnly !== undefined || item.startsWith('type ') ? 'type' : kind);
    }
  }
  return names;
}

/**
 * @param {string} word
 * @returns {Kind}
 */
function toKind(word) {
  if (word === 'class' || word === 'const') return word;
  return word.startsWith('function') ? 'function' : 'type';
}

if (isMain(import.meta.url)) {
  writeFileSync(join(ROOT, LIST), exportList());
  say(`Wrote ${LIST}`);
}

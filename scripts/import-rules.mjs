import { posix } from 'node:path';
import { findCycles } from './import-cycles.mjs';
import { isFrameworkOf, isOutside } from './import-packages.mjs';
import { readSpecifiers } from './specifiers.mjs';

/**
 * The import rules of packages/binnacle/src (ARCHITECTURE.md), so that what happens is told once and any signal can be
 * exchanged. Tests stand outside: they may reach for whatever proves their point.
 *
 * @typedef {object} Import
 * @property {string} from the importing file, below src
 * @property {number} line
 * @property {string} specifier as written
 * @property {boolean} typeOnly
 * @property {boolean} dynamic
 * @property {string | undefined} to the imported file below src, or undefined for a package
 */

const SOURCE = 'packages/binnacle/src/';
const GROUND = /^(context|settings|catalogue|faults|signals)(-[\w-]+)?\.ts$/;
const SIGNALS = new Set(['metrics', 'logs', 'traces', 'health']);
const SUBJECTS = new Set(['http', 'ai', 'work', 'drivers']);
/** What knows every room. The rest of the library is handed what it needs. */
const ROOT_FILES = /^(observe|index)\.ts$|^observe\//;

/**
 * Every import that breaks a rule, as one line of advice.
 * @param {ReadonlyMap<string, string>} files text by path from the workspace's root
 * @returns {string[]}
 */
export function brokenImports(files) {
  const imports = readImports(files);
  const ground = findGround(imports);
  const broken = imports.flatMap((found) => {
    const why = whyNot(found, ground, imports);
    return why === undefined ? [] : [`${SOURCE}${found.from}:${found.line} imports ${found.specifier}: ${why}`];
  });
  return [...broken, ...cyclesOf(imports)];
}

/** @param {Import[]} imports */
function cyclesOf(imports) {
  return findCycles(imports.filter(({ typeOnly }) => !typeOnly)).map((cycle) => {
    const [{ from, line, specifier } = { from: '', line: 0, specifier: '' }] = cycle;
    const round = [...cycle.map((edge) => edge.from), from].join(' -> ');
    const advice = 'move what they share into a file of its own, or take the type alone by `import type`';
    return `${SOURCE}${from}:${line} imports ${specifier}: a circle (${round}); ${advice}`;
  });
}

/**
 * @param {ReadonlyMap<string, string>} files
 * @returns {Import[]}
 */
function readImports(files) {
  return [...files].flatMap(([path, text]) => {
    if (!path.startsWith(SOURCE) || !path.endsWith('.ts') || /\.test(-helper)?\.ts$/.test(path)) return [];
    const from = path.slice(SOURCE.length);
    return readSpecifiers(text).map(({ to, line, typeOnly, dynamic }) => {
      return { from, line, specifier: to, typeOnly, dynamic, to: resolve(from, to) };
    });
  });
}

/**
 * @param {string} from
 * @param {string} specifier
 */
function resolve(from, specifier) {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
  // The library by its own name is the index by another road.
  return /^binnacle(\/|$)/.test(specifier) ? 'index.ts' : undefined;
}

/**
 * The files under everything: the named ones and what they import beside them (`duration.ts` for `settings.ts`).
 * @param {Import[]} imports
 */
function findGround(imports) {
  const ground = new Set(imports.map(({ from }) => from).filter((file) => GROUND.test(file)));
  for (const file of ground) {
    for (const { from, to } of imports) {
      if (from === file && to !== undefined && !to.includes('/') && !ROOT_FILES.test(to)) ground.add(to);
    }
  }
  return ground;
}

/**
 * The room that a file stands in, `root` for what knows every room, or undefined for a file beside the rooms.
 * @param {string} file
 */
function roomOf(file) {
  if (ROOT_FILES.test(file)) return 'root';
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined;
}

/**
 * @param {Import} found
 * @param {ReadonlySet<string>} ground
 * @param {Import[]} imports
 * @returns {string | undefined} why it is not right, and what to do instead
 */
function whyNot(found, ground, imports) {
  const own = roomOf(found.from);
  if (own === 'cli') return whyNotInCommand(found);
  if (found.to?.startsWith('cli/')) return 'the command line stands above the library; nothing imports it';
  if (own !== 'testing' && found.to?.startsWith('testing/'))
    return 'testing stands above the library, for its users; nothing imports it';
  if (own !== 'console' && found.to?.startsWith('console/')) return whyNotTheConsole(found, own);
  if (own === 'root') return undefined;
  if (own === 'adapters') return whyNotInAdapter(found);
  if (own === 'console') return whyNotInConsole(found);
  if (ground.has(found.from)) return whyNotInGround(found);
  if (own !== undefined && SIGNALS.has(own)) return whyNotInSignal(found, own);
  if (own !== undefined && SUBJECTS.has(own)) return whyNotInSubject(found, own);
  return own === undefined ? whyNotBeside(found, imports) : whyNotInRoom(found, own);
}

/** @param {Import} found */
function whyNotInGround({ from, to, typeOnly }) {
  const room = to === undefined ? undefined : roomOf(to);
  if (room === 'root') return `${from} stands under every room; what it needs of observe belongs in a file beside it`;
  if (room !== undefined) {
    return `${from} stands under every room and imports none; move what both need beside it, or let observe.ts hand it in`;
  }
  if (from === 'signals.ts' && !typeOnly) {
    return 'signals.ts holds types alone; write `import type`, or move the code to where it is used';
  }
  return undefined;
}

/**
 * @param {Import} found
 * @param {string} own
 */
function whyNotInSignal({ to }, own) {
  const room = to === undefined ? undefined : roomOf(to);
  if (room === undefined || room === own) return undefined;
  if (SIGNALS.has(room))
    return `${own} and ${room} are signals and do not know each other; share it through context.ts`;
  if (room === 'root') return `${own} is a signal and knows no other room; let observe.ts hand in what it needs`;
  return `${own} is a signal and ${room} tells it, not the other way round; say it in signals.ts, or let observe.ts hand it in`;
}

/**
 * @param {Import} found
 * @param {string} own
 */
function whyNotInSubject({ to, specifier }, own) {
  if (to === undefined) {
    if (!isOutside(specifier)) return undefined;
    return `${own} is a subject and knows no exporter or framework; tell it through signals.ts, or put it into an adapter`;
  }
  const room = roomOf(to);
  if (room === undefined || room === own) return undefined;
  if (SIGNALS.has(room)) return `${own} is a subject and tells signals only through signals.ts, types too`;
  if (SUBJECTS.has(room))
    return `${own} and ${room} are subjects and do not know each other; what they share is in context.ts`;
  return `${own} is a subject and stands below ${room === 'root' ? 'observe.ts' : room}; let observe.ts hand in what it needs`;
}

/** @param {Import} found */
function whyNotInAdapter({ from, to, specifier, typeOnly }) {
  const adapter = from.split('/')[1]?.replace(/\.ts$/, '') ?? '';
  if (to === undefined) {
    if (specifier.startsWith('node:') || isFrameworkOf(adapter, specifier)) return undefined;
    return `an adapter imports its framework alone; put the rest into http/`;
  }
  if (to.startsWith('http/') || to.startsWith(`adapters/${adapter}/`)) return undefined;
  if (ROOT_FILES.test(to)) {
    return typeOnly ? undefined : 'an adapter is handed what observe returns; take its type by `import type`';
  }
  return 'an adapter imports http/, the type of what observe returns and its framework; reach the rest through http/';
}

/**
 * The command line looks at a project without running any of it, the library included.
 * @param {Import} found
 */
function whyNotInCommand({ to }) {
  const room = to === undefined ? undefined : roomOf(to);
  if (room === undefined || room === 'cli' || room === 'drivers' || room === 'console') return undefined;
  return 'cli imports the files beside the rooms, drivers/ for what can be observed, and console/; nothing else';
}

/**
 * The console is an exit: signals are handed to it.
 * @param {Import} found
 */
function whyNotInConsole({ from, to, typeOnly }) {
  const room = to === undefined ? undefined : roomOf(to);
  if (room === undefined || room === 'console' || (SIGNALS.has(room) && typeOnly)) return undefined;
  return `console imports the files beside the rooms, and types of signals; let observe.ts hand in what ${from} needs`;
}

/**
 * A service without a console loads nothing of it.
 * @param {Import} found
 * @param {string | undefined} own
 */
function whyNotTheConsole({ typeOnly, dynamic }, own) {
  if (own !== 'root') return 'only observe/ knows the console, and the command line';
  if (typeOnly || dynamic) return undefined;
  return 'the console is loaded where it is on; reach it by `import()`, or take the type alone by `import type`';
}

/**
 * Rooms without rules of their own keep to themselves; `testing` is put together by what knows every room.
 * @param {Import} found
 * @param {string} own
 */
function whyNotInRoom({ from, to }, own) {
  const room = to === undefined ? undefined : roomOf(to);
  if (room === undefined || room === own || (own === 'testing' && room === 'root')) return undefined;
  return `only observe.ts knows more than one room; let it hand in what ${from} needs`;
}

/**
 * A file beside the rooms may know one of them.
 * @param {Import} found
 * @param {Import[]} imports
 */
function whyNotBeside({ from, to }, imports) {
  const rooms = imports.filter((other) => other.from === from).map((other) => other.to && roomOf(other.to));
  const room = to && roomOf(to);
  if (room === undefined) return undefined;
  if (room === 'root') return `only what observe.ts builds may be handed down; let it hand in what ${from} needs`;
  if (room === rooms.find((first) => first !== undefined && first !== 'root')) return undefined;
  return `only observe.ts knows more than one room; let it hand in what ${from} needs, or split the file by rooms`;
}

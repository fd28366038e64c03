/** Who wrote a line: module, function and line number, from a captured stack. Costs some 10 µs a line; off by default. */

/** Where a line was written. */
export interface Caller {
  /** The file's name without folder and ending, as the guide's `module`. */
  readonly module: string;
  readonly function: string;
  readonly line: number;
}

/** A function of the stack. */
export type Entry = (...args: never[]) => unknown;

const FRAME: RegExp = /^\s*at (?:(.*?) \()?((?:file:\/\/)?[^()]*?):(\d+):\d+\)?$/;
const FOREIGN: RegExp = /[\\/]node_modules[\\/]pino[\\/]|^node:/;
/** Frames looked through: pino's and ours are a handful. */
const FRAMES = 12;

/**
 * The caller above the first of `entries` (functions) that is on the stack, leaving out pino and Node's internals.
 *
 * Binnacle's own frames are known by their functions, not by their file: in a bundle the service's code is in the same.
 */
export function findCaller(entries: readonly Entry[]): Caller | undefined {
  const limit = Error.stackTraceLimit;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = FRAMES;
  for (const entry of entries) {
    Error.captureStackTrace(holder, entry);
    // An entry that is not on the stack, since somebody wrapped it, leaves nothing of it.
    if (String(holder.stack).includes('\n')) break;
  }
  Error.stackTraceLimit = limit;
  // Somebody's own Error.prepareStackTrace may give anything.
  return typeof holder.stack === 'string' ? parseCaller(holder.stack) : undefined;
}

/** The first frame of a stack's text that is neither pino's nor Node's. */
export function parseCaller(stack: string): Caller | undefined {
  for (const text of stack.split('\n')) {
    const frame = FRAME.exec(text);
    if (frame === null) continue;
    const [, name = '', file = '', line = ''] = frame;
    if (file === '' || FOREIGN.test(file)) continue;
    return { module: moduleOf(file), function: functionOf(name), line: Number(line) };
  }
  return undefined;
}

function moduleOf(file: string): string {
  const base = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  const bare = base.replace(/[?#].*$/, '');
  const dot = bare.lastIndexOf('.');
  return dot > 0 ? bare.slice(0, dot) : bare;
}

function functionOf(name: string): string {
  const bare = name.replace(/^async /, '').replace(/ \[as .*\]$/, '');
  return bare === '' ? '<anonymous>' : bare;
}

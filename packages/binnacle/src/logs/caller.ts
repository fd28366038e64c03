/** Who wrote a line: module, function and line number, from a captured stack. Costs some 10 µs a line; off by default. */

/** Where a line was written. */
export interface Caller {
  /** The file's name without folder and ending, as the guide's `module`. */
  readonly module: string;
  readonly function: string;
  readonly line: number;
}

const FRAME: RegExp = /^\s*at (?:(.*?) \()?((?:file:\/\/)?[^()]*?):(\d+):\d+\)?$/;
const FOREIGN: RegExp = /[\\/]node_modules[\\/]pino[\\/]|^node:/;
/** Frames looked through: pino's and ours are a handful. */
const FRAMES = 12;

/** The caller above `entry` (a function of the stack), leaving out pino, Node's internals and `ownFiles`. */
export function findCaller(entry: (...args: never[]) => unknown, ownFiles: readonly string[]): Caller | undefined {
  const limit = Error.stackTraceLimit;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(holder, entry);
  // An entry that is not on the stack, since somebody wrapped it, leaves nothing of it.
  if (!String(holder.stack).includes('\n')) Error.captureStackTrace(holder, findCaller);
  Error.stackTraceLimit = limit;
  // Somebody's own Error.prepareStackTrace may give anything.
  return typeof holder.stack === 'string' ? parseCaller(holder.stack, ownFiles) : undefined;
}

/** The first frame of a stack's text that is neither pino's, Node's nor of `ownFiles`. */
export function parseCaller(stack: string, ownFiles: readonly string[]): Caller | undefined {
  for (const text of stack.split('\n')) {
    const frame = FRAME.exec(text);
    if (frame === null) continue;
    const [, name = '', file = '', line = ''] = frame;
    if (file === '' || FOREIGN.test(file) || ownFiles.some((own) => own.endsWith(file))) continue;
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

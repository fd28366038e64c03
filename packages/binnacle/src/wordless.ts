/**
 * An error without its words. They may hold what somebody asked, what a model answered, or a value of a database: the
 * lines that Binnacle writes by itself tell what an error is and where it came from; what it says is its host's to log.
 */

/** Goes into a line as its `exception`. */
export interface Wordless {
  readonly type: string;
  readonly code?: string;
  /** Its frames, below its type. */
  readonly stack?: string;
  readonly cause?: Wordless;
}

/** Causes are followed this deep. */
const CAUSE_DEPTH = 5;
/** Names of classes and codes; what has a blank in it is a sentence. */
const WORD = /^[A-Za-z_$][\w$.-]{0,63}$/;
const FRAME = /^ {4}at \S/;

/** Describes whatever was thrown. Never throws. */
export function wordless(thrown: unknown, depth = 0): Wordless {
  try {
    return describe(thrown, depth);
  } catch {
    // A getter that throws, or a proxy.
    return { type: 'unknown' };
  }
}

function describe(thrown: unknown, depth: number): Wordless {
  if (typeof thrown !== 'object' || thrown === null) return { type: thrown === null ? 'null' : typeof thrown };
  const { name, message, stack, code, cause, constructor: maker } = thrown as Readonly<Record<string, unknown>>;
  const type = [name === 'Error' ? undefined : name, typeof maker === 'function' ? maker.name : undefined, name].find(
    isWord,
  );
  const frames = typeof stack === 'string' ? framesOf(stack, message) : '';
  return {
    type: type ?? 'Error',
    ...(isWord(code) && { code }),
    ...(frames !== '' && { stack: `${type ?? 'Error'}\n${frames}` }),
    ...(cause !== undefined && cause !== null && depth < CAUSE_DEPTH && { cause: wordless(cause, depth + 1) }),
  };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value);
}

/** The frames stand behind the message, which may itself hold another error's. */
function framesOf(stack: string, message: unknown): string {
  const at = typeof message === 'string' ? stack.indexOf(message) : -1;
  const lines = (at === -1 ? stack : stack.slice(at + String(message).length)).split('\n');
  const first = lines.findLastIndex((line) => !FRAME.test(line)) + 1;
  return lines.slice(first).join('\n');
}

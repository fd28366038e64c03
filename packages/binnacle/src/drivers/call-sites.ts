/** Who is running: the functions on the stack, where nothing else tells. */

/** Gives what `read` makes of the functions above `entry`, or nothing where it cannot be known. */
export function readCallSites<T>(
  entry: (...args: never[]) => unknown,
  frames: number,
  read: (sites: readonly NodeJS.CallSite[]) => T,
): T | undefined {
  try {
    return capture(entry, frames, read);
  } catch {
    // A host may have frozen `Error`.
    return undefined;
  }
}

function capture<T>(
  entry: (...args: never[]) => unknown,
  frames: number,
  read: (sites: readonly NodeJS.CallSite[]) => T,
): T | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let value: T | undefined;
  try {
    Error.stackTraceLimit = frames;
    // Without it, a stack is text, and for some services goes through their source maps.
    Error.prepareStackTrace = (_, sites) => {
      value = read(sites);
      return '';
    };
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, entry);
    // It is prepared when it is read.
    void holder.stack;
    return value;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

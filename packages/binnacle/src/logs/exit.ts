/** What has to happen when the process ends, or rotates its logs: one listener each, however many there are to call. */
import process from 'node:process';

type Callback = () => void;

/** Callbacks that share one listener of the process. */
interface Hook {
  /** Registers a callback; the answer takes it back, and the last one takes the listener with it. */
  add(callback: Callback): Callback;
}

function createHook(event: 'exit' | 'SIGHUP'): Hook {
  const callbacks = new Set<Callback>();
  const run = (): void => {
    for (const callback of [...callbacks]) {
      try {
        callback();
      } catch {
        // Leaving, or rotating, must go on for the others.
      }
    }
  };
  return {
    add(callback) {
      if (callbacks.size === 0) process.on(event, run);
      callbacks.add(callback);
      return () => {
        if (callbacks.delete(callback) && callbacks.size === 0) process.removeListener(event, run);
      };
    },
  };
}

/** Runs at the process' `exit`: after its end, `process.exit()` or an uncaught exception. Synchronous work only. */
export const onExit: Hook = createHook('exit');

/** Runs on SIGHUP. While anything is registered the signal no longer ends the process. */
export const onHangup: Hook = createHook('SIGHUP');

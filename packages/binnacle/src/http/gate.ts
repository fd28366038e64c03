/** Who is inside: the work that runs now, exchanges and sessions without one, and whether new work is let in. */
import type { Work } from '../signals.ts';

export interface Gate {
  readonly closed: boolean;
  readonly size: number;
  /** From now on new work is refused. */
  close(): void;
  enter(work: Work): void;
  leave(work: Work): void;
  /** Resolves once nothing runs; at once when nothing does. */
  whenEmpty(): Promise<void>;
  /** Ends what still runs: it is told to end. */
  abortAll(): void;
  /** Tears down what did not end when it was told to. */
  destroyAll(): void;
}

export function createGate(): Gate {
  const inside = new Set<Work>();
  let closed = false;
  let waiting: (() => void)[] = [];
  return {
    get closed() {
      return closed;
    },
    get size() {
      return inside.size;
    },
    close: () => {
      closed = true;
    },
    enter: (work) => void inside.add(work),
    leave(work) {
      inside.delete(work);
      if (inside.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    whenEmpty: () => (inside.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    abortAll: () => {
      for (const work of [...inside]) work.abort();
    },
    destroyAll: () => {
      for (const work of [...inside]) work.destroy();
    },
  };
}

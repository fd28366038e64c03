/** Who is inside: the work that runs now, exchanges and sessions without one, and whether new work is let in. */
import type { Work } from '../signals.ts';

export interface Gate {
  readonly closed: boolean;
  readonly size: number;
  /** Who is inside now, in no order. */
  readonly inside: readonly Work[];
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
  // Each knows its place, so that it leaves without being looked for.
  const inside: Work[] = [];
  let closed = false;
  let waiting: (() => void)[] = [];
  return {
    get closed() {
      return closed;
    },
    get size() {
      return inside.length;
    },
    get inside() {
      return inside;
    },
    close: () => {
      closed = true;
    },
    enter(work) {
      work.place = inside.length;
      inside.push(work);
    },
    leave(work) {
      const { place } = work;
      if (place === undefined || inside[place] !== work) return;
      const last = inside.pop() as Work;
      if (last !== work) {
        inside[place] = last;
        last.place = place;
      }
      work.place = undefined;
      if (inside.length > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    whenEmpty: () => (inside.length === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    abortAll: () => {
      for (const work of [...inside]) work.abort();
    },
    destroyAll: () => {
      for (const work of [...inside]) work.destroy();
    },
  };
}

/** Who is inside: the exchanges that run now, and whether new work is let in. */
import type { Exchange } from './exchange.ts';

export interface Gate {
  readonly closed: boolean;
  readonly size: number;
  /** From now on new work is refused. */
  close(): void;
  enter(exchange: Exchange): void;
  leave(exchange: Exchange): void;
  /** Resolves once nothing runs; at once when nothing does. */
  whenEmpty(): Promise<void>;
  /** Ends what still runs: each exchange is told `shutdown`. */
  abortAll(): void;
  /** Tears down what did not end when it was told to. */
  destroyAll(): void;
}

export function createGate(): Gate {
  const inside = new Set<Exchange>();
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
    enter: (exchange) => void inside.add(exchange),
    leave(exchange) {
      inside.delete(exchange);
      if (inside.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    whenEmpty: () => (inside.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    abortAll: () => {
      for (const exchange of [...inside]) exchange.abort();
    },
    destroyAll: () => {
      for (const exchange of [...inside]) exchange.destroy();
    },
  };
}

/** How many workers are asked at once, so that no more than their answers arrive in one turn of the event loop. */
export interface Turns {
  /** Resolves with what gives the turn back, which is given back by itself after `holdMs`. */
  take(): Promise<() => void>;
}

export function createTurns(count: number, holdMs: number): Turns {
  const waiting: (() => void)[] = [];
  let free = count;
  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const hold = (): (() => void) => {
    let given = false;
    const once = (): void => {
      clearTimeout(timer);
      if (given) return;
      given = true;
      give();
    };
    const timer = setTimeout(once, holdMs);
    timer.unref();
    return once;
  };
  return {
    take() {
      if (free === 0) return new Promise((resolve) => waiting.push(() => resolve(hold())));
      free -= 1;
      return Promise.resolve(hold());
    },
  };
}

/** Waits for work, at most so long; true when it came to its end in time. Keeps no process alive. */
export function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    timer.unref();
    const settled = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(settled, settled);
  });
}

/** `Promise.withResolvers`, which Node.js 20 has not. A rejection that comes before anybody waits is no fault of the host's. */
export function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

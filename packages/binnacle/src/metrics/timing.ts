/** How long something takes: a function by a histogram, a stretch of code by a stopwatch. Clocks are monotonic. */
import { roundMs } from '../duration.ts';
import type { BoundHistogram, Labels } from '../signals.ts';
import type { Histogram } from './instrument.ts';

/** Any function, whatever it takes, gives and is called on. */
type AnyFunction = (this: never, ...args: never[]) => unknown;
type Callable = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Wraps a function so that each call is observed in seconds, when it returns and when it throws. A sync result stays
 * sync; a promise is observed when it settles, and a promise is what comes back. Types, `this`, `name` and `length`
 * are the function's own. (For streams and generators, whose work follows the call, see {@link measure}.)
 *
 * @example
 * const search = timed(latency, { source: 'web' }, async (query: string) => engine.search(query));
 */
export function timed<L extends string, F extends AnyFunction>(histogram: Histogram<L>, labels: Labels<L>, fn: F): F;
export function timed<F extends AnyFunction>(histogram: Histogram, fn: F): F;
export function timed(
  histogram: { bind(labels: never): BoundHistogram },
  ...rest: [labels: unknown, fn: AnyFunction] | [fn: AnyFunction]
): AnyFunction {
  const [labels, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
  return wrap(histogram.bind(labels as never), fn as Callable);
}

function wrap(series: BoundHistogram, fn: Callable): AnyFunction {
  const wrapped: Callable = function (this: unknown, ...args) {
    const start = performance.now();
    const settle = (): void => series.observe((performance.now() - start) / 1000);
    let result: unknown;
    try {
      result = fn.apply(this, args);
    } catch (error) {
      settle();
      throw error;
    }
    if (!isThenable(result)) {
      settle();
      return result;
    }
    // The promise handed back is the one that settles after us: an error that nobody awaits still makes itself known.
    return Promise.resolve(result).finally(settle);
  };
  Object.defineProperties(wrapped, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
  return wrapped as AnyFunction;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise || typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** A stopwatch: it runs from when it is made until it is stopped, or until the `using` block that holds it ends. */
export interface Stopwatch {
  /** Milliseconds so far, or in all once stopped: above 0, up to 3 decimals. */
  readonly durationMs: number;
  /** The same in seconds, as histograms take it. */
  readonly seconds: number;
  /** Stops and gives the milliseconds; stopping again changes nothing. */
  stop(): number;
  [Symbol.dispose](): void;
}

/**
 * Starts a stopwatch.
 *
 * @param clock monotonic milliseconds; the process's own unless told
 * @example
 * const time = measure();
 * await work();
 * log.info({ duration_ms: time.stop() }, 'Done');
 */
export function measure(clock: { now(): number } = performance): Stopwatch {
  const start = clock.now();
  let stopped: number | undefined;
  const durationMs = (): number => stopped ?? roundMs(clock.now() - start);
  const stop = (): number => {
    stopped = durationMs();
    return stopped;
  };
  return {
    get durationMs() {
      return durationMs();
    },
    get seconds() {
      return durationMs() / 1000;
    },
    stop,
    [Symbol.dispose]: () => void stop(),
  };
}

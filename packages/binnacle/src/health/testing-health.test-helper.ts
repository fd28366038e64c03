/** Stand-ins for tests of this room: a clock by hand, health by it, checks of every temper. */
import type { HealthClock } from './clock.ts';
import { type Check, createHealth, type Health } from './health.ts';

export interface HandClock extends HealthClock {
  /** Moves time on, calling back whatever is due, in order; promises that are ready run in between. */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly pending: number;
}

/** A clock moved by hand; Unix time starts at 1,700,000,000 s. */
export function createHandClock(): HandClock {
  let now = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    wall: () => 1_700_000_000_000 + now,
    setTimer(run, ms) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = next.at;
        timers = timers.filter((other) => other !== next);
        next.run();
      }
      now = end;
    },
    get pending() {
      return timers.length;
    },
  };
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

/** Health with the contract's critical checks, a round every 5 s, and the lines it writes. */
export function createHandHealth(): { clock: HandClock; lines: Line[]; health: Health } {
  const clock = createHandClock();
  const lines: Line[] = [];
  const health = createHealth({
    settings: { intervalMs: 5000, critical: ['database', 'disk'] },
    service: 'fit-check',
    version: '1.2.3',
    write: (level, _logger, message, fields) => void lines.push({ level, message, fields }),
    clock,
    jitter: 0,
  });
  return { clock, lines, health };
}

/** A check that settles when it is told to. */
export function byHand(): {
  check: Check;
  runs: number;
  signals: AbortSignal[];
  pass(): void;
  fail(error: unknown): void;
} {
  const waiting: { pass: () => void; fail: (error: unknown) => void }[] = [];
  const signals: AbortSignal[] = [];
  return {
    check: (signal) => {
      signals.push(signal);
      return new Promise<void>((pass, fail) => void waiting.push({ pass, fail }));
    },
    signals,
    get runs() {
      return signals.length;
    },
    pass: () => waiting.shift()?.pass(),
    fail: (error) => waiting.shift()?.fail(error),
  };
}

export const hang: Check = () => new Promise<void>(() => {});
export const refuse: Check = () => Promise.reject(Object.assign(new Error('secret host'), { code: 'ECONNREFUSED' }));
export const pass: Check = () => {};

/** Stand-ins for tests of this room: a clock by hand, health by it, checks of every temper. */
import { createHandClock, type HandClock } from '../testing/hand-clock.ts';
import { type Check, createHealth, type Health } from './health.ts';

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

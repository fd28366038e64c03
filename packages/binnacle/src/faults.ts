/**
 * Binnacle's own troubles. Telemetry never throws into its host: what goes wrong is told here, one line an outage,
 * and counted by whoever owns the counter.
 */
import type { WriteLine } from './signals.ts';

/** One trouble that may last: `down` writes a line the first time, `up` one of the same level, and re-arms it. */
export interface Outage {
  down(message: string, fields?: Record<string, unknown>): void;
  up(message?: string): void;
  readonly isDown: boolean;
}

/** Where rooms report to. Lines told before the logger exists are kept (50 at most) and written once it does. */
export interface Faults {
  /**
   * A lasting trouble of a named part: a WARNING of that logger when it begins, and one when it ends, so that whoever
   * saw the first sees the second, at any level.
   */
  outage(logger: string): Outage;
  /** A line written once a process for each key. */
  once(key: string, logger: string, message: string, fields?: Record<string, unknown>): void;
  /** Connects the logger. */
  connect(write: WriteLine): void;
}

const EARLY_LIMIT = 50;
const KEYS_LIMIT = 1000;

export function createFaults(): Faults {
  const early: Parameters<WriteLine>[] = [];
  const seen = new Set<string>();
  let sink: WriteLine | undefined;

  const write: WriteLine = (...line) => {
    if (sink === undefined) {
      if (early.length < EARLY_LIMIT) early.push(line);
      return;
    }
    try {
      sink(...line);
    } catch {
      // A logger that throws has nobody left to tell.
    }
  };

  return {
    outage: (logger) => createOutage(logger, write),
    once(key, logger, message, fields) {
      if (seen.has(key) || seen.size >= KEYS_LIMIT) return;
      seen.add(key);
      write('WARNING', logger, message, fields);
    },
    connect(next) {
      sink = next;
      for (const line of early.splice(0)) write(...line);
    },
  };
}

function createOutage(logger: string, write: WriteLine): Outage {
  let down = false;
  return {
    get isDown() {
      return down;
    },
    down(message, fields) {
      if (down) return;
      down = true;
      write('WARNING', logger, message, fields);
    },
    up(message) {
      if (!down) return;
      down = false;
      if (message !== undefined) write('WARNING', logger, message);
    },
  };
}

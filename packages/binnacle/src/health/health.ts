/** Liveness, readiness and the combined report, from checks that run in the background. */
import { realClock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import type { Clock, WriteLine } from '../signals.ts';
import { type Check, RunningCheck } from './check.ts';
import { type CheckReport, combine, type Report, type Status } from './report.ts';
import type { Outcome } from './result.ts';

export type { Check } from './check.ts';
export type { CheckReport, Report, Status } from './report.ts';
export type { CheckResult } from './result.ts';

export interface HealthOptions {
  readonly settings: Settings['health'];
  readonly service: string;
  readonly version: string;
  readonly write: WriteLine;
  readonly clock?: Clock;
  /** Told once each round has ended. */
  readonly onRound?: (() => void) | undefined;
  /** How much each round may come earlier or later, as a share of the interval, so that replicas spread; 0.1. */
  readonly jitter?: number;
}

export interface CheckOptions {
  /** Whether its failure makes the service unready; else `HEALTH_CRITICAL` says so by name. */
  readonly critical?: boolean;
  /** How long a run may take, in milliseconds from 1 to 60,000; 2000 unless told. */
  readonly timeoutMs?: number;
}

export interface Health {
  /**
   * Adds a check; what it returns removes it. Throws for a name that is taken or not 1 to 64 letters, digits,
   * underscores and hyphens (a letter first), a wrong option, or more than 64 checks.
   */
  check(name: string, run: Check, options?: CheckOptions): () => void;
  /** Healthy while the process answers, during shutdown too; asks nothing. */
  live(): Report;
  /** Whether to send work here. */
  ready(): Report;
  /** Both in one, with readiness's status. */
  report(): Report;
  /** Runs all checks once and resolves when each has a result or ran out of time; from then on every interval. */
  start(): Promise<void>;
  /** Readiness fails from now on. */
  drain(): void;
  /** Stops the checks for good; reports keep the last results. */
  close(): void;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const MAX_CHECKS = 64;
const TIMEOUT_MS = { usual: 2000, most: 60_000 } as const;
const LOGGER = 'health';

/** Health by the settings. Reading a report runs no check and waits for none. */
export function createHealth(options: HealthOptions): Health {
  const { service, version, clock = realClock } = options;
  const startedAt = clock.now();
  const checks = new Map<string, RunningCheck>();
  const rounds = createRounds(options, () => Promise.all([...checks.values()].map((check) => check.run())));
  let draining = false;

  const describe = (status: Status, extra: Partial<Report>, reports: Record<string, CheckReport>): Report => ({
    status,
    service,
    version,
    uptime_seconds: toSeconds(clock.now() - startedAt),
    timestamp: toSeconds(clock.wall()),
    ...extra,
    checks: reports,
  });
  const ready = ({ combined }: { combined: boolean }): Report => {
    const reports: Record<string, CheckReport> = {};
    for (const [name, check] of checks) reports[name] = check.report();
    const status = draining ? 'unhealthy' : combine(Object.values(reports));
    const both: Partial<Report> = combined ? { live: 'healthy', ready: status } : {};
    return describe(status, draining ? { draining, ...both } : both, reports);
  };

  return {
    check(name, run, { critical, timeoutMs = TIMEOUT_MS.usual } = {}) {
      validate(name, run, timeoutMs, checks);
      const check = new RunningCheck({
        name,
        check: run,
        critical: critical ?? options.settings.critical.includes(name),
        timeoutMs,
        clock,
        onChange: (from, to) => tellChange(options.write, name, from, to),
      });
      checks.set(name, check);
      if (rounds.running) void check.run();
      return () => {
        if (checks.get(name) === check) checks.delete(name);
        check.close();
      };
    },
    live: () => describe('healthy', {}, {}),
    ready: () => ready({ combined: false }),
    report: () => ready({ combined: true }),
    start() {
      if (!rounds.running) tellUnknown(options, checks);
      return rounds.start();
    },
    drain() {
      draining = true;
    },
    close() {
      rounds.close();
      for (const check of checks.values()) check.close();
    },
  };
}

/** A name in `HEALTH_CRITICAL` that no check has would otherwise make nothing critical, without a word. */
function tellUnknown({ settings, write }: HealthOptions, checks: ReadonlyMap<string, unknown>): void {
  const unknown = settings.criticalGiven === true ? settings.critical.filter((name) => !checks.has(name)) : [];
  if (unknown.length === 0) return;
  const names = [...checks.keys()].join(', ') || 'none';
  write(
    'WARNING',
    'health',
    `HEALTH_CRITICAL names checks that there are not: ${unknown.join(', ')}; there are ${names}`,
  );
}

/** All checks at once, every interval. A round does not wait for one that hangs: each check sees to itself. */
function createRounds(
  { settings, clock = realClock, jitter = 0.1, onRound }: HealthOptions,
  runEach: () => Promise<unknown>,
): { readonly running: boolean; start(): Promise<void>; close(): void } {
  const runAll = (): Promise<unknown> => (onRound === undefined ? runEach() : runEach().then(onRound));
  let first: Promise<unknown> | undefined;
  let closed = false;
  let cancel = (): void => {};
  const schedule = (): void => {
    if (closed) return;
    const ms = settings.intervalMs * (1 + jitter * (2 * Math.random() - 1));
    cancel = clock.setTimer(() => {
      void runAll();
      schedule();
    }, ms);
  };
  return {
    get running() {
      return first !== undefined && !closed;
    },
    async start() {
      if (closed) return;
      if (first === undefined) {
        first = runAll();
        schedule();
      }
      // The checks' timers are unref'd: without this a process that awaits its start could end in the middle of it.
      const hold = setInterval(() => {}, 60_000);
      await first.finally(() => clearInterval(hold));
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

function validate(name: string, run: unknown, timeoutMs: number, taken: ReadonlyMap<string, unknown>): void {
  const where = `health.check(${JSON.stringify(String(name).slice(0, 100))})`;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError(
      `${where}: a name is 1 to 64 letters, digits, underscores and hyphens, the first of them a letter`,
    );
  }
  if (typeof run !== 'function') throw new TypeError(`${where}: the check must be a function`);
  if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS.most)) {
    throw new RangeError(`${where}: timeoutMs is from 1 to ${TIMEOUT_MS.most} milliseconds, not ${timeoutMs}`);
  }
  if (taken.has(name)) throw new Error(`${where}: there is a check of this name already`);
  if (taken.size >= MAX_CHECKS) throw new Error(`${where}: there are ${MAX_CHECKS} checks already, which is the most`);
}

const RANK: Readonly<Record<Status, number>> = { healthy: 0, degraded: 1, unhealthy: 2 };

function tellChange(write: WriteLine, name: string, from: Status, { status, error }: Outcome): void {
  const fields = { check: name, from, to: status, ...(error !== undefined && { error }) };
  const why = error === undefined ? '' : `: ${error}`;
  try {
    write(RANK[status] > RANK[from] ? 'WARNING' : 'INFO', LOGGER, `Check ${name} is ${status}${why}`, fields);
  } catch {
    // A logger that throws must not keep a result from the report.
  }
}

function toSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}

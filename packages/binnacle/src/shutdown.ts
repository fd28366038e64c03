/**
 * The order in which a service stops: unready, delay, refuse, finish or abort, flush, close. Rooms are told by steps;
 * nothing here knows them.
 */
import { roundMs } from './duration.ts';
import type { Settings, ShutdownSettings } from './settings.ts';
import type { WriteLine } from './signals.ts';

export interface ShutdownSteps {
  /** Readiness fails from now on. */
  unready(): void;
  /** New work is refused from now on. */
  refuse(): void;
  /** Resolves once no work runs. */
  whenIdle(): Promise<void>;
  /** Running work is told to end at once. */
  abortAll(): void;
  /** What did not heed it is torn down. */
  destroyAll(): void;
  /** Telemetry is sent, in at most so many milliseconds. */
  flush(timeoutMs: number): Promise<void>;
  /** Telemetry was sent; the listener is closed next. */
  flushed?(): void;
  /** Everything of Binnacle's is closed; logs are written out. */
  close(): Promise<void>;
}

export interface Shutdown {
  /** Runs the whole order once; a second call waits for the first. `closeListener` is called after the flush. */
  run(closeListener: () => unknown): Promise<void>;
  /** Runs it on the signals (`SIGTERM` and `SIGINT` unless told) and then ends the process with status 0. */
  onSignals(closeListener: () => unknown, signals?: readonly NodeJS.Signals[]): void;
}

/** How long aborted work may take to say goodbye, in milliseconds. */
const GOODBYE_MS = 1000;
/** How long closing the listener may take, in milliseconds. */
const CLOSE_MS = 1000;
/** A repeated signal within this time is the same one, sent to a process group and forwarded. */
const REPEAT_MS = 1000;

export function createShutdown(
  settings: Pick<Settings, 'service'> & { shutdown: ShutdownSettings },
  steps: ShutdownSteps,
  write: WriteLine,
): Shutdown {
  let running: Promise<void> | undefined;
  const run = (closeListener: () => unknown): Promise<void> => {
    running ??= runOrder(settings.shutdown, steps, closeListener, (message, fields) =>
      write('INFO', settings.service, message, fields),
    );
    return running;
  };
  return {
    run,
    onSignals(closeListener, signals = ['SIGTERM', 'SIGINT']) {
      let firstAt: number | undefined;
      const onSignal = (signal: NodeJS.Signals): void => {
        const now = performance.now();
        if (firstAt !== undefined) {
          if (now - firstAt > REPEAT_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
          return;
        }
        firstAt = now;
        write('INFO', settings.service, 'Shutting down', { signal });
        void run(closeListener).finally(() => process.exit(0));
      };
      for (const signal of signals) process.on(signal, onSignal);
    },
  };
}

async function runOrder(
  { delayMs, timeoutMs, flushMs }: ShutdownSettings,
  steps: ShutdownSteps,
  closeListener: () => unknown,
  say: (message: string, fields?: Record<string, unknown>) => void,
): Promise<void> {
  const startedAt = performance.now();
  steps.unready();
  if (delayMs > 0) await wait(Math.min(delayMs, timeoutMs));
  steps.refuse();
  const left = Math.max(0, timeoutMs - (performance.now() - startedAt));
  if (!(await within(left, steps.whenIdle()))) {
    say('Running work is aborted: the shutdown ran out of time', { timeout_ms: timeoutMs });
    steps.abortAll();
    if (!(await within(GOODBYE_MS, steps.whenIdle()))) steps.destroyAll();
  }
  await within(flushMs, steps.flush(flushMs));
  say('Shut down', { duration_ms: roundMs(performance.now() - startedAt) });
  steps.flushed?.();
  await within(CLOSE_MS, Promise.resolve().then(closeListener));
  await within(CLOSE_MS, steps.close());
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** True when `work` settled in time. Its errors are not the shutdown's. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([done, late]);
  clearTimeout(timer);
  return inTime;
}

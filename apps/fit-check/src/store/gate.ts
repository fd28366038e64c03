/** Whether the database can be used: once it failed, nobody waits for it until it has answered again. */
import { AsyncResource } from 'node:async_hooks';
import { SettingsError } from 'binnacle';

/** The database failed, was too slow, or is known to be away. `code` is safe to be shown. */
export class DatabaseDown extends Error {
  readonly code: string;
  constructor(code: string, cause?: unknown) {
    super(`the database cannot be used: ${code}`, { cause });
    this.name = 'DatabaseDown';
    this.code = code;
  }
}

export interface DatabaseGate {
  readonly isDown: boolean;
  /**
   * Runs `work`. Throws `DatabaseDown` at once while the database is down, when `work` fails, and after `deadlineMs`;
   * a fault of what was to be written is thrown as it is, as the database is not to blame.
   */
  attempt<T>(work: () => Promise<T>, deadlineMs: number): Promise<T>;
  /** Something says that the database came, or went: looks now. */
  look(): void;
  /** Looks for the first time; throws `SettingsError` when no waiting will help. A database that is away is waited for. */
  start(): Promise<void>;
  close(): void;
}

export interface GateOptions {
  /** Does what is due, by which it finds out whether the database can be used again. */
  recover(): Promise<void>;
  onDown(error: DatabaseDown): void;
  /** It was down for so many milliseconds. */
  onUp(downMs: number): void;
}

const BACKOFF_MS = { first: 250, most: 5000 } as const;
/** How long the start waits for the database before the service starts without it, in milliseconds. */
const START_MS = 5000;

export function createGate({ recover, onDown, onUp }: GateOptions): DatabaseGate {
  // What happens here belongs to no request, whoever's failure set it off.
  const scope = new AsyncResource('DatabaseGate');
  let downSince: number | undefined;
  let pauseMs: number = BACKOFF_MS.first;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<unknown> | undefined;
  let recoveries = 0;
  let closed = false;

  const failed = (error: unknown): void => {
    if (downSince !== undefined || closed) return;
    downSince = performance.now();
    pauseMs = BACKOFF_MS.first;
    scope.runInAsyncScope(onDown, undefined, toDown(error));
    lookIn(pauseMs);
  };
  const succeeded = (): void => {
    if (downSince === undefined || closed) return;
    const downMs = performance.now() - downSince;
    downSince = undefined;
    recoveries += 1;
    clearTimeout(timer);
    onUp(downMs);
  };
  const lookIn = (ms: number): void => {
    clearTimeout(timer);
    timer = scope.runInAsyncScope(() => setTimeout(look, ms * (0.8 + 0.4 * Math.random())));
    timer.unref();
  };
  /** Resolves with what went wrong. One look at a time. */
  const look = (): Promise<unknown> => {
    if (closed) return Promise.resolve();
    looking ??= scope
      .runInAsyncScope(recover)
      .then(succeeded, (error: unknown) => {
        // It stops the start, which tells it.
        if (downSince === undefined && error instanceof SettingsError) return error;
        failed(error);
        pauseMs = Math.min(pauseMs * 2, BACKOFF_MS.most);
        if (!closed) lookIn(pauseMs);
        return error;
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
  return {
    get isDown() {
      return downSince !== undefined;
    },
    async attempt(work, deadlineMs) {
      if (downSince !== undefined) throw new DatabaseDown('unavailable');
      const before = recoveries;
      try {
        return await within(deadlineMs, work());
      } catch (error) {
        if (isFaultOfTheRow(error)) throw error;
        // What began before an outage that is over says nothing about now.
        if (before === recoveries) failed(error);
        else void look();
        throw toDown(error);
      }
    },
    look: () => void look(),
    async start() {
      const error = await within(START_MS, look()).catch((late: unknown) => late);
      closed = error instanceof SettingsError;
      if (closed) throw error;
      if (error !== undefined) failed(error);
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Rejects with `DatabaseDown` when `work` takes longer; what becomes of it then is nobody's concern. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DatabaseDown('timeout')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function toDown(error: unknown): DatabaseDown {
  return error instanceof DatabaseDown ? error : new DatabaseDown(codeOf(error), error);
}

/** pg's own timeouts have no code. */
function codeOf(error: unknown): string {
  const { code, cause, message } = (error ?? {}) as { code?: unknown; cause?: unknown; message?: unknown };
  if (typeof code === 'string' && /^\w{1,40}$/.test(code)) return code;
  if (/time.?out/i.test(String(message))) return 'timeout';
  return cause === undefined ? 'error' : codeOf(cause);
}

/** By SQLSTATE's classes: wrong data, a broken constraint, more than the database takes. It would fail again. */
export function isFaultOfTheRow(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^((22|23|54)...|SQLITE_(TOOBIG|CONSTRAINT\w*|MISMATCH))$/.test(code);
}

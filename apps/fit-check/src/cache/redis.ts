/** Redis or Valkey, by ioredis: short limits, endless reconnects, and never a reason to wait for long. */
import { AsyncResource } from 'node:async_hooks';
import type { Observability } from 'binnacle';
import { Redis } from 'ioredis';
import { type Clock, realClock } from './clock.ts';
import { createOutage, type Outage } from './outage.ts';
import { parseRedisUrl, type RedisAddress, redisUrlError } from './redis-url.ts';

export interface RedisClient {
  /** False while it cannot be used; every command but `ping` then fails at once. */
  readonly available: boolean;
  get(key: string): Promise<string | null>;
  /** Keeps a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** The same, where the key is free; true when it was. */
  setIfFree(key: string, value: string, ttlMs: number): Promise<boolean>;
  /** Runs a script over one key. */
  run(script: string, key: string, args: readonly string[]): Promise<unknown>;
  /** `PING`, sent during an outage too. */
  ping(): Promise<void>;
  close(): void;
}

/** Why a command failed: a code (`timeout`, `ECONNREFUSED`, `OOM`), never a driver's text. */
export class RedisError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`Redis cannot be used: ${code}`);
    this.name = 'RedisError';
    this.code = code;
  }
}

/** What is needed of a logger. */
export type RedisLog = Pick<Observability['log'], 'warn' | 'info'>;

const CONNECT_MS = 1000;
const COMMAND_MS = 300;
/** A connection that owes an answer for so long is dead: half-open, or its server frozen. */
const SILENCE_MS = 1000;
const CLOSE_MS = 200;
const COOLDOWN_MS = 2000;
const BACKOFF_MS = { first: 100, most: 2000 } as const;
/** How long the start waits for the first answer, in milliseconds. */
const START_MS = 1500;
/** Asked for to find out whether an outage is over; `PING` is left to the health check, one an interval. */
const PROBE_KEY = 'fit-check:probe';
const REFUSED = /^(WRONGPASS|NOAUTH)\b|invalid password|DB index/i;

/**
 * Connects, and waits a short while for the first answer. A server that cannot be reached is no error: the client goes
 * on trying. Throws `SettingsError` where the server refuses the user, the password or the database.
 */
export async function openRedis(url: string, log: RedisLog, clock: Clock = realClock): Promise<RedisClient> {
  const redis = createDriver(parseRedisUrl(url));
  const outage = createOutage({
    clock,
    cooldownMs: COOLDOWN_MS,
    probe: () => run(() => redis.get(PROBE_KEY)),
    onDown: (code) => log.warn({ error_type: code }, `Redis cannot be used (${code}); each instance caches alone`),
    onUp: (ms) => log.info({ duration_ms: Math.round(ms) }, 'Redis can be used again'),
  });
  const run = createRun(outage, log);
  const started = firstAnswer(redis, outage);
  const connection = keepConnected(redis, outage, clock);
  const close = (): void => {
    outage.close();
    connection.close();
  };
  const refusal = await started;
  if (refusal !== undefined) {
    close();
    throw redisUrlError(url, `a user, a password and a database that the server takes (it answered ${refusal})`);
  }
  return toClient(redis, outage, run, close);
}

function toClient(redis: Redis, outage: Outage, run: Run, close: () => void): RedisClient {
  const ask = <T>(command: () => Promise<T>): Promise<T> =>
    outage.available ? run(command) : Promise.reject(new RedisError('not_available'));
  return {
    get available() {
      return outage.available;
    },
    get: (key) => ask(() => redis.get(key)),
    set: async (key, value, ttlMs) => void (await ask(() => redis.set(key, value, 'PX', ttlMs))),
    setIfFree: async (key, value, ttlMs) => (await ask(() => redis.set(key, value, 'PX', ttlMs, 'NX'))) === 'OK',
    run: (script, key, args) => ask(() => redis.eval(script, 1, key, ...args)),
    ping: async () => void (await run(() => redis.ping())),
    close,
  };
}

function createDriver({ tls, ...address }: RedisAddress): Redis {
  return new Redis({
    ...address,
    ...(tls && { tls: {} }),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disconnectTimeout: CLOSE_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A server that still loads its data says so to each command; `INFO` is often forbidden, which ioredis prints.
    enableReadyCheck: false,
    // Its timers would keep the process alive: `keepConnected` reconnects.
    retryStrategy: null,
  });
}

/** Runs a command within its limit; throws `RedisError` alone. */
type Run = <T>(command: () => Promise<T>) => Promise<T>;

/** Tells the outage how each command went. What the server itself refuses is no outage, and is told once a code. */
function createRun(outage: Outage, log: RedisLog): Run {
  const refused = new Set<string>();
  return async (command) => {
    try {
      const value = await limited(command());
      outage.worked();
      return value;
    } catch (error) {
      const code = codeOf(error);
      if (!isReply(error)) outage.failed(code);
      else if (!refused.has(code)) {
        refused.add(code);
        log.warn({ error_type: code }, `Redis refuses a command (${code})`);
      }
      throw new RedisError(code);
    }
  };
}

/**
 * Waits for an answer, and one turn of the event loop more: after that was blocked, timers come before the answers that
 * have arrived, so that ioredis' own limit would call a busy process an outage.
 */
function limited<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer = setTimeout(() => {
      timer = setTimeout(() => reject(new RedisError('timeout')), 0);
    }, COMMAND_MS);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    answer.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}

function keepConnected(redis: Redis, outage: Outage, clock: Clock): { close(): void } {
  let attempts = 0;
  let closed = false;
  let cancel = (): void => {};
  const connect = (): void => void redis.connect().catch(() => {});
  // ioredis tells of a lost connection from within whatever request met it first.
  const on = (event: string, listener: (error?: unknown) => void): void =>
    void redis.on(event, AsyncResource.bind(listener));
  let why: unknown;
  on('error', (error) => {
    why = error;
    // It would go on in database 0.
    if (isReply(error) && REFUSED.test(error.message)) redis.disconnect();
  });
  on('connect', () => redis.stream.unref());
  on('ready', () => {
    void outage.probe().then((works) => {
      if (works) attempts = 0;
    });
  });
  on('end', () => {
    if (closed) return;
    outage.failed(codeOf(why));
    why = undefined;
    const pause = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** attempts) * (0.5 + Math.random() / 2);
    attempts += 1;
    cancel = clock.setTimer(connect, pause);
  });
  connect();
  return {
    close() {
      closed = true;
      cancel();
      redis.disconnect();
    },
  };
}

/** Resolves with how the server refused the settings, or with nothing once it answers, fails, or is waited for too long. */
function firstAnswer(redis: Redis, outage: Outage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (refusal?: string): void => {
      clearTimeout(timer);
      redis.off('error', failed).off('ready', ready).off('end', ended);
      resolve(refusal);
    };
    const failed = (error: Error): void => {
      if (isReply(error) && REFUSED.test(error.message)) end(codeOf(error));
    };
    const ready = (): void =>
      void outage.probe().then(
        () => end(),
        () => end(),
      );
    const ended = (): void => end();
    // Not by the clock: its timers keep no process alive, and this is the start of one.
    const timer = setTimeout(end, START_MS);
    redis.on('error', failed).on('ready', ready).on('end', ended);
  });
}

function isReply(error: unknown): error is Error & { readonly name: 'ReplyError' } {
  return error instanceof Error && error.name === 'ReplyError';
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'connection_lost';
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code)) return code;
  if (isReply(error)) return /^[A-Z]{2,32}\b/.exec(error.message)?.[0] ?? 'reply_error';
  return /timeout/i.test(error.message) ? 'timeout' : 'connection_lost';
}

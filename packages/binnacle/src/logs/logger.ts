/**
 * The logs: a pino logger whose lines carry the request in hand, hold no secret, and never throw.
 *
 * pino does what its users know (levels, children, serializers, `%s`); what a line says is put together in its
 * `logMethod` hook, the one place that sees the message and the fields at once. So a line has the contract's order, and
 * a name stands in it once: a child's bindings are kept beside the child and merged as fields, where pino would write
 * them a second time.
 */
import { pino } from 'pino';
import type { Faults } from '../faults.ts';
import { LEVELS, type LogSettings } from '../settings.ts';
import type { Clock, CompiledLine, Level, RequestKind, WriteLine } from '../signals.ts';
import { type Entry, findCaller } from './caller.ts';
import { compileClosingLine } from './closing-line.ts';
import { createDestination, type LineQueueState } from './destination.ts';
import { onExit } from './exit.ts';
import { addFields } from './fields.ts';
import { composeLine } from './line.ts';
import { maskText } from './redact.ts';
import type { SafeFields } from './safe.ts';
import { createBudget } from './text.ts';

export interface LogsOptions {
  readonly settings: LogSettings;
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  readonly faults: Faults;
  /** Lines that were lost, by number. */
  onDropped(lines: number): void;
  /** A line was written with no request in hand. */
  onWithoutContext(): void;
  /** In place of standard output: each call is one line, its newline included (tests). */
  readonly destination?: { write(line: string): void };
  /** Is shown each line that is written, as JSON. Must not throw. */
  readonly watch?: ((line: string) => void) | undefined;
  readonly clock?: Pick<Clock, 'wall'>;
  /** Called before any line that is not a closing line, and before lines are flushed: what has ended before is written first. */
  readonly settle?: (() => void) | undefined;
}

export interface Logs {
  /** The service's own logger. */
  readonly log: pino.Logger;
  /** The logger of a name, at its level in `LOG_LEVELS`: `undici` covers `undici.fetch` too. */
  logger(name: string): pino.Logger;
  /** Writes one line. Never throws. */
  readonly write: WriteLine;
  /** Compiles closing lines; absent where each says who called. */
  readonly closingLine: ((level: Level, logger: string, kind: RequestKind) => CompiledLine) | undefined;
  /** What waits to be written, by where it goes. */
  queues(): readonly LineQueueState[];
  /** Resolves once all lines so far are written or lost; within about a second. Never rejects. */
  flush(): Promise<void>;
  /** Flushes and lets the file and the process' listeners go. */
  close(): Promise<void>;
}

type Method = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const METHODS: Readonly<Record<Level, Method>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
};
const LABELS: Readonly<Record<number, Level>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARNING',
  50: 'ERROR',
  60: 'CRITICAL',
};
/** Loggers remembered by name; further names get a logger that is not. */
const LOGGERS_LIMIT = 1000;

/** Binnacle's own function that writes a line in this very turn: its caller is above that. */
let writing: Entry | undefined;

/** Bindings of a child, inherited by its own children through the prototype. */
const BOUND: unique symbol = Symbol('binnacle.bound');

interface Bound {
  [BOUND]?: SafeFields;
}

/** Opens the logs. Throws `SettingsError` when `LOG_FILE` cannot be written. */
export function createLogs(options: LogsOptions): Logs {
  const { settings } = options;
  // Before the destination's own, which writes what there is.
  const forget = options.settle === undefined ? nothing : onExit.add(options.settle);
  const destination = createDestination({
    format: settings.format,
    file: settings.file,
    faults: options.faults,
    onDropped: options.onDropped,
    watch: options.watch,
    ...(options.destination !== undefined && { memory: options.destination }),
  });
  const { clock, settle = nothing } = options;
  const wall = clock === undefined ? Date.now : () => Math.floor(clock.wall());
  const timestamp = createTimestamp();
  const origin: SafeFields = { service: options.service, version: options.version, environment: options.environment };
  const flush = (): Promise<void> => {
    settle();
    return destination.flush();
  };
  const base = createBase(options, () => timestamp(wall()), origin, {
    write(line: string) {
      settle();
      destination.write(line);
    },
    flush(done?: (error?: Error) => void) {
      flush().then(() => done?.(), done);
    },
  });
  const logger = createLoggers(base, settings);
  const write: WriteLine = (level, name, message, fields) => {
    const outer = writing;
    writing = write;
    try {
      logger(name)[METHODS[level]](fields ?? {}, message);
    } catch {
      options.onDropped(1);
    } finally {
      writing = outer;
    }
  };
  return {
    log: logger(options.service),
    logger,
    write,
    closingLine: settings.caller
      ? undefined
      : (level, name, kind) => {
          const own = logger(name) as pino.Logger & Bound;
          return compileClosingLine(level, name, kind, {
            timestamp,
            origin,
            write: destination.write,
            isEnabled: () => own.isLevelEnabled(METHODS[level]),
            isPlain: createPlainCheck(own),
          });
        },
    queues: destination.queues,
    flush,
    async close() {
      settle();
      await destination.close();
      forget();
    },
  };
}

const nothing = (): void => {};

/** Whether a logger's lines say nothing more of their own than its name; asked again only when its bindings change. */
function createPlainCheck(logger: Bound): () => boolean {
  let seen: SafeFields | undefined;
  let isPlain = false;
  return () => {
    const bound = logger[BOUND];
    if (bound === undefined) return false;
    if (bound !== seen) {
      seen = bound;
      isPlain = Object.keys(bound).length === 1 && typeof bound.logger === 'string';
    }
    return isPlain;
  };
}

function createLoggers(base: pino.Logger, settings: LogSettings): (name: string) => pino.Logger {
  const loggers = new Map<string, pino.Logger>();
  return (name) => {
    const known = loggers.get(name);
    if (known !== undefined) return known;
    const made = base.child({ logger: name }, { level: METHODS[levelOf(name, settings)] });
    if (loggers.size < LOGGERS_LIMIT) loggers.set(name, made);
    return made;
  };
}

/** The level of a name: its own, or that of the longest dotted beginning that has one. */
export function levelOf(name: string, { level, levels }: Pick<LogSettings, 'level' | 'levels'>): Level {
  for (let part = name; part !== ''; part = part.slice(0, Math.max(part.lastIndexOf('.'), 0))) {
    if (Object.hasOwn(levels, part)) return levels[part] ?? level;
  }
  return level;
}

/** Lowest of all levels: pino's children are cut off by nothing else. */
function lowestLevel({ level, levels }: LogSettings): Level {
  const ranks = [level, ...Object.values(levels)].map((each) => LEVELS.indexOf(each));
  return LEVELS[Math.min(...ranks)] ?? level;
}

type Stream = pino.DestinationStream & { flush(done?: (error?: Error) => void): void };

function createBase(options: LogsOptions, timestamp: () => string, origin: SafeFields, stream: Stream): pino.Logger {
  const { settings, service, onWithoutContext } = options;
  const base = pino(
    {
      base: null,
      level: METHODS[lowestLevel(settings)],
      messageKey: 'message',
      // `level` stands behind `timestamp`, and so among the fields.
      formatters: { level: () => ({}) },
      timestamp,
      hooks: {
        logMethod: function logMethod(args, method, number) {
          const bound = (this as Bound)[BOUND];
          const level = LABELS[number] ?? String(this.levels.labels[number]).toUpperCase();
          const logger = typeof bound?.logger === 'string' ? bound.logger : service;
          try {
            const caller = settings.caller ? findCaller([writing ?? this[methodOf(level)], logMethod]) : undefined;
            const prefix = this.msgPrefix;
            // Written out, not spread: that alone would double what a line costs.
            method.call(this, composeLine({ level, logger, bound, prefix, caller, origin }, args, onWithoutContext));
          } catch {
            // A serializer of the child's own threw, at worst; the line is kept without its fields.
            const message = args.find((arg: unknown) => typeof arg === 'string') ?? 'A line could not be put together';
            method.call(this, { level, logger, message: maskText(message), ...origin });
          }
        },
      },
    },
    stream,
  );
  keepBindings(base);
  return base;
}

function methodOf(level: string): Method {
  return METHODS[level as Level] ?? 'info';
}

/**
 * Keeps the bindings of children beside pino, made safe once. pino would write them in front of each line as they are:
 * unredacted, and a second time where a line has a field of the same name.
 */
function keepBindings(base: pino.Logger): void {
  // Without pino's type parameter for custom levels, which nothing here depends on.
  const child = base.child as unknown as (this: pino.Logger, bindings: object, options?: object) => pino.Logger & Bound;
  const methods: Pick<pino.Logger, 'child' | 'bindings' | 'setBindings'> = {
    child(this: pino.Logger & Bound, bindings, options) {
      const made = child.call(this, bindings && {}, options);
      made[BOUND] = { ...this[BOUND], ...safeBindings(bindings) };
      return made as never;
    },
    bindings(this: pino.Logger & Bound) {
      return { ...this[BOUND] };
    },
    setBindings(this: pino.Logger & Bound, bindings) {
      this[BOUND] = { ...this[BOUND], ...safeBindings(bindings) };
    },
  };
  Object.assign(base, methods);
}

function safeBindings(bindings: pino.Bindings): SafeFields {
  const safe: SafeFields = {};
  addFields(safe, bindings, createBudget());
  // The one name of a line's own that a child may set.
  const name = safe.logger_;
  delete safe.logger_;
  return typeof name === 'string' ? { logger: name, ...safe } : safe;
}

/**
 * pino's piece of a line that tells the time: ISO 8601, UTC, milliseconds. The part up to the second is kept for as
 * long as it lasts, since `toISOString` costs more than the rest of it. It has no comma in front, as it comes first.
 */
export function createTimestamp(): (at: number) => string {
  let second = Number.NaN;
  let start = '';
  let latest = Number.NaN;
  let text = '';
  return (now) => {
    if (now === latest) return text;
    latest = now;
    const ms = ((now % 1000) + 1000) % 1000;
    if (now - ms !== second) {
      second = now - ms;
      start = `"timestamp":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    text = `${start}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`;
    return text;
  };
}

/** Where lines go: standard output, and `LOG_FILE` as well. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { isatty } from 'node:tty';
import { isMainThread } from 'node:worker_threads';
import { printableValue, SettingsError } from '../environment.ts';
import type { Faults } from '../faults.ts';
import { makeFolder } from '../folder.ts';
import { onExit, onHangup } from './exit.ts';
import { createPretty } from './pretty.ts';
import { Writer } from './writer.ts';

/** Takes JSON lines as pino writes them. */
export interface Destination {
  write(line: string): void;
  /** Resolves once all lines are written or lost; within about a second. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** What waits to be written, by where it goes. */
  queues(): readonly LineQueueState[];
}

export interface LineQueueState {
  readonly name: string;
  readonly lines: number;
  /** In UTF-16 code units: about as many bytes. */
  readonly size: number;
}

export interface DestinationOptions {
  readonly format: 'text' | 'json';
  /** A file for the same lines. */
  readonly file: string | undefined;
  readonly faults: Faults;
  /** Lines that were lost, by number. */
  onDropped(lines: number): void;
  /** In place of standard output (tests). */
  readonly memory?: { write(line: string): void };
  /** Is shown each line, as JSON whatever the format is. Must not throw. */
  readonly watch?: ((line: string) => void) | undefined;
}

/** One place that lines go to. */
interface Sink {
  readonly coloured: boolean;
  /** Absent where nothing waits. */
  queue?(): LineQueueState;
  write(line: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const STDOUT = 1;
/** `O_NONBLOCK`: a named pipe that nobody reads fails at once instead of holding the start up. */
const APPEND: number = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/** Opens the destinations. Throws `SettingsError` when `LOG_FILE` cannot be written. */
export function createDestination(options: DestinationOptions): Destination {
  const file = options.file === undefined ? undefined : openFile(options.file, options);
  const output = options.memory === undefined ? openStdout(options) : toMemory(options.memory, options);
  const sinks = file === undefined ? [output] : [output, file];
  const deliver = options.format === 'json' ? toAll(sinks) : toAllAsText(sinks);
  const { watch } = options;
  return {
    write:
      watch === undefined
        ? deliver
        : (line) => {
            deliver(line);
            watch(line);
          },
    queues: () => sinks.flatMap((sink) => sink.queue?.() ?? []),
    async flush() {
      await Promise.all(sinks.map((sink) => sink.flush()));
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

function toAll(sinks: readonly Sink[]): (line: string) => void {
  const [only] = sinks;
  if (only !== undefined && sinks.length === 1) return (line) => only.write(line);
  return (line) => {
    for (const sink of sinks) sink.write(line);
  };
}

function toAllAsText(sinks: readonly Sink[]): (line: string) => void {
  const plain = createPretty({ colour: false });
  const coloured = createPretty({ colour: true });
  return (line) => {
    for (const sink of sinks) sink.write((sink.coloured ? coloured : plain)(line));
  };
}

function toMemory(memory: { write(line: string): void }, { onDropped }: DestinationOptions): Sink {
  return {
    coloured: false,
    write(line) {
      try {
        memory.write(line);
      } catch {
        onDropped(1);
      }
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function openStdout(options: DestinationOptions): Sink {
  const writer = createWriter('Standard output', STDOUT, 'direct', options);
  // Node's own stream sets a pipe or socket to non-blocking; a worker's `process.stdout` is not the descriptor.
  if (isMainThread && isPipe(STDOUT)) touchStdout();
  const forget = onExit.add(() => writer.leave());
  return {
    coloured: wantsColour(process.env, isTerminal(STDOUT)),
    queue: () => ({ name: 'standard output', ...writer.waiting }),
    write: (line) => writer.write(line),
    flush: () => writer.flush(),
    async close() {
      await writer.close();
      forget();
    },
  };
}

function openFile(path: string, options: DestinationOptions): Sink {
  const fd = openLogFile(path);
  const mode = fstatSync(fd).isFile() ? 'pooled' : 'direct';
  const writer = createWriter('LOG_FILE', fd, mode, options);
  const trouble = options.faults.outage('binnacle');
  const forgetExit = onExit.add(() => writer.leave());
  const forgetHangup = onHangup.add(() => {
    try {
      writer.reopen(openForAppend(path));
      trouble.up('LOG_FILE was reopened');
    } catch (error) {
      trouble.down('LOG_FILE could not be reopened; the open one is kept', { error: codeOf(error) });
    }
  });
  return {
    coloured: false,
    queue: () => ({ name: 'LOG_FILE', ...writer.waiting }),
    write: (line) => writer.write(line),
    flush: () => writer.flush(),
    async close() {
      forgetHangup();
      await writer.close();
      forgetExit();
    },
  };
}

function createWriter(name: string, fd: number, mode: 'direct' | 'pooled', options: DestinationOptions): Writer {
  const outage = options.faults.outage('binnacle');
  let lost = 0;
  return new Writer({
    fd,
    mode,
    onDropped(lines) {
      lost += lines;
      options.onDropped(lines);
    },
    onDown(code) {
      outage.down(`${name} takes no lines; they are dropped and counted until it does`, { error: code });
    },
    onUp() {
      outage.up(`${name} takes lines again; ${lost} were dropped`);
      lost = 0;
    },
  });
}

function openLogFile(path: string): number {
  try {
    return openForAppend(path);
  } catch (error) {
    const allowed = `the path of a file that can be written (here: ${codeOf(error)})`;
    throw new SettingsError([{ variable: 'LOG_FILE', value: printableValue('LOG_FILE', path), allowed }]);
  }
}

function openForAppend(path: string): number {
  makeFolder(dirname(path));
  const fd = openSync(path, APPEND);
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : 'unknown';
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

function touchStdout(): void {
  try {
    process.stdout.isTTY satisfies boolean;
  } catch {
    // Without a standard output there is nothing to set.
  }
}

function isTerminal(fd: number): boolean {
  try {
    return isatty(fd);
  } catch {
    return false;
  }
}

/**
 * Whether text is coloured: on a terminal, unless `NO_COLOR` is set (no-color.org), or wherever `FORCE_COLOR` asks for
 * it; that one wins, as it does in Node.js.
 */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, terminal: boolean): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return terminal && (env.NO_COLOR ?? '') === '';
}

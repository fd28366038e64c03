/** The log lines that the page holds, by trace. */
import { Ring } from './ring.ts';
import type { LogRecord } from './wire.ts';

export const LINE_LIMIT = 50_000;
/** In UTF-16 units of JSON. */
export const LINE_SIZE_LIMIT = 64 * 1024 * 1024;

export const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type Level = LogRecord['level'];

export function rankOf(level: string): number {
  return LEVELS.indexOf(level as Level);
}

export class Logs {
  version = 0;
  readonly #ring = new Ring<LogRecord>(LINE_LIMIT, LINE_SIZE_LIMIT);
  readonly #traces = new Map<string, LogRecord[]>();

  get count(): number {
    return this.#ring.length;
  }

  get size(): number {
    return this.#ring.size;
  }

  /** The numbers of the lines that are held, as `at` takes them. */
  get first(): number {
    return this.#ring.first;
  }

  get next(): number {
    return this.#ring.next;
  }

  add(lines: readonly LogRecord[], size: number): void {
    const each = size / Math.max(1, lines.length);
    for (const line of lines) {
      this.#ring.push(line, each, (old) => this.#forget(old));
      if (line.traceId === undefined) continue;
      const others = this.#traces.get(line.traceId);
      if (others === undefined) this.#traces.set(line.traceId, [line]);
      else others.push(line);
    }
    this.version += 1;
  }

  clear(): void {
    this.#ring.clear();
    this.#traces.clear();
    this.version += 1;
  }

  at(number: number): LogRecord | undefined {
    return this.#ring.at(number);
  }

  ofTrace(traceId: string): readonly LogRecord[] {
    return this.#traces.get(traceId) ?? [];
  }

  /** By its number at the store; they ascend, gaps aside. */
  bySeq(seq: number): LogRecord | undefined {
    let [low, high] = [this.first, this.next - 1];
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const line = this.#ring.at(middle);
      if (line === undefined || line.seq === seq) return line;
      if (line.seq < seq) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #forget(line: LogRecord): void {
    if (line.traceId === undefined) return;
    const others = this.#traces.get(line.traceId);
    if (others === undefined) return;
    if (others[0] === line) others.shift();
    if (others.length === 0) this.#traces.delete(line.traceId);
  }
}

/** Those of the lines that a filter lets through, kept up with what comes and goes: each line is looked at once. */
export class FilteredLogs {
  readonly #logs: Logs;
  readonly #matches: (line: LogRecord) => boolean;
  #lines: LogRecord[] = [];
  /** The number of each of `#lines`. */
  #numbers: number[] = [];
  #seen: number;
  #gone = 0;

  constructor(logs: Logs, matches: (line: LogRecord) => boolean) {
    this.#logs = logs;
    this.#matches = matches;
    this.#seen = logs.first;
  }

  /** Oldest first. The same array until something changes. */
  get lines(): readonly LogRecord[] {
    return this.#lines;
  }

  /** How many have gone from the front since it was made: a list that stands still is moved up by as many. */
  get gone(): number {
    return this.#gone;
  }

  update(): void {
    const { first, next } = this.#logs;
    let drop = 0;
    while (drop < this.#numbers.length && (this.#numbers[drop] as number) < first) drop += 1;
    const fresh: number[] = [];
    for (let number = Math.max(this.#seen, first); number < next; number += 1) {
      const line = this.#logs.at(number);
      if (line !== undefined && this.#matches(line)) fresh.push(number);
    }
    this.#seen = next;
    if (drop === 0 && fresh.length === 0) return;
    this.#gone += drop;
    this.#numbers = this.#numbers.slice(drop).concat(fresh);
    this.#lines = this.#lines.slice(drop).concat(fresh.map((number) => this.#logs.at(number) as LogRecord));
  }
}

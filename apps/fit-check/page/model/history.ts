/** What was asked from this browser, kept by it alone: a bounded list, newest first. */
import { plainLine } from '../text/plain.ts';
import type { Level } from './data.ts';

export interface HistoryEntry {
  readonly id: string;
  readonly query: string;
  /** ISO 8601. */
  readonly at: string;
  readonly status: 'running' | 'complete' | 'cancelled' | 'failed';
  readonly score?: number;
  readonly level?: Level;
}

export interface History {
  list(): readonly HistoryEntry[];
  /** Adds an entry, or replaces the one of its id where that stands. */
  put(entry: HistoryEntry): void;
  remove(id: string): void;
  clear(): void;
}

/** What is used of `localStorage`. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

export const HISTORY_KEY = 'fit-check.history';
const MOST = 50;
const LONGEST_QUERY = 160;
const STATUSES: readonly unknown[] = ['running', 'complete', 'cancelled', 'failed'];
const LEVELS: readonly unknown[] = ['strong', 'good', 'partial', 'weak', 'unrated'];

/** Without a shelf, or with one that refuses, the list lives as long as the page does. */
export function createHistory(shelf: Shelf | undefined): History {
  let memory: readonly HistoryEntry[] = [];
  const list = (): readonly HistoryEntry[] => {
    try {
      // Another tab may have written since.
      if (shelf !== undefined) memory = readEntries(shelf.getItem(HISTORY_KEY));
    } catch {
      // Storage is off: what this page knows is all there is.
    }
    return memory;
  };
  const save = (entries: readonly HistoryEntry[]): void => {
    memory = entries.slice(0, MOST);
    try {
      shelf?.setItem(HISTORY_KEY, JSON.stringify(memory));
    } catch {
      // Full or off, the same.
    }
  };
  return {
    list,
    put(entry) {
      const entries = list();
      const told = { ...entry, query: plainLine(entry.query, LONGEST_QUERY) };
      const at = entries.findIndex(({ id }) => id === entry.id);
      save(at === -1 ? [told, ...entries] : entries.with(at, told));
    },
    remove: (id) => save(list().filter((entry) => entry.id !== id)),
    clear: () => save([]),
  };
}

function readEntries(text: string | null): HistoryEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  return Array.isArray(value) ? value.slice(0, MOST).flatMap((item) => readEntry(item) ?? []) : [];
}

function readEntry(value: unknown): HistoryEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, query, at, status, score, level } = value as Record<string, unknown>;
  if (typeof id !== 'string' || !isSessionId(id) || typeof query !== 'string' || typeof at !== 'string')
    return undefined;
  if (Number.isNaN(Date.parse(at)) || !STATUSES.includes(status)) return undefined;
  return {
    id,
    query: plainLine(query, LONGEST_QUERY),
    at,
    status: status as HistoryEntry['status'],
    ...(typeof score === 'number' && Number.isFinite(score) && { score }),
    ...(LEVELS.includes(level) && { level: level as Level }),
  };
}

/** Whether the service takes it as a session's id. */
export function isSessionId(text: string): boolean {
  return /^[A-Za-z0-9._:-]{1,128}$/.test(text);
}

/** Rows that could not be stored yet, by session; bounded by number and bytes. */
import type { SessionRow } from './store.ts';

export interface PendingLimits {
  readonly rows: number;
  readonly bytes: number;
}

export interface PendingRows {
  readonly size: number;
  /** Adds a row in the place of an older one of its session; gives those, oldest first, that had to go for it. */
  add(row: SessionRow): SessionRow[];
  get(id: string): SessionRow | undefined;
  /** The row that waits longest. */
  first(): SessionRow | undefined;
  /** True when this very row was waiting, and not a newer one in its place. */
  delete(row: SessionRow): boolean;
  rows(): SessionRow[];
}

/** About what a row weighs besides its analysis. */
const ROW_BYTES = 500;

export function createPendingRows(limits: PendingLimits): PendingRows {
  const rows = new Map<string, SessionRow>();
  let bytes = 0;
  const first = (): SessionRow | undefined => rows.values().next().value;
  const remove = (row: SessionRow): boolean => {
    if (rows.get(row.session_id) !== row) return false;
    rows.delete(row.session_id);
    bytes -= bytesOf(row);
    return true;
  };
  return {
    get size() {
      return rows.size;
    },
    add(row) {
      const older = rows.get(row.session_id);
      if (older !== undefined) remove(older);
      rows.set(row.session_id, row);
      bytes += bytesOf(row);
      const dropped: SessionRow[] = [];
      while (rows.size > limits.rows || bytes > limits.bytes) {
        const oldest = first() as SessionRow;
        remove(oldest);
        dropped.push(oldest);
      }
      return dropped;
    },
    get: (id) => rows.get(id),
    first,
    delete: remove,
    rows: () => [...rows.values()],
  };
}

/** V8 keeps a text of Latin letters in one byte each, any other in two: the upper bound. */
function bytesOf({ analysis }: SessionRow): number {
  return ROW_BYTES + 2 * (analysis?.length ?? 0);
}

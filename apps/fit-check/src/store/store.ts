/** Sessions as they are stored: one schema and one set of queries for SQLite and PostgreSQL. */
import { type Kysely, type RawBuilder, sql } from 'kysely';

export type SessionStatus = 'running' | 'complete' | 'error' | 'timeout' | 'cancelled' | 'interrupted';

/** A stored session. `analysis` is what was found, phase by phase, with the verdict. */
export interface StoredSession {
  readonly session_id: string;
  readonly status: SessionStatus;
  readonly created_at: string;
  readonly updated_at: string;
  readonly duration_ms: number | null;
  readonly analysis: object | null;
}

/** A whole row. Every write of one is a single statement, so that no crash leaves half of it. */
export interface SessionRow extends Omit<StoredSession, 'analysis'> {
  /** JSON. */
  readonly analysis: string | null;
  /** The process whose run this is; no two processes have the same. */
  readonly owner: string;
  /** Grows with every row that the owner writes: of two writes that overtake each other, the later one stands. */
  readonly revision: number;
}

/** What the queries know of the tables; `migrations.ts` makes them. */
export interface Tables {
  sessions: SessionRow & {
    /** Until when a `running` row is believed, in milliseconds since 1970 by the database's own clock. */
    readonly lease_until: number;
  };
}

export interface SessionStore {
  /** Migrates the schema; to be called until it succeeds, before anything but `ping`. Throws `SettingsError` for a wrong setting. */
  prepare(): Promise<void>;
  /** Asks the database whether it answers. */
  ping(): Promise<void>;
  /** A session begins, and replaces what was stored under its id; false while another owner runs it. */
  claim(row: SessionRow, leaseMs: number): Promise<boolean>;
  /** Writes a row, however often; false when a newer run of its id stands. */
  save(row: SessionRow, leaseMs: number): Promise<boolean>;
  /** Says of an owner's sessions that they still run; gives those that are the owner's still. */
  renew(owner: string, ids: readonly string[], leaseMs: number): Promise<ReadonlySet<string>>;
  /** Marks as `interrupted` what says `running` and is past its lease. */
  sweep(): Promise<void>;
  /** A `running` row past its lease is read as `interrupted`. */
  get(id: string): Promise<StoredSession | undefined>;
  close(): Promise<void>;
}

/** What differs between the databases. */
export interface Dialect {
  readonly db: Kysely<Tables>;
  /** The database's clock, in milliseconds since 1970: instances need not agree on the time. */
  readonly clock: RawBuilder<number>;
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** Ids a statement: SQLite and PostgreSQL bear about 32,000 parameters. */
const IDS_AT_ONCE = 5000;

export function createStore({ db, clock, prepare, close }: Dialect): SessionStore {
  const leaseUntil = (status: SessionStatus, leaseMs: number): RawBuilder<number> =>
    status === 'running' ? sql<number>`${clock} + ${leaseMs}` : sql<number>`0`;
  const expired = sql<boolean>`(sessions.status = 'running' and sessions.lease_until < ${clock})`;
  const free = sql<boolean>`(sessions.status <> 'running' or ${expired})`;
  const write = (row: SessionRow, leaseMs: number, applies: RawBuilder<boolean>): Promise<boolean> =>
    upsert(db, { ...row, lease_until: leaseUntil(row.status, leaseMs) }, applies);
  return {
    prepare,
    async ping() {
      await sql`SELECT 1`.execute(db);
    },
    // The owner's own rows: a claim that a frozen database carries out late must not undo what was written since.
    claim: (row, leaseMs) =>
      write(
        row,
        leaseMs,
        sql`case when sessions.owner = excluded.owner then sessions.revision < excluded.revision else ${free} end`,
      ),
    // Others' rows: a run whose claim never reached the database replaces older runs only.
    save: (row, leaseMs) =>
      write(
        row,
        leaseMs,
        sql`case when sessions.owner = excluded.owner then sessions.revision <= excluded.revision
          else ${free} and sessions.created_at <= excluded.created_at end`,
      ),
    async renew(owner, ids, leaseMs) {
      const renewed = new Set<string>();
      for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
        const rows = await db
          .updateTable('sessions')
          // Another instance may have marked it meanwhile: the lease ran out while the database was away.
          .set({ status: 'running', lease_until: leaseUntil('running', leaseMs) })
          .where('owner', '=', owner)
          .where('session_id', 'in', ids.slice(at, at + IDS_AT_ONCE))
          .where('status', 'in', ['running', 'interrupted'])
          .returning('session_id')
          .execute();
        for (const { session_id } of rows) renewed.add(session_id);
      }
      return renewed;
    },
    async sweep() {
      await db.updateTable('sessions').set({ status: 'interrupted', updated_at: now() }).where(expired).execute();
    },
    async get(id) {
      const row = await db
        .selectFrom('sessions')
        .select(['session_id', 'created_at', 'updated_at', 'duration_ms', 'analysis'])
        .select(sql<SessionStatus>`case when ${expired} then 'interrupted' else status end`.as('status'))
        .where('session_id', '=', id)
        .executeTakeFirst();
      return row && toStored(row);
    },
    close,
  };
}

/** Writes a whole row; an older one of its id is replaced only where it `applies`. */
async function upsert(
  db: Kysely<Tables>,
  values: SessionRow & { readonly lease_until: RawBuilder<number> },
  applies: RawBuilder<boolean>,
): Promise<boolean> {
  const written = await db
    .insertInto('sessions')
    .values(values)
    .onConflict((conflict) =>
      conflict
        .column('session_id')
        .doUpdateSet(({ ref }) => ({
          status: ref('excluded.status'),
          created_at: ref('excluded.created_at'),
          updated_at: ref('excluded.updated_at'),
          duration_ms: ref('excluded.duration_ms'),
          analysis: ref('excluded.analysis'),
          owner: ref('excluded.owner'),
          revision: ref('excluded.revision'),
          lease_until: ref('excluded.lease_until'),
        }))
        .where(applies),
    )
    .returning('session_id')
    .executeTakeFirst();
  return written !== undefined;
}

/** A row as callers see it. */
export function toStored(row: Pick<SessionRow, keyof StoredSession>): StoredSession {
  const { session_id, status, created_at, updated_at, duration_ms } = row;
  const analysis = row.analysis === null ? null : (JSON.parse(row.analysis) as object);
  return { session_id, status, created_at, updated_at, duration_ms, analysis };
}

/** The time as rows have it. */
export function now(): string {
  return new Date().toISOString();
}

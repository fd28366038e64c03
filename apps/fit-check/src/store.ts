/** Sessions as they are stored, in the embedded SQLite (libSQL), and the schema's migrations. */
import { dirname } from 'node:path';
import { makeFolder, SettingsError } from 'binnacle';
import { Kysely, type Migration, Migrator, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';

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

interface Tables {
  sessions: {
    session_id: string;
    status: SessionStatus;
    created_at: string;
    updated_at: string;
    duration_ms: number | null;
    analysis: string | null;
  };
}

export interface SessionStore {
  /** Asks the database whether it answers. */
  ping(): Promise<void>;
  /** A session begins: replaces whatever was stored under its id. */
  begin(id: string): Promise<void>;
  /** What a session found, before it has ended. */
  keep(id: string, analysis: object): Promise<void>;
  /** A session ended. */
  finish(id: string, status: SessionStatus, durationMs: number): Promise<void>;
  get(id: string): Promise<StoredSession | undefined>;
  close(): Promise<void>;
}

const migrations: Record<string, Migration> = {
  '001_sessions': {
    up: async (db: Kysely<unknown>): Promise<void> => {
      await db.schema
        .createTable('sessions')
        .addColumn('session_id', 'varchar(128)', (column) => column.primaryKey().notNull())
        .addColumn('status', 'varchar(16)', (column) => column.notNull())
        .addColumn('created_at', 'varchar(32)', (column) => column.notNull())
        .addColumn('updated_at', 'varchar(32)', (column) => column.notNull())
        .addColumn('duration_ms', 'double precision')
        .addColumn('analysis', 'text')
        .execute();
      await db.schema.createIndex('sessions_status').on('sessions').column('status').execute();
    },
  },
};

/** Opens the file, migrates it, and marks what a crash left running as `interrupted`. */
export async function openStore(path: string): Promise<SessionStore> {
  const file = openFile(path);
  file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file as unknown as SqliteDatabase }) });
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  if (error !== undefined) throw error;
  await db
    .updateTable('sessions')
    .set({ status: 'interrupted', updated_at: now() })
    .where('status', '=', 'running')
    .execute();
  return createStore(db);
}

/** A file that cannot be opened is a wrong setting. */
function openFile(path: string): Database.Database {
  try {
    if (path !== ':memory:') makeFolder(dirname(path));
    return new Database(path);
  } catch (error) {
    const { code } = error as { code?: string };
    const allowed = `file:PATH where this service may write (${code ?? 'the file cannot be opened'})`;
    throw new SettingsError([{ variable: 'DATABASE_URL', value: `file:${path}`, allowed }]);
  }
}

function createStore(db: Kysely<Tables>): SessionStore {
  const update = async (id: string, values: Partial<Tables['sessions']>): Promise<void> => {
    await db
      .updateTable('sessions')
      .set({ ...values, updated_at: now() })
      .where('session_id', '=', id)
      .execute();
  };
  return {
    async ping() {
      await sql`SELECT 1`.execute(db);
    },
    async begin(id) {
      const fresh = {
        status: 'running' as const,
        created_at: now(),
        updated_at: now(),
        duration_ms: null,
        analysis: null,
      };
      await db
        .insertInto('sessions')
        .values({ session_id: id, ...fresh })
        .onConflict((conflict) => conflict.column('session_id').doUpdateSet(fresh))
        .execute();
    },
    keep: (id, analysis) => update(id, { analysis: JSON.stringify(analysis) }),
    finish: (id, status, durationMs) => update(id, { status, duration_ms: durationMs }),
    async get(id) {
      const row = await db.selectFrom('sessions').selectAll().where('session_id', '=', id).executeTakeFirst();
      return row && { ...row, analysis: row.analysis === null ? null : (JSON.parse(row.analysis) as object) };
    },
    close: () => db.destroy(),
  };
}

function now(): string {
  return new Date().toISOString();
}

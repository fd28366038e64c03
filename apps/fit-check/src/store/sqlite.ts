/** The embedded database: SQLite by libSQL, in a file of this process's own. */
import { dirname } from 'node:path';
import { makeFolder, type ObserveClient, SettingsError } from 'binnacle';
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';
import { migrate } from './migrations.ts';
import { createStore, now, type SessionStore, type Tables } from './store.ts';

/**
 * How long a statement waits for another process that writes to the file, in milliseconds. libSQL waits on the main
 * thread: nothing else is served meanwhile.
 */
const BUSY_MS = 500;

/** SQLite can undo schema changes, which Kysely does not make use of: a crash must not leave half a migration. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class Dialect extends SqliteDialect {
  override createAdapter(): Adapter {
    return new Adapter();
  }
}

/** Opens the file. Throws `SettingsError` where that cannot be done. */
export function openSqlite(path: string, observe: ObserveClient = (file) => file): SessionStore {
  const database = observe(openFile(path)) as unknown as SqliteDatabase;
  const db = new Kysely<Tables>({ dialect: new Dialect({ database }) });
  return createStore({
    db,
    clock: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    async prepare() {
      try {
        await migrate(db);
        // The file has one owner: whatever runs by its word, ran in a process that is gone.
        await db
          .updateTable('sessions')
          .set({ status: 'interrupted', updated_at: now() })
          .where('status', '=', 'running')
          .execute();
      } catch (error) {
        const { code } = error as { code?: unknown };
        throw code === 'SQLITE_READONLY' || code === 'SQLITE_CORRUPT' ? unusable(path, code) : error;
      }
    },
    close: () => db.destroy(),
  });
}

function openFile(path: string): Database.Database {
  try {
    if (path !== ':memory:') makeFolder(dirname(path));
    const file = new Database(path);
    file.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    return file;
  } catch (error) {
    throw unusable(path, (error as { code?: string }).code);
  }
}

function unusable(path: string, code: string | undefined): SettingsError {
  const allowed = `file:PATH where this service may write (${code ?? 'the file cannot be opened'})`;
  return new SettingsError([{ variable: 'DATABASE_URL', value: `file:${path}`, allowed }]);
}

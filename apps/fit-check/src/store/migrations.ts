/** The schema, step by step; the same for both databases. A step that was released is never changed. */
import { type Kysely, type Migration, Migrator } from 'kysely';

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
  '002_leases': {
    up: async (db: Kysely<unknown>): Promise<void> => {
      const add = (name: string, type: 'varchar(64)' | 'integer' | 'bigint', value: string | number): Promise<void> =>
        db.schema
          .alterTable('sessions')
          .addColumn(name, type, (column) => column.notNull().defaultTo(value))
          .execute();
      await add('owner', 'varchar(64)', '');
      await add('revision', 'integer', 0);
      await add('lease_until', 'bigint', 0);
    },
  },
};

/**
 * Brings the schema up to date, in one transaction. Several instances may do so at once: over PostgreSQL Kysely's
 * migrator holds an advisory lock.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  if (error !== undefined) throw error;
}

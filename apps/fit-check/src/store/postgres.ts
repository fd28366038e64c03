/** PostgreSQL, through a pool with limits: no call waits for longer than is said here. */
import { type ObserveClient, readSettings, type SettingsError } from 'binnacle';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';
import { migrate } from './migrations.ts';
import { createStore, type SessionStore, type Tables } from './store.ts';

/** The server cancels a statement just before the client gives up on it, and on the connection with it. */
const LIMITS = {
  max: 10,
  connectionTimeoutMillis: 2000,
  statement_timeout: 2900,
  query_timeout: 3000,
  idleTimeoutMillis: 30_000,
  keepAlive: true,
  application_name: 'fit-check',
} as const;

/** A migration may take its time, and waits for one that another instance runs. */
const MIGRATION_LIMITS = { ...LIMITS, max: 1, statement_timeout: 60_000, query_timeout: 61_000 } as const;

/**
 * Makes a store of the database, and asks it nothing yet. Throws `SettingsError` for a URL that cannot be one.
 * @param onLost called for a connection that broke while nobody used it
 */
export function openPostgres(
  url: string,
  onLost: (error: Error) => void,
  observe: ObserveClient = (pool) => pool,
): SessionStore {
  const config = { connectionString: url };
  try {
    // The pool reads the URL with its first connection only.
    new pg.Client(config);
  } catch (error) {
    const { code = 'it cannot be read' } = error as { code?: string };
    throw wrongUrl(url, `postgres://USER:PASSWORD@HOST:PORT/NAME, with what its query names in place (${code})`);
  }
  const pool = observe(new pg.Pool({ ...LIMITS, ...config }));
  pool.on('error', onLost);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: withoutBroken(pool) }) });
  let prepared = false;
  return createStore({
    db,
    clock: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    async prepare() {
      if (!prepared) await prepareSchema(url);
      prepared = true;
    },
    close: () => db.destroy(),
  });
}

async function prepareSchema(url: string): Promise<void> {
  const pool = new pg.Pool({ ...MIGRATION_LIMITS, connectionString: url });
  // Whoever asks is told by the query that failed.
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: withoutBroken(pool) }) });
  try {
    await sql`SELECT 1`.execute(db);
    await migrate(db);
  } catch (error) {
    const wrong = wrongSetting(error);
    throw wrong === undefined ? error : wrongUrl(url, wrong, error);
  } finally {
    await db.destroy();
  }
}

/**
 * Kysely gives each connection back as a sound one. One on which a query ran out of time is not: the next query would
 * wait behind that. Only an answer of the server's leaves a connection usable, and that only where it does not end it.
 */
function withoutBroken(pool: pg.Pool): PostgresPool {
  // The pool hears a connection's errors while it is idle only. One that breaks in other hands, or in the very moment in
  // which it comes to be, would end the process; its next query tells of it.
  pool.on('connect', (client) => void client.on('error', () => {}));
  return {
    async connect() {
      const client = await pool.connect();
      let broken: Error | undefined;
      const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
        try {
          return await client.query(text, [...values]);
        } catch (error) {
          if (!(error instanceof pg.DatabaseError && error.severity === 'ERROR')) broken = error as Error;
          throw error;
        }
      };
      return { query: query as PostgresPoolClient['query'], release: () => client.release(broken) };
    },
    end: () => pool.end(),
  };
}

/** By SQLSTATE (PostgreSQL's appendix A): what no waiting will mend. */
const WRONG: Readonly<Record<string, string>> = {
  '28P01': 'a URL with the right user and password',
  '28000': 'a URL whose user may log in from here',
  '3D000': 'a URL of a database that exists',
  '42501': 'a URL whose user may create tables',
};

/** What should have been set, for an error that says that the URL is wrong; undefined where the server is but away. */
function wrongSetting(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    if (WRONG[code] !== undefined) return `${WRONG[code]} (${code})`;
    if (/^(ERR_TLS|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/.test(code)) return `a URL with a fitting sslmode (${code})`;
  }
  const said = String(message);
  if (/does not support SSL/.test(said)) return 'a URL without sslmode, as the server speaks no TLS';
  return /client password must be/.test(said) ? 'a URL with a password' : undefined;
}

/** The URL is printed as the library prints it: without user, password and query. */
function wrongUrl(url: string, allowed: string, cause?: unknown): SettingsError {
  try {
    return readSettings({ DATABASE_URL: url }, (from) =>
      from.parse('DATABASE_URL', undefined, () => undefined, allowed),
    ) as never;
  } catch (error) {
    return Object.assign(error as SettingsError, { cause });
  }
}

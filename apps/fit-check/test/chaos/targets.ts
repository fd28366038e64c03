/** The databases that the service is killed over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { PostgresServer } from '../servers/postgres.ts';
import type { Row, Target } from './kills.ts';

const ROWS = 'SELECT session_id, status, duration_ms, analysis FROM sessions';

export function sqliteTarget(): Target & { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'kills-'));
  const path = join(folder, 'fit-check.db');
  const ask = <T>(statement: string): T[] => {
    const file = new Database(path);
    try {
      return file.prepare(statement).all() as T[];
    } finally {
      file.close();
    }
  };
  return {
    folder,
    env: { DATABASE_URL: `file:${path}` },
    rows: async () => ask<Row>(ROWS),
    async check() {
      const [answer] = ask<{ integrity_check: string }>('PRAGMA integrity_check');
      if (answer?.integrity_check !== 'ok') throw new Error(`SQLite says: ${answer?.integrity_check}`);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function postgresTarget(server: PostgresServer, url: string): Target {
  return {
    env: { DATABASE_URL: url },
    rows: () => server.query<Row>(url, ROWS),
    async check() {
      await server.query(url, 'SELECT count(*) FROM sessions');
    },
  };
}

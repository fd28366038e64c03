/** The database that the settings name. */
import type { DatabaseSettings } from '../settings.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import type { SessionStore } from './store.ts';

/** Throws `SettingsError` for a database that cannot be one. `onLost` is told of connections that broke unused. */
export function openStore(database: DatabaseSettings, onLost: (error: Error) => void = () => {}): SessionStore {
  return database.kind === 'sqlite' ? openSqlite(database.path) : openPostgres(database.url, onLost);
}

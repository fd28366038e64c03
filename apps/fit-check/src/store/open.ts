/** The database that the settings name. */
import type { ObserveClient } from 'binnacle';
import type { DatabaseSettings } from '../settings.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import type { SessionStore } from './store.ts';

/** Throws `SettingsError` for a database that cannot be one. `onLost` is told of connections that broke unused. */
export function openStore(
  database: DatabaseSettings,
  onLost: (error: Error) => void,
  observe: ObserveClient,
): SessionStore {
  return database.kind === 'sqlite' ? openSqlite(database.path, observe) : openPostgres(database.url, onLost, observe);
}

/** `REDIS_URL` taken apart. Its query is not read: what a connection may do is decided here, not in an address. */
import { SettingsError } from 'binnacle';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
}

const PORT = 6379;

/** Throws `SettingsError` for a database that is no number. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = new URL(text);
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db))
    throw redisUrlError(text, 'redis://USER:PASSWORD@HOST:PORT/DATABASE, the database a number');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORT : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    db: Number(db),
    tls: url.protocol === 'rediss:',
  };
}

/** A start-stopping error that names the address without user, password and query. */
export function redisUrlError(text: string, allowed: string): SettingsError {
  const { protocol, host, pathname } = new URL(text);
  return new SettingsError([{ variable: 'REDIS_URL', value: `"${protocol}//${host}${pathname}"`, allowed }]);
}

/** A password with a bare `%` is taken as it is. */
function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

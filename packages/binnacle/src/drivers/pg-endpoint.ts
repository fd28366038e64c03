/** Where node-postgres connects to, from its own settings. */
import type { Endpoint } from './client-instance.ts';

/** A client has read its settings. `name` stands in for a database that it does not tell. */
export function endpointOfClient(client: object, name: string | undefined): Endpoint {
  const parameters: unknown = Reflect.get(client, 'connectionParameters');
  const read = (key: string): unknown => {
    const own: unknown = Reflect.get(client, key);
    return own ?? (typeof parameters === 'object' && parameters !== null ? Reflect.get(parameters, key) : undefined);
  };
  return endpoint(read('host'), read('port'), read('database') ?? name);
}

/** A pool has not: until its first connection, they are read as pg will read them. */
export function endpointOfPool(pool: object, name: string | undefined): Endpoint {
  const options = { ...(Reflect.get(pool, 'options') as Readonly<Record<string, unknown>> | undefined) };
  const { env } = process;
  const { connectionString } = options;
  const told = typeof connectionString === 'string' ? { ...options, ...fromUrl(connectionString) } : options;
  const user = told.user ?? env.PGUSER;
  return endpoint(
    told.host ?? env.PGHOST ?? 'localhost',
    told.port ?? env.PGPORT ?? 5432,
    told.database ?? env.PGDATABASE ?? user ?? name,
  );
}

function fromUrl(text: string): Record<string, string> {
  const url = new URL(text);
  const host = url.hostname === '' ? url.searchParams.get('host') : url.hostname.replace(/^\[|\]$/g, '');
  const parts = { host, port: url.port, database: url.pathname.slice(1), user: url.username };
  const told = Object.entries(parts).filter(([, value]) => value !== null && value !== '');
  return Object.fromEntries(told.map(([key, value]) => [key, decodeURIComponent(String(value))]));
}

function endpoint(host: unknown, port: unknown, database: unknown): Endpoint {
  const socket = typeof host === 'string' && host.startsWith('/');
  return {
    namespace: typeof database === 'string' && database !== '' ? database : undefined,
    address: typeof host === 'string' && host !== '' ? host : undefined,
    port: socket || !Number.isInteger(Number(port)) ? undefined : Number(port),
  };
}

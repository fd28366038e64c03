import pg from 'pg';
import { expect, test } from 'vitest';
import { createSignals } from '../../test/signals.ts';
import { createClients } from './client.ts';
import { endpointOfPool } from './pg-endpoint.ts';

test('what cannot be observed is named, with what can', () => {
  const client = createClients(createSignals());
  class Elsewhere {}
  expect(() => client(new Elsewhere())).toThrow(/"pg".*"postgres".*"libsql".*"@libsql\/client".*given Elsewhere/);
  for (const junk of [undefined, null, 1, 'x', {}, [], () => {}, new Map(), Object.create(null)]) {
    expect(() => client(junk as object)).toThrow(TypeError);
  }
});

test.each([
  [{ connectionString: 'postgres://u:p@db.local:6543/app?sslmode=disable' }, ['db.local', 6543, 'app']],
  [{ connectionString: 'postgres://u@db.local' }, ['db.local', 5432, 'u']],
  [{ connectionString: 'postgres://u@[::1]/a%20b' }, ['::1', 5432, 'a b']],
  [{ connectionString: 'postgresql:///app?host=/run/pg' }, ['/run/pg', undefined, 'app']],
  [{ host: 'h', port: 1, database: 'd' }, ['h', 1, 'd']],
  [{ user: 'u' }, ['localhost', 5432, 'u']],
])('a pool is told of as pg will connect it: %j', (config, [address, port, namespace]) => {
  const pool = new pg.Pool(config);
  expect(endpointOfPool(pool, undefined)).toEqual({ address, port, namespace });
  const { host, port: ports, database } = new pg.Client(config);
  expect([host, database]).toEqual([address, namespace]);
  if (port !== undefined) expect(ports).toBe(port);
});

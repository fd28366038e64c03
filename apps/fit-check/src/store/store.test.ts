/** One suite over both databases: the same schema, the same queries, the same answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, type PostgresServer, startPostgres, WITHOUT_POSTGRES } from '../../test/servers/postgres.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import type { SessionRow, SessionStore } from './store.ts';

const LEASE = 60_000;

let postgres: PostgresServer | undefined;
let databases = 0;
beforeAll(async () => {
  if (hasPostgres()) postgres = await startPostgres();
});
afterAll(() => postgres?.close());

const folder = mkdtempSync(join(tmpdir(), 'store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const opened: SessionStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const fail = (error: Error): never => {
  throw error;
};

/** A new, empty database of each kind, to be opened as often as asked for. */
const kinds: Record<'SQLite' | 'PostgreSQL', () => Promise<() => Promise<SessionStore>>> = {
  SQLite: async () => {
    databases += 1;
    const path = join(folder, `n${databases}`, 'fit-check.db');
    return async () => prepared(openSqlite(path));
  },
  PostgreSQL: async () => {
    databases += 1;
    const url = await (postgres as PostgresServer).createDatabase(`n${databases}`);
    return async () => prepared(openPostgres(url, fail));
  },
};

async function prepared(store: SessionStore): Promise<SessionStore> {
  opened.push(store);
  await store.prepare();
  return store;
}

function row(owner: string, revision: number, change: Partial<SessionRow> = {}): SessionRow {
  const at = new Date(Date.UTC(2026, 0, 1) + revision).toISOString();
  const empty = { duration_ms: null, analysis: null };
  return { session_id: 's1', status: 'running', created_at: at, updated_at: at, owner, revision, ...empty, ...change };
}

const done = (owner: string, revision: number, change: Partial<SessionRow> = {}): SessionRow =>
  row(owner, revision, {
    status: 'complete',
    duration_ms: 12.345,
    analysis: '{"verdict":"yes ü \\u0000 \\ud800"}',
    ...change,
  });

for (const [kind, create] of Object.entries(kinds)) {
  const missing = kind === 'PostgreSQL' && !hasPostgres() ? ` (${WITHOUT_POSTGRES})` : '';
  describe.skipIf(missing !== '')(`sessions in ${kind}${missing}`, () => describeStore(kind, create));
}

function describeStore(kind: string, create: (typeof kinds)[keyof typeof kinds]): void {
  it('answers, and knows nothing of an id that was never used', async () => {
    const store = await (await create())();
    await store.ping();
    expect(await store.get('none')).toBeUndefined();
  });

  it('a run is claimed, kept, finished and read as it was written, and no more of it is told', async () => {
    const store = await (await create())();
    expect(await store.claim(row('a', 1), LEASE)).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'running', analysis: null, duration_ms: null });
    expect(await store.save(row('a', 2, { analysis: '{}' }), LEASE)).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'running', analysis: {} });
    const last = done('a', 3);
    expect(await store.save(last, LEASE)).toBe(true);
    expect(await store.get('s1')).toEqual({
      session_id: 's1',
      status: 'complete',
      created_at: last.created_at,
      updated_at: last.updated_at,
      duration_ms: 12.345,
      analysis: { verdict: 'yes ü \u0000 \ud800' },
    });
  });

  it('one of many wins a claim; the winner’s session may run again once it has ended', async () => {
    const open = await create();
    const stores = [await open(), await open(), await open()];
    const claims = await Promise.all(
      stores.flatMap((store, at) => [0, 1].map((n) => store.claim(row(`o${at}-${n}`, 1), LEASE))),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
    const winner = claims.indexOf(true);
    const owner = `o${Math.floor(winner / 2)}-${winner % 2}`;
    const store = stores[0] as SessionStore;
    expect(await store.claim(row('late', 9), LEASE)).toBe(false);
    expect(await store.save(done(owner, 2), LEASE)).toBe(true);
    expect(await store.claim(row('late', 9), LEASE)).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'running', analysis: null, duration_ms: null });
  });

  it('a lease that ran out is read as interrupted, swept, and free to be claimed', async () => {
    const store = await (await create())();
    await store.claim(row('gone', 1, { analysis: '{"a":1}' }), -1);
    await store.claim(row('alive', 1, { session_id: 's2' }), LEASE);
    await wait(2);
    expect(await store.get('s1')).toMatchObject({ status: 'interrupted', analysis: { a: 1 } });
    await store.sweep();
    expect(await store.get('s1')).toMatchObject({ status: 'interrupted' });
    expect(await store.get('s2')).toMatchObject({ status: 'running' });
    expect(await store.claim(row('next', 1), LEASE)).toBe(true);
  });

  it('a lease is renewed for its owner alone, and what was swept meanwhile runs again', async () => {
    const store = await (await create())();
    for (const session_id of ['mine', 'swept', 'ended']) await store.claim(row('a', 1, { session_id }), -1);
    await store.claim(row('b', 1, { session_id: 'theirs' }), LEASE);
    await store.save(done('a', 2, { session_id: 'ended' }), LEASE);
    await wait(2);
    await store.sweep();
    const renewed = await store.renew('a', ['mine', 'swept', 'ended', 'theirs', 'never'], LEASE);
    expect([...renewed].sort()).toEqual(['mine', 'swept']);
    expect(await store.get('swept')).toMatchObject({ status: 'running' });
    expect(await store.get('ended')).toMatchObject({ status: 'complete' });
    expect(await store.renew('a', [], LEASE)).toEqual(new Set());
  });

  it('renews more sessions than one statement bears', async () => {
    const store = await (await create())();
    const ids = Array.from({ length: 40_000 }, (_, n) => `s${n}`);
    await store.claim(row('a', 1, { session_id: 's39999' }), LEASE);
    expect(await store.renew('a', ids, LEASE)).toEqual(new Set(['s39999']));
  });

  it('a write that comes late undoes nothing: neither a claim nor a row of the same owner', async () => {
    const store = await (await create())();
    await store.save(done('a', 3), LEASE);
    expect(await store.claim(row('a', 1), LEASE)).toBe(false);
    expect(await store.save(row('a', 2), LEASE)).toBe(false);
    expect(await store.save(done('a', 3), LEASE)).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'complete', analysis: { verdict: expect.any(String) } });
    // The same owner runs it anew, though the end of its last run never arrived.
    await store.save(row('a', 4), LEASE);
    expect(await store.claim(row('a', 5), LEASE)).toBe(true);
  });

  it('a run that was never claimed replaces older runs, and no newer or running one', async () => {
    const store = await (await create())();
    await store.save(done('old', 10), LEASE);
    expect(await store.save(done('unclaimed', 20), LEASE)).toBe(true);
    expect(await store.save(done('older', 15), LEASE)).toBe(false);
    await store.claim(row('running', 30), LEASE);
    expect(await store.save(done('unclaimed', 40), LEASE)).toBe(false);
    expect(await store.get('s1')).toMatchObject({ status: 'running' });
  });

  it('several instances may migrate an empty database at once, and again', async () => {
    const open = await create();
    const stores = kind === 'SQLite' ? [await open()] : await Promise.all(Array.from({ length: 6 }, open));
    await stores[0]?.claim(row('a', 1), LEASE);
    for (const store of [...stores, await open()]) expect(await store.get('s1')).toBeDefined();
  });
}

describe('SQLite alone', () => {
  it('has one owner: whatever runs when the file is opened was cut short', async () => {
    const open = await kinds.SQLite();
    const first = await open();
    await first.claim(row('a', 1), LEASE);
    await first.save(done('a', 1, { session_id: 'done' }), LEASE);
    await first.close();
    const second = await open();
    expect(await second.get('s1')).toMatchObject({ status: 'interrupted' });
    expect(await second.get('done')).toMatchObject({ status: 'complete' });
  });
});

describe.skipIf(!hasPostgres())('PostgreSQL alone', () => {
  it.each([
    ['a wrong password', (url: string) => url.replace('fit-secret', 'p4ss-w0rd'), /28P01/],
    ['an unknown user', (url: string) => url.replace('fit:', 'nobody:'), /28P01|28000/],
    ['a database that does not exist', (url: string) => `${url}-not`, /3D000/],
    ['TLS where there is none', (url: string) => `${url}?sslmode=verify-full`, /sslmode/],
    ['no password', (url: string) => url.replace(':fit-secret', ''), /a password/],
  ])('%s is a wrong setting, told without the password', async (_name, change, why) => {
    const store = openPostgres(change((postgres as PostgresServer).url()), fail);
    opened.push(store);
    const error = await store.prepare().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'SettingsError', message: expect.stringMatching(why) });
    expect((error as Error).message).toMatch(/^DATABASE_URL="postgres:\/\/127\.0\.0\.1:\d+\/\w+(-not)?" is not usable/);
    expect((error as Error).message).not.toMatch(/fit-secret|p4ss-w0rd|\n/);
  });
});

describe('the PostgreSQL client, without a server', () => {
  it('a URL that cannot be read is a wrong setting before anything is asked', () => {
    expect(() => openPostgres('postgres://u:p4ss@127.0.0.1/x?sslrootcert=/no/such.pem', fail)).toThrow(
      /^DATABASE_URL="postgres:\/\/127\.0\.0\.1\/x" .*\(ENOENT\)$/,
    );
  });

  it('a server that ends a connection in the moment in which it comes to be ends a query, and not the process', async () => {
    const message = (type: string, body: string): string => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length + 4);
      return `${type}${length.toString('latin1')}${body}`;
    };
    const welcome = message('R', '\0\0\0\0') + message('Z', 'I');
    const farewell = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      // All in one packet: the error is there before anybody holds the connection.
      socket.once('data', () => socket.end(Buffer.from(welcome + farewell, 'latin1')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const store = openPostgres(`postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/x`, () => {});
    opened.push(store);
    await expect(store.ping()).rejects.toThrow();
    server.close();
  });
});

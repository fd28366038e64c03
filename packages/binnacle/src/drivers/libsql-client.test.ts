import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@libsql/client';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { activeSpanContext, runInScope } from '../context.ts';
import { inRequest, isReported, parentOf, rejection, told } from './client.test-helper.ts';
import { createClients, type ObserveClient } from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'libsql-client-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let signals: TestSignals;
let client: ObserveClient;
let files = 0;
beforeEach(() => {
  signals = createSignals();
  client = createClients(signals);
});

async function open(): Promise<Client> {
  files += 1;
  const plain = createClient({ url: `file:${join(folder, `${files}.db`)}` });
  await plain.execute('create table t (id integer primary key, word text unique)');
  return plain;
}

test('tells of each style once', async () => {
  const plain = await open();
  const database = client(plain, { name: 'app' });
  expect(database).toBe(plain);
  await inRequest(signals, async (span) => {
    await database.execute("insert into t values (1, 'one')");
    await database.execute({ sql: 'insert into t values (?, ?)', args: [2, 'two'] });
    expect((await database.execute('select word from t where id = ?', [2])).rows).toEqual([{ word: 'two' }]);
    await database.batch(['delete from t where id = 1', { sql: 'delete from t where id = ?', args: [2] }], 'write');
    await database.batch(['select 1', ['delete from t where id = ?', [7]]]);
    await database.batch(['select 1 from t']);
    await database.executeMultiple('select 1; select 2');
    for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
  });
  expect(told(signals)).toEqual([
    'INSERT t',
    'INSERT t',
    'SELECT t',
    'BATCH DELETE t',
    'BATCH app',
    'SELECT t',
    'SELECT app',
  ]);
  expect(signals.ended()[3]?.attributes).toEqual({
    'db.system.name': 'sqlite',
    'db.operation.name': 'BATCH DELETE',
    'db.collection.name': 't',
    'db.namespace': 'app',
    'db.query.text': 'delete from t where id = ?; delete from t where id = ?',
    'db.operation.batch.size': 2,
  });
});

test('transactions are siblings in order', async () => {
  const database = client(await open(), { name: 'app' });
  await inRequest(signals, async (span) => {
    const kept = await database.transaction('write');
    await kept.execute("insert into t (word) values ('a')");
    await kept.commit();
    kept.close();
    const undone = await database.transaction('write');
    await undone.batch(["insert into t (word) values ('b')"]);
    await undone.rollback();
    await undone.rollback();
    for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
  });
  expect(told(signals)).toEqual(['BEGIN app', 'INSERT t', 'COMMIT app', 'BEGIN app', 'INSERT t', 'ROLLBACK app']);
  expect((await database.execute('select word from t')).rows).toEqual([{ word: 'a' }]);
});

test('errors are those of the library, by their code', async () => {
  const database = client(await open(), { name: 'app' });
  const plain = await open();
  const twice = "insert into t (word) values ('x'), ('x')";
  for (const act of [
    (db: Client) => db.execute('selec 1'),
    (db: Client) => db.execute(twice),
    (db: Client) => db.batch(['select 1', twice]),
  ]) {
    const [expected, error] = [await rejection(act(plain)), await rejection(act(database))];
    expect(error.constructor).toBe(expected.constructor);
    expect(error.message).toBe(expected.message);
  }
  database.close();
  await rejection(database.execute('select 1'));
  expect(told(signals)).toEqual([
    '_OTHER app!SQLITE_ERROR',
    'INSERT t!SQLITE_CONSTRAINT',
    'BATCH app!SQLITE_CONSTRAINT',
    'SELECT app!CLIENT_CLOSED',
  ]);
  expect(signals.ended()[3]?.attributes).not.toHaveProperty('db.response.status_code');
});

test('a rejection that nobody hears of is reported as before', async () => {
  const plain = await open();
  const database = client(await open());
  expect(await isReported(() => plain.execute('selec 1'), waited(20))).toBe(true);
  expect(
    await isReported(
      () => database.execute('selec 1'),
      () => signals.ended().length === 1,
    ),
  ).toBe(true);
});

test('over HTTP, requests belong to the call', async () => {
  const server = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const parents: (string | undefined)[] = [];
  const database = client(
    createClient({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      fetch: (...args: Parameters<typeof fetch>) => {
        parents.push(activeSpanContext()?.spanId);
        return fetch(...args);
      },
    }),
  );
  await inRequest(signals, () => rejection(database.execute('select 1')));
  const [span] = signals.ended();
  expect(parents).toContain(span?.spanContext().spanId);
  expect(span?.status.code).toBe(2);
  server.closeAllConnections();
  server.close();
});

test('nothing where tracing is suppressed, and once where handed over twice', async () => {
  const database = client(client(await open()));
  await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => database.execute('select 1'));
  expect(signals.ended()).toEqual([]);
  await database.execute('select 1');
  expect(signals.ended()).toHaveLength(1);
});

/** True after so many turns. */
function waited(turns: number): () => boolean {
  let left = turns;
  return () => {
    left -= 1;
    return left < 0;
  };
}

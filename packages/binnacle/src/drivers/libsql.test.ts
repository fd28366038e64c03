import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';
import { inRequest, parentOf, told } from './client.test-helper.ts';
import { createClients, type ObserveClient } from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'libsql-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let signals: TestSignals;
let client: ObserveClient;
let files = 0;
beforeEach(() => {
  signals = createSignals();
  client = createClients(signals);
});

function open(): Database.Database {
  files += 1;
  const database = new Database(join(folder, `fit-${files}.db`));
  database.exec('create table t (id integer primary key, word text unique)');
  return database;
}

test('tells of each style once, with the file, and without values', () => {
  const database = open();
  expect(client(database)).toBe(database);
  database.exec("insert into t values (1, 'one')");
  database.prepare('insert into t values (?, ?)').run(2, 'two');
  expect(database.prepare('select * from t where id = ?').get(2)).toMatchObject({ id: 2, word: 'two' });
  expect(database.prepare('select word from t order by id').pluck().all()).toEqual(['one', 'two']);
  expect([...database.prepare('select word from t').iterate()]).toHaveLength(2);
  database.pragma('user_version = 3');
  expect(database.pragma('user_version', { simple: true })).toMatchObject({ user_version: 3 });
  expect(told(signals)).toEqual([
    'INSERT t',
    'INSERT t',
    'SELECT t',
    'SELECT t',
    'SELECT t',
    `PRAGMA fit-${files}.db`,
    `PRAGMA fit-${files}.db`,
  ]);
  expect(signals.ended()[0]?.attributes).toEqual({
    'db.system.name': 'sqlite',
    'db.operation.name': 'INSERT',
    'db.collection.name': 't',
    'db.namespace': `fit-${files}.db`,
    'db.query.text': 'insert into t values (?, ?)',
  });
});

test('a name that is told, and a database in memory', () => {
  client(new Database(':memory:')).exec('select 1');
  client(open(), { name: 'sessions' }).exec('select 1');
  expect(signals.ended().map((span) => span.attributes['db.namespace'])).toEqual([undefined, 'sessions']);
});

test('a prepared statement is told of each time it runs', () => {
  const insert = client(open()).prepare('insert into t (word) values (?)');
  for (const word of ['a', 'b', 'c']) insert.run(word);
  expect(told(signals)).toEqual(['INSERT t', 'INSERT t', 'INSERT t']);
});

test('transactions: siblings in order, undone by what the host throws', () => {
  const database = client(open());
  const insert = database.prepare('insert into t (word) values (?)');
  const add = database.transaction((word: string, fail: boolean) => {
    insert.run(word);
    if (fail) throw new Error('undo');
    return word;
  });
  inRequest(signals, (span) => {
    expect(add('a', false)).toBe('a');
    expect(() => add.immediate('b', true)).toThrow('undo');
    const own = signals.ended();
    expect(new Set(own.map(parentOf))).toEqual(new Set([span.spanContext().spanId]));
  });
  const file = `fit-${files}.db`;
  expect(told(signals)).toEqual([
    `BEGIN ${file}`,
    'INSERT t',
    `COMMIT ${file}`,
    `BEGIN ${file}`,
    'INSERT t',
    `ROLLBACK ${file}`,
  ]);
  expect(database.prepare('select count(*) as n from t').get()).toMatchObject({ n: 1 });
});

test('errors are those of libSQL, and recorded by their code', async () => {
  const plain = open();
  const database = client(open());
  for (const act of [
    (db: Database.Database) => db.prepare('selec 1'),
    (db: Database.Database) => db.exec('selec 1'),
    (db: Database.Database) => db.prepare('insert into t (word) values (?), (?)').run('x', 'x'),
    (db: Database.Database) => db.prepare('insert into t (word) values (?), (?) returning id').all('x', 'x'),
  ]) {
    const [expected, error] = [thrown(() => act(plain)), thrown(() => act(database))];
    expect(error).toBeInstanceOf(Database.SqliteError);
    expect({ ...error }).toEqual({ ...expected });
    expect(error.message).toBe(expected.message);
  }
  expect(told(signals)).toEqual([
    `_OTHER fit-${files}.db!SQLITE_ERROR`,
    `_OTHER fit-${files}.db!SQLITE_ERROR`,
    'INSERT t!SQLITE_CONSTRAINT_UNIQUE',
    'INSERT t!SQLITE_CONSTRAINT_UNIQUE',
  ]);
  expect(signals.ended()[2]?.attributes['db.response.status_code']).toBe('SQLITE_CONSTRAINT_UNIQUE');
  const count = (await signals.scrape()).match(/db_client_operation_duration_seconds_count\{.*UNIQUE.*\} (\d)/);
  expect(count?.[1]).toBe('2');
});

describe('iterate', () => {
  test('ends when its reader leaves, and goes on where it was', () => {
    const database = client(open());
    database.exec("insert into t (word) values ('a'), ('b'), ('c')");
    const rows = database.prepare('select word from t order by id').iterate();
    expect(told(signals)).toEqual(['INSERT t']);
    for (const row of rows) {
      expect(row).toEqual({ word: 'a' });
      break;
    }
    expect(told(signals)).toEqual(['INSERT t', 'SELECT t']);
    expect([...rows]).toEqual([{ word: 'b' }, { word: 'c' }]);
    expect(told(signals)).toEqual(['INSERT t', 'SELECT t']);
  });

  test('fails with what reading fails with', () => {
    const database = client(open());
    const rows = database.prepare('select abs(-9223372036854775808) as n from (select 1)').iterate();
    expect(() => rows.next()).toThrow();
    expect(told(signals)[0]).toMatch(/!SQLITE_ERROR$/);
  });
});

test('handed over twice, told of once', () => {
  const database = client(client(open()));
  database.exec('select 1');
  expect(signals.ended()).toHaveLength(1);
});

test('nothing where tracing is suppressed', () => {
  const database = client(open());
  runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => {
    expect(database.prepare('select 1 as one').all()).toEqual([{ one: 1 }]);
    expect([...database.prepare('select 1 as one').iterate()]).toEqual([{ one: 1 }]);
  });
  expect(signals.ended()).toEqual([]);
});

test("telemetry's own failures stay out", () => {
  const broken = {
    ...signals,
    spans: {
      ...signals.spans,
      start: () => {
        throw new Error('broken');
      },
    },
  };
  const database = createClients(broken)(open());
  expect(database.prepare('select 1 as one').all()).toEqual([{ one: 1 }]);
  expect(database.prepare('select 1 as one').get()).toMatchObject({ one: 1 });
});

test("a method that the host's own instrumentation has wrapped is left alone", () => {
  const database = open();
  const exec = Object.assign((sql: string) => Database.prototype.exec.call(database, sql), { __wrapped: true });
  Object.assign(database, { exec });
  client(database);
  expect(database.exec).toBe(exec);
});

test('Kysely: one span a statement, transactions as before', async () => {
  const db = new Kysely<{ t: { id?: number; word: string } }>({
    dialect: new SqliteDialect({ database: client(open()) as unknown as SqliteDatabase }),
  });
  await inRequest(signals, async (span) => {
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('t').values({ word: 'a' }).execute();
      await tx.updateTable('t').set({ word: 'b' }).where('word', '=', 'a').execute();
    });
    await expect(db.insertInto('t').values({ word: 'b' }).execute()).rejects.toThrow(/UNIQUE/);
    expect(await db.selectFrom('t').selectAll().execute()).toEqual([{ id: 1, word: 'b' }]);
    const words: string[] = [];
    for await (const row of db.selectFrom('t').select('word').stream()) words.push(row.word);
    expect(words).toEqual(['b']);
    for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
  });
  const file = `fit-${files}.db`;
  expect(told(signals)).toEqual([
    `BEGIN ${file}`,
    'INSERT t',
    'UPDATE t',
    `COMMIT ${file}`,
    'INSERT t!SQLITE_CONSTRAINT_UNIQUE',
    'SELECT t',
    'SELECT t',
  ]);
  await db.destroy();
});

function thrown(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

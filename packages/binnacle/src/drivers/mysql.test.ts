import { tracingChannel } from 'node:diagnostics_channel';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { createPool as createCallbackPool } from 'mysql2';
import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MariadbServer, skipsMariadb, startMariadb, WITHOUT_MARIADB } from '../../test/servers/mariadb.ts';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';
import { under } from './http-client.test-helper.ts';
import { observeMysql } from './mysql.ts';

const DURATION = 'db_client_operation_duration_seconds_count';

describe.skipIf(skipsMariadb())(`mysql2 (${WITHOUT_MARIADB})`, () => {
  let server: MariadbServer;
  let options: PoolOptions;
  let pool: Pool;
  let signals: TestSignals;
  let stop: () => void;
  beforeAll(async () => {
    server = await startMariadb();
    options = { host: '127.0.0.1', port: server.port, user: 'root', database: server.database, connectionLimit: 2 };
    pool = createPool(options);
    await pool.query('CREATE TABLE people (id INT PRIMARY KEY, name TEXT)');
  });
  afterAll(async () => {
    await pool?.end();
    await server?.close();
  });
  beforeEach(() => {
    signals = createSignals();
    stop = observeMysql(signals);
  });
  afterEach(() => stop());

  test.each<[string, (sql: string, values: unknown[]) => Promise<unknown>]>([
    ['query', (sql, values) => pool.query(sql, values)],
    ['execute', (sql, values) => pool.execute(sql, values as string[])],
  ])('%s: a statement is a client span below its caller, without values', async (_, ask) => {
    const parent = await under(signals, async (span) => {
      await ask('SELECT name FROM people WHERE name = ? AND id > 4711', ["o'secret"]);
      return span;
    });
    const [span, ...others] = signals.ended();
    expect(others).toEqual([]);
    expect(span?.name).toBe('SELECT people');
    expect(span?.kind).toBe(SpanKind.CLIENT);
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(span?.attributes).toEqual({
      'db.system.name': 'mysql',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'people',
      'db.namespace': 'fit',
      'db.query.text': 'SELECT name FROM people WHERE name = ? AND id > ?',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    });
    expect(await signals.value(`${DURATION}{db_system_name="mysql",db_operation_name="SELECT"}`)).toBe(1);
  });

  test('values in a statement stay out, however they are quoted', async () => {
    await pool.query(`SELECT 'it\\'s secret', "a \\" secret", x'5ec3e7' -- secret`);
    expect(signals.ended()[0]?.attributes['db.query.text']).toBe('SELECT ?, ?, ?');
  });

  test.each<[string, (sql: string) => Promise<unknown>]>([
    ['query', (sql) => pool.query(sql)],
    ['execute', (sql) => pool.execute(sql)],
  ])('%s: an error is told by its code, without a message', async (_, ask) => {
    await expect(ask('SELECT * FROM nowhere')).rejects.toThrow();
    const span = signals.ended()[0];
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span?.attributes).toMatchObject({ 'error.type': 'ER_NO_SUCH_TABLE', 'db.collection.name': 'nowhere' });
    expect(span?.events).toEqual([]);
  });

  test.each([
    ['with a callback', (sql: string, done: () => void) => void callbacks().query(sql, done)],
    ['as a stream', (sql: string, done: () => void) => void callbacks().query(sql).once('end', done)],
  ])('%s', async (_, ask) => {
    const parent = await under(signals, async (span) => {
      await new Promise<void>((resolve) => ask('SELECT 1', resolve));
      return span.spanContext().spanId;
    });
    await expect.poll(() => signals.ended().length).toBe(1);
    expect(signals.ended()[0]?.parentSpanContext?.spanId).toBe(parent);
  });

  function callbacks(): ReturnType<typeof createCallbackPool> {
    const opened = createCallbackPool(options);
    afterClosed.push(() => opened.end());
    return opened;
  }
  const afterClosed: (() => void)[] = [];
  afterEach(() => {
    for (const close of afterClosed.splice(0)) close();
  });

  test('200 statements at once over 2 connections each have their own parent', async () => {
    const parents = new Map<string, string>();
    const ask = (index: number): Promise<void> =>
      under(signals, async (span) => {
        parents.set(`t${index}`, span.spanContext().spanId);
        if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        await (index % 2 === 0 ? pool.query(`SELECT 1 AS a FROM people AS t${index}`) : askByHand(index));
      });
    await Promise.all(Array.from({ length: 200 }, (_, index) => ask(index)));
    expect(signals.ended()).toHaveLength(200);
    for (const { attributes, parentSpanContext } of signals.ended()) {
      const alias = String(attributes['db.query.text']).split(' ').at(-1) ?? '';
      expect(parentSpanContext?.spanId).toBe(parents.get(alias));
    }
  });

  async function askByHand(index: number): Promise<void> {
    const connection = await pool.getConnection();
    await connection.execute(`SELECT 1 AS a FROM people AS t${index}`);
    connection.release();
  }

  test('a context that is entered once a connection is there stands', async () => {
    const parent = await new Promise<string>((resolve) => {
      callbacks().getConnection((_, connection) => {
        void under(signals, async (span) => {
          connection.query('SELECT 1', () => resolve(span.spanContext().spanId));
        });
      });
    });
    expect(signals.ended()[0]?.parentSpanContext?.spanId).toBe(parent);
  });

  test('nothing is told where tracing is suppressed', async () => {
    await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => pool.query('SELECT 1'));
    expect(signals.ended()).toEqual([]);
  });

  test('what ends it, ends it', async () => {
    stop();
    await pool.query('SELECT 1');
    expect(signals.ended()).toEqual([]);
  });
});

test('messages of another shape hurt nobody', async () => {
  const signals = createSignals();
  const stop = observeMysql(signals);
  for (const message of [{}, { query: 7 }]) await tracingChannel('mysql2:query').tracePromise(async () => {}, message);
  expect(signals.ended()).toEqual([]);
  stop();
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../../apps/fit-check/test/ports.ts';
import {
  hasPostgres,
  type PostgresServer,
  startPostgres,
  WITHOUT_POSTGRES,
} from '../../../../apps/fit-check/test/servers/postgres.ts';
import { until } from '../../../../apps/fit-check/test/until.ts';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { activeSpanContext, runInScope } from '../context.ts';
import { inRequest, isReported, parentOf, rejection, told } from './client.test-helper.ts';
import { createClients, type ObserveClient } from './client.ts';

const available = hasPostgres();

describe.skipIf(!available)(`pg${available ? '' : ` (${WITHOUT_POSTGRES})`}`, () => {
  let server: PostgresServer;
  let signals: TestSignals;
  let client: ObserveClient;
  let opened: { end(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    await server.query(server.url(), 'create table t (id serial primary key, word text unique)');
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    signals = createSignals();
    client = createClients(signals);
    await server.query(server.url(), 'truncate t restart identity');
  });
  afterEach(async () => {
    await Promise.all(opened.map((one) => one.end()));
    opened = [];
  });

  function plainPool(config: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ connectionString: server.url(), max: 3, ...config });
    pool.on('error', () => {});
    opened.push(pool);
    return pool;
  }
  const openPool = (config?: pg.PoolConfig): pg.Pool => client(plainPool(config));
  async function openClient(config: pg.ClientConfig = {}): Promise<pg.Client> {
    const one = new pg.Client({ connectionString: server.url(), ...config });
    one.on('error', () => {});
    opened.push(one);
    expect(client(one)).toBe(one);
    await one.connect();
    return one;
  }
  const attributes = (name: string, text: string, more = {}) => ({
    'db.system.name': 'postgresql',
    'db.operation.name': name,
    'db.query.text': text,
    'db.namespace': 'postgres',
    'server.address': '127.0.0.1',
    'server.port': server.port,
    ...more,
  });

  /** Each style of asking, and what is told of it. */
  const STYLES: Record<string, (one: pg.Pool | pg.Client) => Promise<unknown>> = {
    text: (one) => one.query("select 1 as one, 'x' as x"),
    values: (one) => one.query('select $1::int as one', [1]),
    config: (one) => one.query({ text: 'select $1::int as one', values: [1], name: 'named', rowMode: 'array' }),
    'config and values': (one) => one.query({ text: 'select $1::int as one' }, [1]),
    callback: (one) =>
      new Promise((resolve, reject) => one.query('select 1 as one', (e, r) => (e ? reject(e) : resolve(r)))),
    'values and callback': (one) =>
      new Promise((resolve, reject) => one.query('select $1::int as one', [1], (e, r) => (e ? reject(e) : resolve(r)))),
  };

  describe.each(Object.entries(STYLES))('%s', (_style, ask) => {
    test.each(['client', 'pool'])('of a %s: one span, and the result as without', async (kind) => {
      const one = kind === 'pool' ? openPool() : await openClient();
      const result = (await ask(one)) as pg.QueryResult;
      const expected = (await ask(plainPool())) as pg.QueryResult;
      expect(JSON.stringify(result)).toBe(JSON.stringify(expected));
      expect(result.constructor).toBe(expected.constructor);
      expect(told(signals)).toEqual(['SELECT postgres']);
    });
  });

  test('attributes follow the conventions', async () => {
    await openPool().query("insert into t (word) values ('secret'), ($1)", ['b']);
    expect(signals.ended()[0]?.attributes).toEqual(
      attributes('INSERT', 'insert into t (word) values (?), ($1)', { 'db.collection.name': 't' }),
    );
    const config = { host: '127.0.0.1', port: server.port, user: 'fit', password: 'fit-secret', database: 'postgres' };
    await openPool({ connectionString: undefined, ...config }).query('select 1');
    expect(signals.ended()[1]?.attributes).toEqual(attributes('SELECT', 'select ?'));
  });

  test("a callback in the configuration, and the callback's context", async () => {
    const one = await openClient();
    const pool = openPool({ max: 1 });
    const own = new AsyncLocalStorage<string>();
    await pool.query('select 1');
    const seen: unknown[] = [];
    const note = (resolve: () => void) => () => {
      seen.push(own.getStore(), activeSpanContext()?.spanId);
      resolve();
    };
    const lent = await pool.connect();
    const spanId = await inRequest(signals, async (span) => {
      await own.run('mine', async () => {
        await new Promise<void>((resolve) => {
          const config = { text: 'select 1', callback: note(resolve) };
          one.query(config as pg.QueryConfig);
        });
        await new Promise<void>((resolve) => void one.query('select 1', note(resolve)));
        const queried = new Promise<void>((resolve) => void pool.query('select 1', note(resolve)));
        const connected = new Promise<void>((resolve) =>
          pool.connect((_error, got, release) => {
            release();
            expect(got?.query).toBeTypeOf('function');
            note(resolve)();
          }),
        );
        runInScope({ otel: ROOT_CONTEXT }, () => own.exit(() => lent.release()));
        await Promise.all([queried, connected]);
      });
      return span.spanContext().spanId;
    });
    expect(seen).toEqual(Array.from({ length: 4 }, () => ['mine', spanId]).flat());
  });

  test('clients that a pool lends are told of, also by callback, and used again', async () => {
    const pool = openPool({ max: 1 });
    for (let n = 0; n < 3; n += 1) {
      const lent = await pool.connect();
      await lent.query('select 1');
      lent.release();
      await pool.query('select 2');
    }
    await new Promise<void>((resolve) =>
      pool.connect(async (_error, lent, release) => {
        await lent?.query('select 3');
        release();
        resolve();
      }),
    );
    expect(signals.ended()).toHaveLength(7);
  });

  test("a query made in the callback of the pool's query has a span of its own", async () => {
    const pool = openPool({ max: 1 });
    await new Promise<void>((resolve) =>
      pool.query('select 1', () => pool.query('selec 2', () => pool.query('select 3', () => resolve()))),
    );
    expect(told(signals)).toEqual(['SELECT postgres', '_OTHER postgres!42601', 'SELECT postgres']);
  });

  test('what a callback does that a pool calls at once is its own', async () => {
    const [ended, other] = [openPool(), openPool()];
    await ended.end();
    opened = opened.filter((one) => one !== ended);
    await new Promise<void>((resolve) => {
      ended.query('select 1', () => {
        other.connect((_error, lent, release) => {
          lent?.query('select 2', () => resolve());
          release();
        });
      });
    });
    expect(told(signals)).toEqual(['SELECT postgres!ConnectionError', 'SELECT postgres']);
  });

  test("a listener of the pool's may set connections up", async () => {
    const pool = plainPool();
    pool.on('connect', (one) => void one.query("set application_name to 'x'"));
    client(pool);
    await pool.query('select 1');
    expect(told(signals).sort()).toEqual(['SELECT postgres', 'SET postgres']);
  });

  test('transactions: siblings in order', async () => {
    const lent = await openPool().connect();
    await inRequest(signals, async (span) => {
      for (const sql of ['BEGIN', "insert into t (word) values ('a')", 'COMMIT']) await lent.query(sql);
      for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
    });
    lent.release();
    expect(told(signals)).toEqual(['BEGIN postgres', 'INSERT t', 'COMMIT postgres']);
  });

  test('errors are those of pg, and recorded by SQLSTATE', async () => {
    const [pool, plain] = [openPool(), plainPool()];
    for (const sql of ['selec 1', "insert into t (word) values ('x'), ('x')"]) {
      const [error, expected] = [await rejection(pool.query(sql)), await rejection(plain.query(sql))];
      expect(error).toBeInstanceOf(pg.DatabaseError);
      expect(error).toEqual(expected);
    }
    expect(told(signals)).toEqual(['_OTHER postgres!42601', 'INSERT t!23505']);
    async function theHost(): Promise<void> {
      await pool.query('selec 1');
    }
    expect((await rejection(theHost())).stack).toContain('theHost');
    expect(signals.ended()[1]?.attributes['db.response.status_code']).toBe('23505');
    const { message } = await rejection(pool.query(undefined as unknown as string));
    expect(message).toBe((await rejection(plain.query(undefined as unknown as string))).message);
  });

  test('a server that is away, time that runs out, a statement that is cancelled', async () => {
    const away = openPool({ connectionString: `postgres://fit:x@127.0.0.1:${await freePort()}/away` });
    expect(await rejection(away.query('select 1'))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await rejection(openPool({ query_timeout: 50 }).query('select pg_sleep(1)'))).toMatchObject({
      message: 'Query read timeout',
    });
    expect(await rejection(openPool({ statement_timeout: 50 }).query('select pg_sleep(1)'))).toMatchObject({
      code: '57014',
    });
    const full = openPool({ max: 1, connectionTimeoutMillis: 50 });
    const lent = await full.connect();
    await rejection(full.query('select 1'));
    lent.release();
    const ended = openPool();
    await ended.end();
    opened.pop();
    await rejection(ended.query('select 1'));
    expect(told(signals)).toEqual([
      'SELECT away!ECONNREFUSED',
      'SELECT postgres!TimeoutError',
      'SELECT postgres!57014',
      'SELECT postgres!TimeoutError',
      'SELECT postgres!ConnectionError',
    ]);
    expect(signals.ended()[0]?.attributes).not.toHaveProperty('db.response.status_code');
  });

  test('a rejection that nobody hears of is reported as before', async () => {
    const [pool, one] = [openPool(), await openClient()];
    expect(
      await isReported(
        () => pool.query('selec 1'),
        () => signals.ended().length === 1,
      ),
    ).toBe(true);
    expect(
      await isReported(
        () => one.query('selec 1'),
        () => signals.ended().length === 2,
      ),
    ).toBe(true);
    expect(
      await isReported(
        () => one.query('selec 1').catch(() => {}),
        () => signals.ended().length === 3,
      ),
    ).toBe(false);
  });

  test('query objects keep their events, and end with them', async () => {
    const one = await openClient();
    const rows: unknown[] = [];
    const query = one.query(new pg.Query('select generate_series(1, 3) as n'));
    query.on('row', (row) => rows.push(row));
    await new Promise((resolve) => query.on('end', resolve));
    expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const failing = one.query(new pg.Query('selec 1'));
    const error = await new Promise((resolve) => failing.on('error', resolve));
    expect(error).toMatchObject({ code: '42601' });
    await until('both are told of', () => signals.ended().length === 2);
    expect(told(signals)).toEqual(['SELECT postgres', '_OTHER postgres!42601']);
  });

  test('something else with submit() passes', async () => {
    const one = await openClient();
    const query = Object.assign(new pg.Query('select 1'), { handleError: undefined });
    one.query(query);
    await new Promise((resolve) => query.on('end', resolve));
    expect(signals.ended()).toEqual([]);
  });

  test('each of a hundred requests is the parent of its own, over three connections', async () => {
    const pool = openPool({ max: 3 });
    const parents = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        inRequest(signals, async (span) => {
          if (n % 3 === 0) {
            const lent = await pool.connect();
            await lent.query(`select ${n} as number_${n}`);
            lent.release();
          } else if (n % 3 === 1) await pool.query(`select ${n} as number_${n}`);
          else await new Promise((resolve) => void pool.query(`select ${n} as number_${n}`, resolve));
          return [`select ? as number_${n}`, span.spanContext().spanId];
        }),
      ),
    );
    const ended = signals.ended().map((span) => [span.attributes['db.query.text'], parentOf(span)]);
    expect(Object.fromEntries(ended)).toEqual(Object.fromEntries(parents));
    expect(ended).toHaveLength(100);
  });

  test("the pool's query covers the wait for a connection", async () => {
    const pool = openPool({ max: 1 });
    const lent = await pool.connect();
    const waiting = pool.query('select 1');
    signals.clock.advance(500);
    lent.release();
    await waiting;
    expect(await signals.scrape()).toMatch(/db_client_operation_duration_seconds_sum\{[^}]*\} 0\.5/);
  });

  test('handed over twice, told of once; a client before its pool too', async () => {
    const pool = client(client(plainPool({ max: 1 })));
    const lent = await pool.connect();
    client(lent);
    lent.release();
    await pool.query('select 1');
    expect(signals.ended()).toHaveLength(1);
    const used = plainPool({ max: 1 });
    await used.query('select 1');
    const again = await client(used).connect();
    await again.query('select 1');
    again.release();
    expect(signals.ended()).toHaveLength(2);
    const late = plainPool({ max: 1 });
    const first = client(await late.connect());
    first.release();
    await client(late).query('select 1');
    expect(signals.ended()).toHaveLength(3);
  });

  test('nothing where tracing is suppressed', async () => {
    const pool = openPool();
    await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, async () => {
      await pool.query('select 1');
      await new Promise((resolve) => void pool.query('select 1', resolve));
      const lent = await pool.connect();
      await lent.query('select 1');
      lent.release();
    });
    expect(signals.ended()).toEqual([]);
  });

  test("where the host's own instrumentation has wrapped the class, its are the spans, and ours the durations", async () => {
    const hosts = plainPool();
    const { query } = pg.Client.prototype;
    class Wrapped extends pg.Client {}
    const wrapped = Object.assign(
      function (this: pg.Client, ...args: unknown[]): unknown {
        return Reflect.apply(query, this, args);
      },
      { __wrapped: true },
    );
    Object.assign(Wrapped.prototype, { query: wrapped });
    Object.assign(hosts, { Client: Wrapped });
    client(hosts);
    await inRequest(signals, async () => {
      expect((await hosts.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      const lent = await hosts.connect();
      await new Promise((resolve) => void lent.query('select 1', resolve));
      lent.release();
    });
    expect(signals.ended()).toEqual([]);
    expect(await signals.scrape()).toMatch(/db_client_operation_duration_seconds_count\{[^}]*"SELECT"[^}]*\} 2\n/);
  });

  test("telemetry's failures stay out", async () => {
    const start = () => {
      throw new Error('broken');
    };
    const broken = createClients({ ...signals, spans: { ...signals.spans, start } })(plainPool());
    expect((await broken.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('Kysely: one span a statement, transactions as before', async () => {
    const pool = openPool();
    const db = new Kysely<{ t: { id?: number; word: string } }>({ dialect: new PostgresDialect({ pool }) });
    await inRequest(signals, async (span) => {
      await db.transaction().execute(async (tx) => {
        await tx.insertInto('t').values({ word: 'a' }).execute();
        await tx.updateTable('t').set({ word: 'b' }).where('word', '=', 'a').execute();
      });
      await rejection(
        db.transaction().execute(async (tx) => {
          await tx.deleteFrom('t').execute();
          await tx
            .insertInto('t')
            .values([{ word: 'b' }, { word: 'b' }])
            .execute();
        }),
      );
      expect(await db.selectFrom('t').select('word').execute()).toEqual([{ word: 'b' }]);
      for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
    });
    expect(told(signals)).toEqual([
      'BEGIN postgres',
      'INSERT t',
      'UPDATE t',
      'COMMIT postgres',
      'BEGIN postgres',
      'DELETE t',
      'INSERT t!23505',
      'ROLLBACK postgres',
      'SELECT t',
    ]);
  });
});

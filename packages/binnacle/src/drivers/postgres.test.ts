import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import postgres, { type Options, type Sql } from 'postgres';
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
import { runInScope } from '../context.ts';
import { inRequest, isReported, parentOf, rejection, told } from './client.test-helper.ts';
import { createClients, type ObserveClient } from './client.ts';

const available = hasPostgres();

describe.skipIf(!available)(`postgres.js${available ? '' : ` (${WITHOUT_POSTGRES})`}`, () => {
  let server: PostgresServer;
  let signals: TestSignals;
  let client: ObserveClient;
  let opened: Sql[] = [];

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
    await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })));
    opened = [];
  });

  function plain(options: Options<Record<string, never>> = {}, url = server.url()): Sql {
    const sql = postgres(url, { max: 3, onnotice: () => {}, ...options });
    opened.push(sql);
    return sql;
  }
  const open = (options?: Options<Record<string, never>>): Sql => client(plain(options));
  const texts = () => signals.ended().map((span) => span.attributes['db.query.text']);

  /** Each style of asking; the results are those without. */
  const STYLES: Record<string, (sql: Sql) => Promise<unknown>> = {
    tag: async (sql) => await sql`select ${1}::int as one, ${'x'} as x`,
    unsafe: async (sql) => await sql.unsafe('select $1::int as one', [1]),
    simple: async (sql) => await sql`select 1 as one`.simple(),
    values: async (sql) => await sql`select 1 as one`.values(),
    raw: async (sql) => await sql`select 1 as one`.raw(),
    describe: async (sql) => ({ ...(await sql`select 1 as one`.describe()), name: '' }),
    execute: async (sql) => await sql`select 1 as one`.execute(),
    'then()': (sql) => Promise.resolve(sql`select 1 as one`.then((rows) => rows)),
    finally: (sql) => sql`select 1 as one`.finally(() => {}),
    forEach: async (sql) => {
      const rows: unknown[] = [];
      await sql`select generate_series(1, 5) as n`.forEach((row) => void rows.push(row));
      return rows;
    },
    'cursor by function': async (sql) => {
      const rows: unknown[] = [];
      await sql`select generate_series(1, 5) as n`.cursor(2, (some) => void rows.push(some));
      return rows;
    },
    'cursor by iterator': async (sql) => {
      const rows: unknown[] = [];
      for await (const some of sql`select generate_series(1, 5) as n`.cursor(2)) rows.push(some);
      return rows;
    },
    'cursor that is left': async (sql) => {
      for await (const some of sql`select generate_series(1, 5) as n`.cursor(2)) return some;
      return undefined;
    },
  };

  test.each(Object.entries(STYLES))('%s: one span, and the result as without', async (_style, ask) => {
    const [sql, without] = [open(), plain()];
    const [result, expected] = [await ask(sql), await ask(without)];
    expect(result).toEqual(expected);
    expect(Object.getPrototypeOf(result)).toBe(Object.getPrototypeOf(expected));
    await until('it is told of', () => signals.ended().length > 0);
    expect(told(signals)).toEqual(['SELECT postgres']);
  });

  test('attributes follow the conventions', async () => {
    const sql = open();
    await sql`insert into t (word) values (${'a'}), ('secret')`;
    expect(signals.ended()[0]?.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'INSERT',
      'db.collection.name': 't',
      'db.namespace': 'postgres',
      'db.query.text': 'insert into t (word) values ($1), (?)',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    });
  });

  test('fragments, identifiers and helpers work within a query, and belong to it', async () => {
    const sql = open();
    const rows = [{ word: 'a' }, { word: 'b' }];
    await sql`insert into ${sql('t')} ${sql(rows)}`;
    const where = sql`where word in ${sql(['a', 'b'])}`;
    const parts = [sql`and word <> ${'z'}`, sql`and id > ${0}`];
    expect(
      await sql`select ${sql(['id', 'word'])} from ${sql('t')} ${where} ${parts} order by ${sql.unsafe('id')}`,
    ).toEqual([
      { id: 1, word: 'a' },
      { id: 2, word: 'b' },
    ]);
    expect(told(signals)).toEqual(['INSERT t', 'SELECT t']);
    expect(texts()).toEqual([
      'insert into "t" ("word")values($1),($2)',
      'select "id","word" from "t" where word in (?) and word <> $3 and id > $4 order by id',
    ]);
  });

  test('a query runs, and is told of, when somebody waits for it, and is their child', async () => {
    const sql = open();
    const lazy = sql`insert into t (word) values ('a')`;
    await sql`select 1`;
    expect(told(signals)).toEqual(['SELECT postgres']);
    await inRequest(signals, async (span) => {
      await lazy;
      await lazy;
      expect(parentOf(signals.ended()[1])).toBe(span.spanContext().spanId);
    });
    expect(told(signals)).toEqual(['SELECT postgres', 'INSERT t']);
  });

  test('it stands for sql: properties, settings, types', async () => {
    const without = plain();
    const sql = client(without);
    expect(Object.keys(sql)).toEqual(Object.keys(without));
    expect(sql.options).toBe(without.options);
    expect(sql.unsafe).toBe(sql.unsafe);
    expect(typeof sql).toBe('function');
    expect(await sql`select ${sql.json({ a: 1 })} as json`).toEqual([{ json: { a: 1 } }]);
    await without`select 1`;
    expect(await sql`select ${sql.array([1, 2])}::int[] as list`).toEqual([{ list: [1, 2] }]);
    const own = new AsyncLocalStorage<number>();
    await own.run(1, async () => {
      await sql`select 1`;
      expect(own.getStore()).toBe(1);
    });
  });

  test('transactions: siblings in order', async () => {
    const sql = open();
    await inRequest(signals, async (span) => {
      const result = await sql.begin(async (tx) => {
        await tx`insert into t (word) values ('a')`;
        await tx.savepoint((part) => part`insert into t (word) values ('b')`);
        return 'done';
      });
      expect(result).toBe('done');
      expect(await sql.begin('read only', (tx) => [tx`select 1 as n`, tx`select 2 as n`])).toEqual([
        [{ n: 1 }],
        [{ n: 2 }],
      ]);
      for (const ended of signals.ended()) expect(parentOf(ended)).toBe(span.spanContext().spanId);
    });
    expect(told(signals)).toEqual([
      ...['BEGIN postgres', 'INSERT t', 'SAVEPOINT postgres', 'INSERT t', 'COMMIT postgres'],
      ...['BEGIN postgres', 'SELECT postgres', 'SELECT postgres', 'COMMIT postgres'],
    ]);
    expect(await sql`select word from t order by id`).toEqual([{ word: 'a' }, { word: 'b' }]);
  });

  test('transactions that are undone reject as before', async () => {
    const [sql, without] = [open(), plain()];
    const undo = new Error('undo');
    const bodies: ((tx: Sql) => Promise<unknown>)[] = [
      async (tx) => {
        await tx`insert into t (word) values ('a')`;
        throw undo;
      },
      async (tx) => await tx`selec 1`,
      // Caught, but the transaction is undone all the same.
      async (tx) => await tx`selec 1`.catch(() => 'caught'),
      async (tx) => {
        await tx`create temporary table late (id int unique deferrable initially deferred) on commit drop`;
        await tx`insert into late values (1), (1)`;
      },
    ];
    for (const body of bodies) {
      const [error, expected] = [
        await rejection(sql.begin(body as never)),
        await rejection(without.begin(body as never)),
      ];
      expect(error.constructor).toBe(expected.constructor);
      expect(error.message).toBe(expected.message);
    }
    expect(told(signals)).toEqual([
      ...['BEGIN postgres', 'INSERT t', 'ROLLBACK postgres'],
      ...['BEGIN postgres', '_OTHER postgres!42601', 'ROLLBACK postgres'],
      ...['BEGIN postgres', '_OTHER postgres!42601', 'ROLLBACK postgres'],
      ...['BEGIN postgres', 'CREATE late', 'INSERT late', 'COMMIT postgres!23505'],
    ]);
    expect(await sql`select count(*)::int as n from t`).toEqual([{ n: 0 }]);
  });

  test('a part that is undone leaves the rest', async () => {
    const sql = open();
    await sql.begin(async (tx) => {
      await tx`insert into t (word) values ('a')`;
      await tx.savepoint('again', (part) => part`insert into t (word) values ('a')`).catch(() => {});
    });
    expect(told(signals)).toEqual([
      ...['BEGIN postgres', 'INSERT t', 'SAVEPOINT postgres', 'INSERT t!23505', 'ROLLBACK postgres', 'COMMIT postgres'],
    ]);
  });

  test('a connection set apart, and notifications', async () => {
    const sql = open();
    const apart = await sql.reserve();
    await apart`select 1`;
    apart.release();
    await sql.notify('channel', 'secret');
    expect(texts()).toEqual(['select ?', 'select pg_notify($1, $2)']);
  });

  test('errors are those of postgres.js, and recorded by SQLSTATE', async () => {
    const [sql, without] = [open(), plain()];
    for (const text of ['selec 1', "insert into t (word) values ('x'), ('x')"]) {
      const [error, expected] = [await rejection(sql.unsafe(text)), await rejection(without.unsafe(text))];
      expect(error).toBeInstanceOf(postgres.PostgresError);
      expect({ ...error }).toEqual({ ...expected });
    }
    async function theHost(): Promise<unknown> {
      return await sql`selec 2`;
    }
    expect((await rejection(theHost())).stack).toContain('theHost');
    const query = sql`select ${1}` as unknown as { origin: string };
    expect(query.origin.split('\n')[1]).toContain('postgres.test.ts');
    await rejection(sql`select ${undefined as unknown as string}`);
    await sql.end();
    await rejection(sql`select 1`);
    expect(told(signals)).toEqual([
      '_OTHER postgres!42601',
      'INSERT t!23505',
      '_OTHER postgres!42601',
      'SELECT postgres!UNDEFINED_VALUE',
      'SELECT postgres!CONNECTION_ENDED',
    ]);
    const statuses = signals.ended().map((span) => span.attributes['db.response.status_code']);
    expect(statuses).toEqual(['42601', '23505', '42601', undefined, undefined]);
  });

  test('a server that is away, time that runs out, a query that is cancelled', async () => {
    const away = client(plain({ connect_timeout: 1 }, `postgres://fit:x@127.0.0.1:${await freePort()}/away`));
    expect(await rejection(away`select 1`)).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await rejection(away.begin((tx) => tx`select 1`))).toMatchObject({ code: 'ECONNREFUSED' });
    const short = open({ connection: { statement_timeout: 50 } });
    expect(await rejection(short`select pg_sleep(1)`)).toMatchObject({ code: '57014' });
    const sql = open();
    const running = sql`select pg_sleep(5)`.execute();
    await until(
      'it runs',
      async () =>
        (await server.query(server.url(), "select 1 from pg_stat_activity where query like 'select pg_sleep(5)%'"))
          .length,
    );
    running.cancel();
    expect(await rejection(running)).toMatchObject({ code: '57014' });
    expect(told(signals)).toEqual([
      'SELECT away!ECONNREFUSED',
      'BEGIN away!ECONNREFUSED',
      'SELECT postgres!57014',
      'SELECT postgres!57014',
    ]);
  });

  test('a rejection that nobody hears of is reported as before', async () => {
    const sql = open();
    const many = (count: number) => () => signals.ended().length >= count;
    expect(await isReported(() => sql`selec 1`.execute(), many(1))).toBe(true);
    expect(await isReported(() => sql.begin(() => Promise.reject(new Error('x'))), many(3))).toBe(true);
    expect(await isReported(() => sql`selec 1`.catch(() => {}), many(4))).toBe(false);
  });

  test('each of a hundred requests is the parent of its own, over three connections', async () => {
    const sql = open({ max: 3 });
    const parents = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        inRequest(signals, async (span) => {
          const text = `select ? as number_${n}`;
          if (n % 2 === 0) await sql.unsafe(`select ${n} as number_${n}`);
          else await sql.begin((tx) => tx.unsafe(`select ${n} as number_${n}`));
          return [text, span.spanContext().spanId];
        }),
      ),
    );
    const ended = signals.ended().filter((span) => span.attributes['db.operation.name'] === 'SELECT');
    expect(ended).toHaveLength(100);
    const found = ended.map((span) => [span.attributes['db.query.text'], parentOf(span)]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(parents));
    expect(signals.ended()).toHaveLength(200);
  });

  test('handed over twice, told of once', async () => {
    const without = plain();
    const sql = client(without);
    expect(client(sql)).toBe(sql);
    expect(client(without)).toBe(sql);
    await sql`select 1`;
    expect(signals.ended()).toHaveLength(1);
  });

  test("nothing where tracing is suppressed, and telemetry's failures stay out", async () => {
    const sql = open();
    await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, async () => {
      await sql`select 1`;
      await sql.begin((tx) => tx`select 1`);
      await rejection(sql`selec 1`);
    });
    expect(signals.ended()).toEqual([]);
    const start = () => {
      throw new Error('broken');
    };
    const broken = createClients({ ...signals, spans: { ...signals.spans, start } })(plain());
    expect(await broken`select 1 as one`).toEqual([{ one: 1 }]);
    expect(await broken.begin((tx) => tx`select 1 as one`)).toEqual([{ one: 1 }]);
  });
});

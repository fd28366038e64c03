import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SqlSummary, summarize } from './sql.ts';
import type { SqlSystem } from './sql-tokens.ts';

const SYSTEMS: readonly SqlSystem[] = ['postgresql', 'sqlite', 'mysql'];

describe('operation and collection', () => {
  const plain: Record<string, [operation: string, collection?: string]> = {
    'select * from users where id = 1': ['SELECT', 'users'],
    'SELECT a FROM "s"."t" AS x WHERE b IS DISTINCT FROM c FOR UPDATE': ['SELECT', 's.t'],
    'select extract(epoch from now()) from t order by a, b limit 3': ['SELECT', 't'],
    'insert into "sessions" ("id") values ($1) on conflict do update set a = 1': ['INSERT', 'sessions'],
    'INSERT OR REPLACE INTO t VALUES (1)': ['INSERT', 't'],
    'update only public.t set a = 1 returning a, b': ['UPDATE', 'public.t'],
    'DELETE FROM t RETURNING a, b': ['DELETE', 't'],
    'create table if not exists t (id int)': ['CREATE', 't'],
    'TRUNCATE TABLE t': ['TRUNCATE', 't'],
    truncate: ['TRUNCATE'],
    'select * from a, b': ['SELECT'],
    'select * from a x, b': ['SELECT'],
    'select * from a as x join b on x.id = b.id': ['SELECT'],
    'select * from (select 1 from a) b': ['SELECT'],
    'select * from a where b in (select b from c)': ['SELECT'],
    'select * from generate_series(1, 2)': ['SELECT'],
    '(select a from t) union (select b from t)': ['SELECT', 't'],
    'with a as (select 1 from q) delete from b': ['DELETE'],
    'with recursive a(n) as (values (1)) select n from a': ['SELECT', 'a'],
    'WITH a': ['WITH'],
    begin: ['BEGIN'],
    'COMMIT;': ['COMMIT'],
    '-- why\n/* and */ SELECT 1': ['SELECT'],
    'copy t from stdin': ['COPY'],
    'pragma user_version': ['PRAGMA'],
    '': ['_OTHER'],
    'frobnicate the table': ['_OTHER'],
    '))((': ['_OTHER'],
  };
  test.each(Object.entries(plain))('%s', (sql, [operation, collection]) => {
    expect(summarize(sql)).toMatchObject({ operation });
    expect(summarize(sql).collection).toBe(collection);
  });
});

describe('text', () => {
  const texts: [string, string, SqlSystem?][] = [
    ["SELECT *  FROM t\n WHERE a='o''brien' -- c\n AND b = $1", 'SELECT * FROM t WHERE a=? AND b = $1'],
    ['select 1, -2.5e-7, 0xff, 1_000, .5, a1 from t2', 'select ?, -?, ?, ?, .?, a1 from t2'],
    ["select e'it\\'s', u&'x', x'ff', $$a'b$$, $t$ a $$ b $t$ from t", 'select ?, ?, ?, ?, ? from t'],
    ["select e'a'\n'b\\'secret', 1", 'select ? ?, ?'],
    ['/* a /* b */ 1 */ select "a ""1"" b"', 'select "a ""1"" b"'],
    ['where a in (1, 2,\n 3) and b IN ($1,$2) and c in (?)', 'where a in (?) and b IN (?) and c in (?)'],
    ["where a in (1, lower('x')) or a in (select 2)", 'where a in (?, lower(?)) or a in (select ?)'],
    ['where a = :name and b = @x and c::int = a[1:2]', 'where a = :name and b = @x and c::int = a[?:?]'],
    ["select '", 'select ?…'],
    ['select "secret', 'select ?…'],
    ['select $$secret', 'select ?…'],
    ["select a from t where b = 'o'brien secret'", 'select a from t where b = ?…'],
    ["select 'a\\' , 'b'", 'select ? , ?'],
    ['select ?1, "a", "o brien", [a b], `c`', 'select ?1, "a", ?, [a b], `c`', 'sqlite'],
    ['select \'it\\\'s\', "it\\"s", `a` # 1\n, 5--3, 2 -- 4\n, 6', 'select ?, ?, `a` , ?- -?, ? , ?', 'mysql'],
  ];
  test.each(texts)('%s', (sql, text, system) => {
    expect(summarize(sql, system).text).toBe(text);
  });

  test('is cut at a token, and says so', () => {
    const { text } = summarize(`select ${'column_name, '.repeat(500)} x from t`);
    expect(text.length).toBeLessThanOrEqual(2000);
    expect(text).toMatch(/column_name,?…$/);
  });

  test('a list of any length is one value, and what follows stays', () => {
    const list = Array.from({ length: 3000 }, (_, n) => n % 10).join(',');
    expect(summarize(`select a from t where b in (${list}) order by a`).text).toBe(
      'select a from t where b in (?) order by a',
    );
  });

  test.each(['x', "'", '(', '$', '$a', '"', '/*', '1', 'IN (1,', '-', 'a.', '\u{1f600}', '\\'])(
    'a megabyte of %s costs no more than its beginning',
    (part) => {
      const once = part.repeat(20_000);
      const sql = part.repeat(Math.ceil(1_000_000 / part.length));
      for (const system of SYSTEMS) {
        expect(timeOf(() => summarize(sql, system))).toBeLessThan(20 * timeOf(() => summarize(once, system)) + 20);
        expect(summarize(sql, system).text.length).toBeLessThanOrEqual(2000);
      }
    },
  );

  test('what is no string is none', () => {
    for (const junk of [undefined, null, 1, {}, []]) {
      expect(summarize(junk as unknown as string)).toEqual({ operation: '_OTHER', text: '' });
    }
  });
});

test('summaries are kept for the statements used last, short ones only', () => {
  const first = summarize('select kept');
  expect(summarize('select kept')).toBe(first);
  for (let n = 0; n < 499; n += 1) summarize(`select a${n}`);
  expect(summarize('select kept')).toBe(first);
  for (let n = 0; n < 500; n += 1) summarize(`select b${n}`);
  expect(summarize('select kept')).not.toBe(first);
  const long = `select ${'a'.repeat(10_001)}`;
  expect(summarize(long)).not.toBe(summarize(long));
});

describe('properties', () => {
  const SECRET = 'zq7Secret';
  const word = fc.constantFrom('select', 'a', 'from', 't', '"n"', 'in', '(', ')', ',', '=', '-', '$1', '.', ';', '?');
  const space = fc.constantFrom(' ', '\n', '/* c */', ' -- d\n');
  const noise = fc.string({ unit: fc.constantFrom('a', ' ', '$', '-', '/', '*', '"', '\n', ',', ')') });
  /** Ways in which a value is written in PostgreSQL; the noise around it is escaped as it has to be. */
  const literal = noise.chain((around) => {
    const value = `${around}${SECRET}${around}`;
    return fc.constantFrom(
      `'${value}'`,
      `E'${value}\\'${SECRET}'`,
      `'${SECRET}''${value}'`,
      `$q$${value.replaceAll('$q$', '')}$q$`,
      `/* ${value.replaceAll('*', '').replaceAll('/', '')} */`,
      `-- ${value.replaceAll('\n', '')}\n`,
    );
  });

  test('no value survives', () => {
    const parts = fc.array(fc.tuple(fc.oneof(word, literal), space), { maxLength: 30 });
    fc.assert(
      fc.property(parts, fc.boolean(), (list, open) => {
        const sql = list.map(([part, gap]) => part + gap).join('') + (open ? ` '${SECRET} and more` : '');
        expect(JSON.stringify(summarize(sql))).not.toContain('zq7');
      }),
      { numRuns: 500 },
    );
  });

  test('no number survives', () => {
    const number = fc.oneof(fc.integer({ min: 100 }), fc.double({ min: 100, noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(number, fc.constantFrom(...SYSTEMS), (value, system) => {
        const { text } = summarize(`select a from t where b = ${value} and c in (${value}, -${value})`, system);
        expect(text).toBe('select a from t where b = ? and c in (?)');
      }),
    );
  });

  const alphabet = fc.constantFrom(
    ...`abEexXIN1 0\n'"$\`[]()?:-/*#\\.,;=é…`.split(''),
    ' IN (',
    'from ',
    '--',
    '/*',
    '*/',
  );
  const junk = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: alphabet, maxLength: 80 }));

  test('never throws, and sanitising twice changes nothing', () => {
    fc.assert(
      fc.property(junk, fc.constantFrom(...SYSTEMS), fc.boolean(), (sql, system, long) => {
        const once: SqlSummary = summarize(long ? sql.repeat(60) : sql, system);
        expect(summarize(once.text, system).text).toBe(once.text);
        expect(once.text.length).toBeLessThanOrEqual(2000);
        expect(once.operation).toMatch(/^[A-Z_]{2,12}$/);
      }),
      { numRuns: 3000 },
    );
  });
});

function timeOf(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    work();
    return performance.now() - from;
  });
  return Math.min(...times);
}

import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeThrown } from './exception.ts';
import { addFields } from './fields.ts';
import { type SafeFields, toSafe } from './safe.ts';
import { createBudget, TEXT_LIMIT } from './text.ts';

const safe = (value: unknown, key = 'field'): unknown => toSafe(key, value, createBudget());
const thrown = (value: unknown) => describeThrown(value, createBudget());
const fields = (source: object): SafeFields => {
  const target: SafeFields = {};
  addFields(target, source, createBudget());
  return target;
};

describe('values', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle.self = cycle;

  test.each<[string, unknown, unknown]>([
    ['BigInt', 12n, '12'],
    ['NaN', Number.NaN, 'NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['symbol', Symbol('s'), 'Symbol(s)'],
    ['function', function named() {}, '[Function named]'],
    ['cycle', cycle, { name: 'a', self: '[Circular]' }],
    [
      'Map',
      new Map<unknown, unknown>([
        ['a', 1],
        ['token', 2],
        [{}, 3],
      ]),
      { a: 1, token: '[REDACTED]', '[Object]': 3 },
    ],
    ['Set', new Set([1, 2]), [1, 2]],
    ['Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['no date', new Date(Number.NaN), 'Invalid Date'],
    ['Buffer', Buffer.from('secret'), '[Buffer 6 bytes]'],
    ['URL', new URL('https://u:p@h/a?b=1#c'), 'https://h/a'],
    ['emitter', new EventEmitter(), '[EventEmitter]'],
    ['socket', new Socket(), '[Socket]'],
    ['promise', Promise.resolve(), '[Promise]'],
    ['empty object', {}, {}],
    ['without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['array with holes', [1, undefined, 3], [1, null, 3]],
    ['toJSON', { toJSON: () => ({ password: 'x' }) }, { password: '[REDACTED]' }],
  ])('%s', (_name, value, expected) => expect(safe(value)).toEqual(expected));

  test('what throws is told and loses nothing else', () => {
    const value = {
      ok: 1,
      get bad(): never {
        throw new Error('no');
      },
      json: {
        toJSON(): never {
          throw new Error('no');
        },
      },
      proxy: new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
        },
      ),
    };
    expect(safe(value)).toEqual({ ok: 1, bad: '[unreadable]', json: '[Object: toJSON threw]', proxy: '[unreadable]' });
  });

  test('size is bounded: text, keys, items, depth, and all together', () => {
    expect(safe('x'.repeat(TEXT_LIMIT + 5))).toBe(`${'x'.repeat(TEXT_LIMIT)}… [5 characters cut]`);
    const many = safe(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))) as object;
    expect(Object.keys(many)).toHaveLength(201);
    expect(many).toMatchObject({ '…': '100 keys cut' });
    expect((safe(Array.from({ length: 1000 })) as unknown[]).at(-1)).toBe('[800 items cut]');
    let deep: object = {};
    for (let i = 0; i < 10_000; i++) deep = { deep };
    expect(JSON.stringify(safe(deep))).toMatch(/^(\{"deep":){8}"\[Object\]"\}{8}$/);
    const wide = (depth: number): object =>
      depth === 0 ? ['x'.repeat(100)] : Array.from({ length: 20 }, () => wide(depth - 1));
    expect(JSON.stringify(safe(wide(4))).length).toBeLessThan(800_000);
    expect(() => Buffer.from(JSON.stringify(safe(`${'x'.repeat(TEXT_LIMIT - 1)}😀`)))).not.toThrow();
  });

  test("secrets are withheld at any depth, and the caller's object stays as it is", () => {
    const value = { a: [{ headers: { Authorization: 'Bearer x', accept: '*/*' } }], input_tokens: 5, user_tokens: 9 };
    const before = structuredClone(value);
    expect(safe(value)).toEqual({
      a: [{ headers: { Authorization: '[REDACTED]', accept: '*/*' } }],
      input_tokens: 5,
      user_tokens: 9,
    });
    expect(value).toEqual(before);
    expect(safe({ password: null, has_password: true, token: 5, credentials: { user: 'a' } })).toEqual({
      password: null,
      has_password: true,
      token: '[REDACTED]',
      credentials: '[REDACTED]',
    });
  });

  test('URLs lose user, query and fragment, where the key says that it is one', () => {
    const value = {
      url: 'https://u:p@h/a?b=c#d',
      originalUrl: '/a?q=1',
      http_target: '/a?q=1',
      path: '/a#b',
      referer: 'http://h/?x',
      location: 'Paris? No',
      note: 'is it? yes',
    };
    expect(safe(value)).toEqual({
      url: 'https://h/a',
      originalUrl: '/a',
      http_target: '/a',
      path: '/a',
      referer: 'http://h/',
      location: 'Paris? No',
      note: 'is it? yes',
    });
  });

  test('a key named __proto__ is data', () => {
    const out = safe(JSON.parse('{"__proto__":{"admin":true},"constructor":1}')) as object;
    expect(Object.getPrototypeOf(out)).toBe(Object.prototype);
    expect(JSON.stringify(out)).toBe('{"__proto__":{"admin":true},"constructor":1}');
  });

  test('anything at all gives JSON', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
        JSON.parse(JSON.stringify({ value: safe(value) }));
      }),
    );
  });
});

describe('exceptions', () => {
  class DbError extends Error {}

  test('type, message, stack, code and causes', () => {
    const cause = Object.assign(new DbError('refused'), { code: 'ECONNREFUSED' });
    const error = new TypeError('no answer from postgres://a:hunter2@db', { cause });
    expect(thrown(error)).toMatchObject({
      type: 'TypeError',
      message: 'no answer from postgres://[REDACTED]@db',
      stack: expect.stringMatching(/^TypeError: no answer/),
      cause: { type: 'DbError', message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(JSON.stringify(thrown(error))).not.toContain('hunter2');
  });

  test('causes end at depth 5, cycles where they close', () => {
    let error = new Error('0');
    for (let i = 1; i < 20; i++) error = new Error(String(i), { cause: error });
    expect(JSON.stringify(thrown(error)).match(/"type"/g)).toHaveLength(6);
    const a = new Error('a');
    a.cause = new Error('b', { cause: a });
    expect(thrown(a).cause?.message).toBe('b');
    expect(thrown(a).cause?.cause).toBeUndefined();
  });

  test('an AggregateError shows its first errors and counts the rest', () => {
    const error = new AggregateError(
      Array.from({ length: 9 }, (_, i) => new Error(`e${i}`)),
      'all failed',
    );
    expect(thrown(error).errors).toHaveLength(5);
    expect(thrown(error)).toMatchObject({ type: 'AggregateError', message: 'all failed', errors_cut: 4 });
  });

  test.each([
    ['text', { type: 'string', message: 'text' }],
    [undefined, { type: 'undefined', message: 'undefined' }],
    [null, { type: 'null', message: 'null' }],
    [{ message: 'odd' }, { type: 'Object', message: 'odd' }],
    [42n, { type: 'bigint', message: '42' }],
  ])('%s may be thrown', (value, expected) => expect(thrown(value)).toEqual(expected));

  test('an error whose properties throw is still an exception', () => {
    const error = new Error('x');
    for (const name of ['stack', 'message', 'code', 'cause', 'name'])
      Object.defineProperty(error, name, {
        get() {
          throw new Error('no');
        },
      });
    expect(thrown(error)).toEqual({ type: 'Error', message: '' });
  });
});

describe('fields', () => {
  test.each(['err', 'error', 'exception'])('an error under %s is the exception', (key) => {
    expect(fields({ [key]: new RangeError('x'), a: 1 })).toMatchObject({ exception: { type: 'RangeError' }, a: 1 });
  });

  test('a code under error stays; a thrown text under err is an exception; a second error keeps its name', () => {
    expect(fields({ error: 'ECONNREFUSED' })).toEqual({ error: 'ECONNREFUSED' });
    expect(fields({ err: 'text' })).toEqual({ exception: { type: 'string', message: 'text' } });
    expect(fields({ err: new Error('1'), error: new Error('2') })).toMatchObject({
      exception: { message: '1' },
      error: { message: '2' },
    });
  });

  test("Fastify's req, res and responseTime", () => {
    const raw = new IncomingMessage(new Socket());
    Object.assign(raw, { method: 'POST', url: '/api/x?token=1', headers: { cookie: 'a' } });
    expect(fields({ req: raw, res: { statusCode: 201, headers: {} }, responseTime: 1.5 })).toEqual({
      method: 'POST',
      path: '/api/x',
      http_status: 201,
      duration_ms: 1.5,
    });
    expect(safe({ nested: raw })).toEqual({ nested: { method: 'POST', path: '/api/x' } });
    expect(fields({ req: null, res: 'odd' })).toEqual({ req: null, res: 'odd' });
  });

  test('names of a line of its own get an underscore', () => {
    expect(fields({ level: 1, version: 'v', timestamp: 't', logger: 'l' })).toEqual({
      level_: 1,
      version_: 'v',
      timestamp_: 't',
      logger_: 'l',
    });
  });

  test('fields that cannot be read, or are too many, do not lose the line', () => {
    const bad = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    expect(fields(bad)).toEqual({ fields: '[unreadable]' });
    expect(Object.keys(fields(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]))))).toHaveLength(
      201,
    );
  });
});

describe('secrets whose name stands beside them', () => {
  test.each<[string, unknown, unknown]>([
    [
      'rawHeaders',
      ['Host', 'h', 'Authorization', 'Bearer abc', 'Cookie', 'a=b'],
      ['Host', 'h', 'Authorization', '[REDACTED]', 'Cookie', '[REDACTED]'],
    ],
    [
      'entries',
      [
        ['accept', 'a'],
        ['x-api-key', 'k'],
      ],
      [
        ['accept', 'a'],
        ['x-api-key', '[REDACTED]'],
      ],
    ],
    [
      'headers',
      [
        { name: 'Accept', value: 'a' },
        { name: 'Cookie', value: 'c' },
      ],
      [
        { name: 'Accept', value: 'a' },
        { name: 'Cookie', value: '[REDACTED]' },
      ],
    ],
    ['fields', ['password', 'email'], ['password', 'email']],
  ])('%s', (key, value, expected) => expect(safe(value, key)).toEqual(expected));
});

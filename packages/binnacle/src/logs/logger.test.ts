import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { runInScope, type Scope } from '../context.ts';
import { createFaults } from '../faults.ts';
import type { LogSettings } from '../settings.ts';
import { createLogs, createTimestamp, type Logs, levelOf } from './logger.ts';

type Line = Record<string, unknown>;

interface Opened extends Logs {
  readonly raw: string[];
  lines(): Line[];
  last(): Line;
  readonly counts: { dropped: number; withoutContext: number };
}

function open(settings: Partial<LogSettings> = {}): Opened {
  const raw: string[] = [];
  const counts = { dropped: 0, withoutContext: 0 };
  const logs = createLogs({
    settings: {
      level: 'INFO',
      levels: { undici: 'WARNING', otel: 'WARNING', noisy: 'DEBUG' },
      format: 'json',
      file: undefined,
      caller: false,
      ...settings,
    },
    service: 'fit-check',
    version: '1.2.3',
    environment: 'test',
    faults: createFaults(),
    onDropped: (lines) => {
      counts.dropped += lines;
    },
    onWithoutContext: () => {
      counts.withoutContext += 1;
    },
    destination: { write: (line) => raw.push(line) },
    clock: { wall: () => Date.UTC(2026, 0, 2, 3, 4, 5, 67) + 0.5 },
  });
  const lines = (): Line[] => raw.map((line) => parseUnique(line));
  return { ...logs, raw, counts, lines, last: () => lines().at(-1) ?? {} };
}

/** Parses a line and holds it to one key a name, at the top. */
function parseUnique(line: string): Line {
  expect(line.endsWith('\n')).toBe(true);
  expect(line.slice(0, -1)).not.toContain('\n');
  const parsed = JSON.parse(line) as Line;
  expect(JSON.stringify(parsed)).toBe(line.slice(0, -1));
  return parsed;
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const span = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: TraceFlags.SAMPLED };
const scope: Scope = {
  request: { requestId: 'req-1', sessionId: 'log-test-123', userId: 'u1', ip: '192.0.2.1' },
  otel: trace.setSpanContext(ROOT_CONTEXT, span),
  phase: 'connecting',
};
const ids = {
  request_id: 'req-1',
  session_id: 'log-test-123',
  user_id: 'u1',
  ip: '192.0.2.1',
  trace_id: TRACE_ID,
  span_id: SPAN_ID,
  trace_flags: '01',
  phase: 'connecting',
};

describe('a line', () => {
  test("has the contract's fields in the contract's order", () => {
    const logs = open();
    runInScope(scope, () =>
      logs.log.info({ duration_ms: 450.1, err: new Error('x') }, '[log-test-123] Phase completed'),
    );
    expect(Object.keys(logs.last())).toEqual([
      ...['timestamp', 'level', 'logger', 'message'],
      ...Object.keys(ids),
      ...['duration_ms', 'exception', 'service', 'version', 'environment'],
    ]);
    expect(logs.last()).toMatchObject({
      timestamp: '2026-01-02T03:04:05.067Z',
      level: 'INFO',
      logger: 'fit-check',
      ...ids,
      service: 'fit-check',
      version: '1.2.3',
      environment: 'test',
    });
    expect(logs.counts.withoutContext).toBe(0);
  });

  test('levels go by their words', () => {
    const logs = open({ level: 'TRACE' });
    for (const method of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) logs.log[method]('x');
    expect(logs.lines().map((line) => line.level)).toEqual(['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']);
  });

  test.each<[string, unknown[], Line]>([
    ['text', ['hello'], { message: 'hello' }],
    [
      'text with values',
      ['%s is %d of %j %% %x', 'a', '2', { token: 'x' }],
      { message: 'a is 2 of {"token":"[REDACTED]"} % %x' },
    ],
    ['fields and text', [{ a: 1 }, 'hello %s', 'you'], { message: 'hello you', a: 1 }],
    ['fields alone', [{ a: 1 }], { message: '', a: 1 }],
    ['a message among the fields', [{ message: 'inner' }], { message: 'inner' }],
    ['two messages', [{ message: 'inner' }, 'outer'], { message: 'outer', message_: 'inner' }],
    ['an error', [new TypeError('bad')], { message: 'bad', exception: { type: 'TypeError' } }],
    ['an error and text', [new TypeError('bad'), 'failed'], { message: 'failed', exception: { message: 'bad' } }],
    ['an error under err', [{ err: new TypeError('bad') }], { message: 'bad', exception: { type: 'TypeError' } }],
    ['text, then an error', ['failed', new TypeError('bad')], { message: 'failed', exception: { message: 'bad' } }],
    ['nothing', [], { message: '' }],
    ['null', [null, 'hello'], { message: 'hello' }],
    ['a number', [5], { message: '5' }],
    ['a symbol', [Symbol('s')], { message: 'Symbol(s)' }],
    [
      'secrets',
      [{ api_key: 'k', input_tokens: 1 }, 'Bearer abc'],
      { message: 'Bearer [REDACTED]', api_key: '[REDACTED]' },
    ],
    [
      'names of ours',
      [{ level: 1, service: 's' }, 'x'],
      { level: 'INFO', level_: 1, service: 'fit-check', service_: 's' },
    ],
    ['what pino would take for a request', [{ method: 'GET', headers: {}, socket: 'x' }, 'x'], { message: 'x' }],
  ])('takes %s', (_name, args, expected) => {
    const logs = open();
    Reflect.apply(logs.log.info, logs.log, args);
    expect(logs.last()).toMatchObject(expected);
    expect(logs.raw).toHaveLength(1);
  });

  test('an explicit field wins over the context, but not over its ids', () => {
    const logs = open();
    runInScope(scope, () => logs.log.info({ session_id: 'own', request_id: 'forged', trace_id: 'forged' }, 'x'));
    expect(logs.last()).toMatchObject({ ...ids, session_id: 'own' });
    logs.log.info({ request_id: 'given' }, 'without context');
    expect(logs.last().request_id).toBe('given');
    expect(logs.counts.withoutContext).toBe(1);
  });

  test("no span, another process' span and an invalid one give no trace ids", () => {
    const logs = open();
    const others = [
      ROOT_CONTEXT,
      trace.setSpanContext(ROOT_CONTEXT, { ...span, isRemote: true }),
      trace.setSpanContext(ROOT_CONTEXT, { ...span, traceId: '0'.repeat(32) }),
    ];
    for (const otel of others) {
      runInScope({ ...scope, otel }, () => logs.log.info('x'));
      expect(logs.last()).not.toHaveProperty('trace_id');
      expect(logs.last().request_id).toBe('req-1');
    }
  });

  test('an unsampled span says so', () => {
    const logs = open();
    const otel = trace.setSpanContext(ROOT_CONTEXT, { ...span, traceFlags: TraceFlags.NONE });
    runInScope({ ...scope, otel }, () => logs.log.info('x'));
    expect(logs.last().trace_flags).toBe('00');
  });

  test('nothing a caller hands over loses the line or throws', () => {
    const logs = open();
    const odd: unknown[] = [
      { a: 1n, b: Symbol('x'), c: () => {}, d: Number.NaN, e: new Map([[{}, 1]]) },
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
      {
        get bad() {
          throw new Error('no');
        },
      },
      {
        toJSON() {
          throw new Error('no');
        },
      },
    ];
    for (const value of odd) logs.log.info(value, 'kept');
    expect(logs.lines().map((line) => line.message)).toEqual(odd.map(() => 'kept'));
    const child = logs.log.child(
      {},
      {
        serializers: {
          a: () => {
            throw new Error('no');
          },
        },
      },
    );
    child.info({ a: 1 }, 'kept too');
    expect(logs.last()).toMatchObject({ message: 'kept too', level: 'INFO' });
  });
});

describe('children', () => {
  test('carry their bindings once, redacted, and a line wins over them', () => {
    const logs = open();
    const child = logs.log
      .child({ a: 1, session_id: 'bound', apiKey: 'k' })
      .child({ a: 2, req: { method: 'GET', url: '/x?y' } });
    runInScope(scope, () => child.info({ b: 3 }, 'x'));
    expect(logs.last()).toMatchObject({
      a: 2,
      b: 3,
      session_id: 'bound',
      apiKey: '[REDACTED]',
      method: 'GET',
      path: '/x',
    });
    child.info({ a: 9 }, 'x');
    expect(logs.last().a).toBe(9);
    child.setBindings({ c: 4 });
    expect(child.bindings()).toMatchObject({ logger: 'fit-check', a: 2, c: 4, apiKey: '[REDACTED]' });
    logs.log.info('the parent has none of it');
    expect(logs.last()).not.toHaveProperty('a');
  });

  test("may name themselves, and pino's options work", () => {
    const logs = open();
    logs.log.child({ logger: 'part' }, { msgPrefix: '[p] ', level: 'debug' }).debug('x');
    expect(logs.last()).toMatchObject({ logger: 'part', message: '[p] x', level: 'DEBUG' });
    logs.log.child({}, { serializers: { user: (user: { id: number }) => user.id } }).info({ user: { id: 7 } }, 'x');
    expect(logs.last().user).toBe(7);
    expect(() => Reflect.apply(logs.log.child, logs.log, [])).toThrow('missing bindings');
  });
});

describe('levels by logger', () => {
  test('quiet third parties, loud ones, and a dotted name', () => {
    const logs = open();
    for (const name of ['undici', 'undici.fetch', 'undicious', 'noisy', 'fit-check']) {
      logs.logger(name).debug('debug');
      logs.logger(name).info('info');
      logs.logger(name).warn('warn');
    }
    expect(logs.lines().map((line) => `${line.logger} ${line.message}`)).toEqual([
      ...['undici warn', 'undici.fetch warn', 'undicious info', 'undicious warn'],
      ...['noisy debug', 'noisy info', 'noisy warn', 'fit-check info', 'fit-check warn'],
    ]);
    expect(logs.logger('undici')).toBe(logs.logger('undici'));
  });

  test('the longest beginning counts', () => {
    const settings = { level: 'INFO', levels: { a: 'ERROR', 'a.b': 'TRACE' } } as const;
    expect(['a', 'a.b', 'a.b.c', 'a.c', 'ab', '', 'toString'].map((name) => levelOf(name, settings))).toEqual([
      ...['ERROR', 'TRACE', 'TRACE', 'ERROR', 'INFO', 'INFO', 'INFO'],
    ]);
  });

  test('write goes by the same levels and never throws', () => {
    const logs = open();
    logs.write('INFO', 'otel', 'quiet');
    logs.write('WARNING', 'otel', '100% literal %s', { a: 1 });
    expect(logs.lines()).toHaveLength(1);
    expect(logs.last()).toMatchObject({ level: 'WARNING', logger: 'otel', message: '100% literal %s', a: 1 });
    expect(() => Reflect.apply(logs.write, undefined, ['ODD', 'x', 'y'])).not.toThrow();
    expect(logs.counts.dropped).toBe(1);
  });

  test('a destination that throws costs lines, not the caller', () => {
    let dropped = 0;
    const { log } = createLogs({
      settings: { level: 'INFO', levels: {}, format: 'json', file: undefined, caller: false },
      service: 's',
      version: '',
      environment: 'test',
      faults: createFaults(),
      onDropped: (lines) => {
        dropped += lines;
      },
      onWithoutContext: () => {},
      destination: {
        write() {
          throw new Error('no');
        },
      },
    });
    log.info('x');
    expect(dropped).toBe(1);
  });
});

describe('formats', () => {
  test('text', () => {
    const logs = open({ format: 'text' });
    logs.log.info({ a: 1 }, 'hello\nyou');
    expect(logs.raw.join('')).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}fit-check {2}hello\\nyou {2}a=1\n$/);
  });

  test('timestamps are exact in every millisecond, before and after a second turns', () => {
    const stamp = createTimestamp();
    for (const ms of [0, 1, 10, 999, 1000, 1001, 999, 1_767_323_045_067, -1, -1000, 86_399_999]) {
      expect(stamp(ms)).toBe(`"timestamp":"${new Date(ms).toISOString()}"`);
    }
  });
});

test('Fastify takes the logger as its own: its lines are ours', async () => {
  const logs = open();
  const app = Fastify({ loggerInstance: logs.log });
  app.get('/hello/:name', async (request) => {
    request.log.info({ req: request }, 'in hand');
    return 'ok';
  });
  app.get('/fail', async () => {
    throw new Error('broken');
  });
  await app.inject('/hello/x?token=secret');
  await app.inject('/fail?token=secret');
  await app.close();
  expect(logs.raw.join('')).not.toContain('secret');
  expect(logs.lines().find((line) => line.message === 'in hand')).toMatchObject({ method: 'GET', path: '/hello/x' });
  expect(logs.lines().find((line) => line.level === 'ERROR')).toMatchObject({
    exception: { type: 'Error', message: 'broken' },
    path: '/fail',
    http_status: 500,
  });
  expect(logs.lines().find((line) => line.message === 'request completed')).toMatchObject({
    http_status: 200,
    duration_ms: expect.any(Number),
  });
});

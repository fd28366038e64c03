import { afterEach, describe, expect, test } from 'vitest';
import { type Check, createHealth, type Health } from './health.ts';
import { byHand, createHandHealth, hang } from './testing-health.test-helper.ts';

const open: Health[] = [];
afterEach(() => {
  for (const health of open.splice(0)) health.close();
});

function setUp() {
  const made = createHandHealth();
  open.push(made.health);
  return made;
}

describe('a check that hangs', () => {
  test('times out, is not started again, and ages', async () => {
    const { clock, health } = setUp();
    const hung = byHand();
    health.check('database', hung.check);
    let started = false;
    void health.start().then(() => {
      started = true;
    });
    await clock.advance(1999);
    expect(started).toBe(false);
    await clock.advance(1);
    expect(started).toBe(true);
    expect(hung.signals[0]?.aborted).toBe(true);
    const timedOut = { status: 'unhealthy', error: 'timeout', duration_ms: 2000 };
    expect(health.ready().checks.database).toMatchObject({ ...timedOut, age_ms: 0.001 });
    await clock.advance(60_000);
    expect(hung.runs).toBe(1);
    expect(health.ready().checks.database).toMatchObject({ ...timedOut, age_ms: 60_000 });
  });

  test('may settle late: that result is not used, the next round asks again', async () => {
    const { clock, health } = setUp();
    const late = byHand();
    health.check('database', late.check);
    void health.start();
    await clock.advance(3000);
    late.pass();
    await clock.advance(0);
    expect(health.ready().checks.database).toMatchObject({ error: 'timeout' });
    await clock.advance(2000);
    expect(late.runs).toBe(2);
    late.pass();
    await clock.advance(0);
    expect(health.ready().checks.database).toMatchObject({ status: 'healthy' });
  });

  test('does not hold the others up, nor the answer', async () => {
    const { clock, health } = setUp();
    health.check('redis', hang, { timeoutMs: 60_000 });
    let runs = 0;
    health.check('database', () => void runs++);
    void health.start();
    await clock.advance(20_000);
    expect(runs).toBe(5);
    const startedAt = performance.now();
    for (let i = 0; i < 1000; i++) health.report();
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(health.ready()).toMatchObject({ status: 'degraded', checks: { database: { status: 'healthy' } } });
  });

  test('an answer that came while the event loop was blocked counts, though the timer is due', async () => {
    const health = createHealth({
      settings: { intervalMs: 60_000, critical: [] },
      service: 's',
      version: '1',
      write: () => {},
    });
    open.push(health);
    const blocked: Check = () =>
      new Promise<void>((resolve) => {
        setImmediate(resolve);
        const end = performance.now() + 60;
        while (performance.now() < end);
      });
    health.check('x', blocked, { timeoutMs: 20 });
    await health.start();
    expect(health.ready().checks.x?.status).toBe('healthy');
  });
});

describe('what a check gives', () => {
  async function reportOf(check: Check) {
    const { health } = setUp();
    health.check('x', check);
    await health.start();
    return health.ready().checks.x;
  }

  class DriverError extends Error {
    override name = 'DriverError';
  }
  const hostile = {
    get status(): never {
      throw new Error('no');
    },
  };

  test.each<[string, () => unknown, string | undefined, string]>([
    ['nothing', () => undefined, undefined, 'healthy'],
    ['null', () => null, undefined, 'healthy'],
    ['an empty result', () => ({}), undefined, 'healthy'],
    ['degraded', () => ({ status: 'degraded' }), undefined, 'degraded'],
    ['an error code alone', () => ({ error: 'empty' }), 'empty', 'unhealthy'],
    ['an error text', () => ({ error: 'connect to db.internal:5432 failed' }), 'error', 'unhealthy'],
    ['a host as error', () => ({ error: 'db.internal' }), 'error', 'unhealthy'],
    ['a boolean', () => true, 'invalid_result', 'unhealthy'],
    ['a list', () => [1], 'invalid_result', 'unhealthy'],
    ['an unknown status', () => ({ status: 'great' }), 'invalid_result', 'unhealthy'],
    ['a getter that throws', () => hostile, 'invalid_result', 'unhealthy'],
  ])('%s', async (_, give, error, status) => {
    for (const check of [give, async () => give()] as Check[]) {
      const report = await reportOf(check);
      expect([report?.status, report?.error]).toEqual([status, error]);
    }
  });

  test.each<[string, unknown, string]>([
    ['a code', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ["PostgreSQL's code", Object.assign(new Error('password wrong'), { code: '28P01' }), '28P01'],
    ['a numeric code', Object.assign(new Error('x'), { code: 14 }), '14'],
    ["a cause's code", new Error('x', { cause: Object.assign(new Error('y'), { code: 'ENOTFOUND' }) }), 'ENOTFOUND'],
    ['one of several', new AggregateError([Object.assign(new Error('y'), { code: 'EPIPE' })]), 'EPIPE'],
    ['a name', new DriverError('postgres://user:secret@db/x'), 'DriverError'],
    ['an abort', new DOMException('x', 'AbortError'), 'AbortError'],
    ['a code that is a text', Object.assign(new Error('x'), { code: 'db.internal:5432' }), 'Error'],
    ['a string', 'postgres://user:secret@db/x', 'error'],
    ['nothing', undefined, 'error'],
  ])('throws %s', async (_, thrown, error) => {
    const throwing: Check = () => {
      throw thrown;
    };
    for (const check of [throwing, () => Promise.reject(thrown)]) {
      expect(await reportOf(check)).toMatchObject({ status: 'unhealthy', error });
    }
  });

  test('details keep their names but take none of ours, and are bounded', async () => {
    const report = await reportOf(() => ({
      status: 'degraded',
      critical: true,
      age_ms: -1,
      duration_ms: -1,
      free_bytes: 12n,
      text: 'x'.repeat(1000),
      nested: { a: 1 },
      nan: Number.NaN,
      'not a name': 1,
      ...JSON.parse('{"__proto__": 5}'),
    }));
    expect(report).toEqual({
      status: 'degraded',
      critical: false,
      duration_ms: 0.001,
      age_ms: 0.001,
      free_bytes: 12,
      text: 'x'.repeat(200),
    });
    const many = await reportOf(() => Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d${i}`, i])));
    expect(Object.keys(many ?? {}).filter((name) => /^d\d/.test(name))).toHaveLength(16);
  });
});

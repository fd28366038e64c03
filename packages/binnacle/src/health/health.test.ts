import { ROOT_CONTEXT } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { afterEach, describe, expect, test } from 'vitest';
import { currentScope, runInScope } from '../context.ts';
import { createHandClock } from '../testing/hand-clock.ts';
import { type Check, type CheckOptions, createHealth, type Health } from './health.ts';
import { byHand, createHandHealth, hang, pass, refuse } from './testing-health.test-helper.ts';

const open: Health[] = [];
afterEach(() => {
  for (const health of open.splice(0)) health.close();
});

function setUp() {
  const made = createHandHealth();
  open.push(made.health);
  return made;
}

describe('a report', () => {
  test('has the fields of the contract', async () => {
    const { clock, health } = setUp();
    health.check('database', async () => ({ pool: 3 }));
    health.check('cache', pass);
    await health.start();
    await clock.advance(1500);
    const checks = {
      database: { status: 'healthy', critical: true, duration_ms: 0.001, age_ms: 1500, pool: 3 },
      cache: { status: 'healthy', critical: false, duration_ms: 0.001, age_ms: 1500 },
    };
    const common = {
      status: 'healthy',
      service: 'fit-check',
      version: '1.2.3',
      uptime_seconds: 1.5,
      timestamp: 1_700_000_001.5,
    };
    expect(health.ready()).toEqual({ ...common, checks });
    expect(health.report()).toEqual({ ...common, live: 'healthy', ready: 'healthy', checks });
    expect(health.live()).toEqual({ ...common, checks: {} });
  });

  test.each<[string, readonly [name: string, check: Check, options?: CheckOptions][], string]>([
    ['no checks', [], 'healthy'],
    [
      'all pass',
      [
        ['database', pass],
        ['x', pass],
      ],
      'healthy',
    ],
    ['a critical one fails', [['database', refuse]], 'unhealthy'],
    ['another one fails', [['redis', refuse]], 'degraded'],
    ['a critical one is degraded', [['disk', () => ({ status: 'degraded' })]], 'degraded'],
    ['another one is degraded', [['x', () => ({ status: 'degraded' })]], 'degraded'],
    [
      'both kinds fail',
      [
        ['x', refuse],
        ['database', refuse],
      ],
      'unhealthy',
    ],
    ['critical by option', [['x', refuse, { critical: true }]], 'unhealthy'],
    ['not critical by option', [['database', refuse, { critical: false }]], 'degraded'],
  ])('%s', async (_, checks, status) => {
    const { health } = setUp();
    for (const check of checks) health.check(...check);
    await health.start();
    expect(health.ready().status).toBe(status);
    expect(health.report().status).toBe(status);
    expect(health.live().status).toBe('healthy');
  });

  test('before a first result a critical check is unhealthy, any other only degrades', async () => {
    const { clock, health } = setUp();
    health.check('x', hang);
    expect(health.ready()).toMatchObject({
      status: 'degraded',
      checks: { x: { status: 'degraded', error: 'starting' } },
    });
    health.check('database', hang);
    void health.start();
    await clock.advance(700);
    expect(health.ready().checks.database).toMatchObject({ status: 'unhealthy', error: 'starting', age_ms: 700 });
    expect(health.ready().status).toBe('unhealthy');
  });

  test('draining is unhealthy, living goes on', async () => {
    const { health } = setUp();
    health.check('database', pass);
    await health.start();
    health.drain();
    expect(health.ready()).toMatchObject({ status: 'unhealthy', draining: true });
    expect(health.report()).toMatchObject({ status: 'unhealthy', draining: true, live: 'healthy', ready: 'unhealthy' });
    expect(health.live()).toMatchObject({ status: 'healthy' });
  });
});

describe('checks run in the background', () => {
  test('once a round, each interval; a report runs none', async () => {
    const { clock, health } = setUp();
    let runs = 0;
    health.check('x', () => void runs++);
    expect(runs).toBe(0);
    await health.start();
    await health.start();
    expect(runs).toBe(1);
    await Promise.all(Array.from({ length: 1000 }, async () => [health.report(), health.ready(), health.live()]));
    expect(runs).toBe(1);
    await clock.advance(4999);
    expect(runs).toBe(1);
    await clock.advance(1);
    expect(runs).toBe(2);
    await clock.advance(10_000);
    expect(runs).toBe(4);
  });

  test('rounds come a little earlier or later, so that replicas spread', async () => {
    const delays = new Set<number>();
    const clock = createHandClock();
    for (let i = 0; i < 20; i++) {
      const health = createHealth({
        settings: { intervalMs: 5000, critical: [] },
        service: 's',
        version: '1',
        write: () => {},
        clock: {
          ...clock,
          setTimer(run, ms) {
            delays.add(ms);
            return clock.setTimer(run, ms);
          },
        },
      });
      open.push(health);
      await health.start();
    }
    expect(delays.size).toBeGreaterThan(1);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(4500);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5500);
  });

  test('one added later runs at once', async () => {
    const { clock, health } = setUp();
    await health.start();
    health.check('x', pass);
    await clock.advance(0);
    expect(health.ready().checks.x?.status).toBe('healthy');
  });

  test('outside of any request, with tracing suppressed', async () => {
    const { health } = setUp();
    let suppressed = false;
    let request: unknown = 'none';
    health.check('x', async () => {
      await Promise.resolve();
      request = currentScope()?.request;
      suppressed = isTracingSuppressed(currentScope()?.otel ?? ROOT_CONTEXT);
    });
    await runInScope({ request: { requestId: 'r' }, otel: ROOT_CONTEXT }, () => health.start());
    expect([request, suppressed]).toEqual([undefined, true]);
  });
});

test('a change is one line, not one a round', async () => {
  const { clock, lines, health } = setUp();
  const results: (() => ReturnType<Check>)[] = [
    () => {},
    () => {},
    () => Promise.reject(Object.assign(new Error('secret'), { code: 'ECONNREFUSED' })),
    () => Promise.reject(new Error('secret')),
    () => ({ status: 'degraded' }),
    () => {},
  ];
  health.check('database', () => results.shift()?.());
  await health.start();
  await clock.advance(60_000);
  expect(lines).toEqual([
    {
      level: 'WARNING',
      message: 'Check database is unhealthy: ECONNREFUSED',
      fields: { check: 'database', from: 'healthy', to: 'unhealthy', error: 'ECONNREFUSED' },
    },
    {
      level: 'INFO',
      message: 'Check database is degraded',
      fields: { check: 'database', from: 'unhealthy', to: 'degraded' },
    },
    {
      level: 'INFO',
      message: 'Check database is healthy',
      fields: { check: 'database', from: 'degraded', to: 'healthy' },
    },
  ]);
});

test('a logger that throws changes nothing', async () => {
  const health = createHealth({
    settings: { intervalMs: 5000, critical: [] },
    service: 's',
    version: '1',
    write() {
      throw new Error('no');
    },
    clock: createHandClock(),
  });
  open.push(health);
  health.check('x', refuse);
  await health.start();
  expect(health.ready().checks.x?.error).toBe('ECONNREFUSED');
});

describe('registration', () => {
  test.each([
    ['', pass, {}, 'a name is 1 to 64'],
    ['a b', pass, {}, 'a name is 1 to 64'],
    ['1a', pass, {}, 'a name is 1 to 64'],
    ['__proto__', pass, {}, 'a name is 1 to 64'],
    ['x'.repeat(65), pass, {}, 'a name is 1 to 64'],
    ['x', 'SELECT 1' as unknown as Check, {}, 'must be a function'],
    ['x', pass, { timeoutMs: 0 }, 'timeoutMs is from 1 to 60000 milliseconds, not 0'],
    ['x', pass, { timeoutMs: Number.NaN }, 'timeoutMs'],
    ['taken', pass, {}, 'there is a check of this name already'],
  ])('%j is refused', (name, check, options, message) => {
    const { health } = setUp();
    health.check('taken', pass);
    expect(() => health.check(name, check, options)).toThrow(message);
  });

  test('is bounded by count', () => {
    const { health } = setUp();
    for (let i = 0; i < 64; i++) health.check(`c${i}`, pass);
    expect(() => health.check('more', pass)).toThrow('64 checks');
  });

  test('can be taken back, and the name used again', async () => {
    const { clock, lines, health } = setUp();
    const first = byHand();
    let closed = 0;
    first.check.close = () => void closed++;
    const remove = health.check('x', first.check);
    void health.start();
    await clock.advance(10);
    remove();
    remove();
    expect([closed, first.signals[0]?.aborted]).toEqual([1, true]);
    expect(health.ready().checks).toEqual({});
    health.check('x', pass);
    remove();
    first.fail(new Error('late'));
    await clock.advance(10_000);
    expect(health.ready().checks.x?.status).toBe('healthy');
    expect(lines).toEqual([]);
  });
});

test('close stops everything, and can be had twice', async () => {
  const { clock, health } = setUp();
  const hung = byHand();
  let closed = 0;
  hung.check.close = () => {
    closed += 1;
    throw new Error('no');
  };
  health.check('x', hung.check);
  const started = health.start();
  await clock.advance(10);
  health.close();
  health.close();
  await started;
  expect(hung.signals[0]?.aborted).toBe(true);
  expect(clock.pending).toBe(0);
  await clock.advance(60_000);
  expect([hung.runs, closed]).toEqual([1, 1]);
  expect(health.live().status).toBe('healthy');
});

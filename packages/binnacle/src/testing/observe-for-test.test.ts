/** As a user would: a service is built over `t`, asked, and what it told is looked at. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trace } from '@opentelemetry/api';
import { BreakerOpenError, type Observability, SettingsError } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import { observeForTest, type TestObservability } from 'binnacle/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test, vi } from 'vitest';

let t: TestObservability;
afterEach(() => t?.close());

/** The user's service: it works for 250 ms in its first phase. */
async function createApp(obs: Observability, work: (signal: AbortSignal) => unknown): Promise<FastifyInstance> {
  const app = Fastify(fastifyOptions(obs)) as unknown as FastifyInstance;
  await app.register(observeFastify(obs));
  const asked = obs.counter({ name: 'questions_total', help: 'Questions.', labels: ['kind'] });
  app.get('/ask', () => {
    asked.inc({ kind: 'short' });
    return obs.session({ id: 's1', timeoutMs: 60_000 }, (session) =>
      session.phase('research', async () => {
        obs.log.info({ password: 'hunter2' }, 'Researching');
        await work(session.signal);
        return { fit: true };
      }),
    );
  });
  return app;
}

describe('a service under test', () => {
  test('has its lines, spans and metrics in memory, with durations by the clock', async () => {
    t = observeForTest({ service: 'answers', namespace: 'answers' });
    const app = await createApp(t, () => t.clock.advance(250));
    expect((await app.inject('/ask')).json()).toEqual({ fit: true });

    expect(t.lines().at(-1)).toMatchObject({
      timestamp: '2023-11-14T22:13:20.250Z',
      message: '[s1] Request completed',
      status: 'success',
      duration_ms: 250,
      phases: { research: 250 },
    });
    expect(t.lines().find(({ message }) => message === 'Researching')).toMatchObject({
      password: '[REDACTED]',
      phase: 'research',
      session_id: 's1',
    });
    const [phase, request] = t.spans();
    expect(phase).toMatchObject({ name: 'phase research', kind: 'internal', status: 'unset', durationMs: 250 });
    expect(request).toMatchObject({ name: 'GET /ask', kind: 'server', durationMs: 250, parentSpanId: undefined });
    expect(phase).toMatchObject({ parentSpanId: request?.spanId, traceId: request?.traceId });
    expect(request?.attributes).toMatchObject({ 'http.route': '/ask', 'session.id': 's1' });
    expect(await t.value('questions_total{kind="short"}')).toBe(1);
    expect(await t.value('answers_requests_total{status="success"}')).toBe(1);
    expect(await t.value('answers_phase_duration_seconds_sum{phase="research"}')).toBe(0.25);
    expect(await t.value('questions_total{kind="long"}')).toBeUndefined();
    await expect(t.value('questions_total{kind=short}')).rejects.toBeInstanceOf(TypeError);
    expect(await t.metrics()).toContain('# TYPE questions_total counter');
    await app.close();
  });

  test('runs out of time when the clock says so', async () => {
    t = observeForTest({ service: 'answers', namespace: 'answers' });
    const app = await createApp(t, (signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)));
    const asked = app.inject('/ask');
    await vi.waitFor(() => expect(t.clock.pending).toBeGreaterThan(0));
    await t.clock.advance(59_999);
    expect(await t.value('answers_active_sessions')).toBe(1);
    await t.clock.advance(1);
    await asked;
    expect(await t.value('answers_requests_total{status="timeout"}')).toBe(1);
    expect(t.lines().at(-1)).toMatchObject({ status: 'timeout', duration_ms: 60_000 });
    expect(t.spans().find(({ name }) => name === 'GET /ask')?.status).toBe('error');
    await app.close();
  });
});

describe('the clock by hand', () => {
  test('lets an open breaker probe', async () => {
    t = observeForTest({ service: 'answers' });
    const breaker = t.breaker('llm', { failures: 1, openMs: 30_000 });
    await breaker.run(() => Promise.reject(new Error('down'))).catch(() => {});
    await t.clock.advance(29_999);
    await expect(breaker.run(async () => 'ok')).rejects.toBeInstanceOf(BreakerOpenError);
    await t.clock.advance(1);
    expect(await breaker.run(async () => 'ok')).toBe('ok');
    expect(await t.value('circuit_breaker_open_seconds_total{service="llm"}')).toBe(30);
  });

  test('runs health checks to the interval, and ends those that hang', async () => {
    t = observeForTest({ service: 'answers' });
    let up = true;
    let runs = 0;
    t.health.check('database', () => {
      runs += 1;
      return up ? undefined : new Promise(() => {});
    });
    await t.health.start();
    expect(t.health.ready().status).toBe('healthy');
    for (let round = 1; round <= 5; round += 1) {
      await t.clock.advance(4999);
      expect(runs).toBe(round);
      await t.clock.advance(1);
      expect(runs).toBe(round + 1);
    }
    up = false;
    await t.clock.advance(5000);
    expect(t.health.ready().status).toBe('healthy');
    await t.clock.advance(2000);
    expect(t.health.ready()).toMatchObject({ status: 'unhealthy', checks: { database: { error: 'timeout' } } });
    expect(t.lines().at(-1)).toMatchObject({ level: 'WARNING', message: 'Check database is unhealthy: timeout' });
  });
});

describe('what leaves the process', () => {
  test('is nothing, whatever the environment says', async () => {
    const asked = vi.fn();
    const collector = createServer((_req, res) => {
      asked();
      res.end();
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const write = vi.spyOn(process.stdout, 'write');
    vi.stubEnv('LOG_LEVEL', 'nonsense');
    try {
      t = observeForTest({ service: 'answers', env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, LOG_FILE: '/nowhere/x.log' } });
      await t.session({ id: 's' }, () => t.log.info('Working'));
      await t.close();
      expect([t.spans().length, t.lines().some(({ message }) => message === 'Working')]).toEqual([1, true]);
      expect(asked).not.toHaveBeenCalled();
      expect(write).not.toHaveBeenCalled();
    } finally {
      vi.unstubAllEnvs();
      write.mockRestore();
      collector.close();
    }
  });

  test('settings come from `env`, and wrong ones throw', async () => {
    t = observeForTest({ service: 'answers', env: { LOG_LEVEL: 'DEBUG', OTEL_TRACES_SAMPLER: 'always_off' } });
    await t.session({ id: 's' }, () => t.log.debug('Deep'));
    expect(t.lines().some(({ message }) => message === 'Deep')).toBe(true);
    expect(t.spans()).toEqual([]);
    expect(() => observeForTest({ service: 'answers', env: { LOG_LEVEL: 'LOUD' } })).toThrow(SettingsError);
  });

  test('spans that are kept although they were not sampled are there', async () => {
    t = observeForTest({ service: 'answers', env: { OTEL_TRACES_SAMPLER: 'always_off', BINNACLE_KEEP: 'error' } });
    const failing = t.session({ id: 's' }, (session) =>
      session.phase('research', async () => {
        await t.clock.advance(10);
        throw new Error('down');
      }),
    );
    await failing.catch(() => {});
    expect(
      t.spans().map(({ name, attributes, durationMs }) => [name, attributes['binnacle.kept'], durationMs]),
    ).toEqual([
      ['phase research', 'error', 10],
      ['session', 'error', 10],
    ]);
  });
});

test('reset forgets what was told; gauges stay', async () => {
  t = observeForTest({ service: 'answers', namespace: 'answers', version: '1.2.3' });
  const jobs = t.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue'] });
  const bound = jobs.bind({ queue: 'a' });
  const depth = t.gauge({ name: 'depth', help: 'Depth.' });
  const time = t.histogram({ name: 'time_seconds', help: 'Time.', buckets: [1] });
  bound.inc(3);
  depth.set(4);
  time.observe(0.5);
  await t.session({ id: 's' }, () => {});
  t.reset();
  expect([t.lines(), t.spans()]).toEqual([[], []]);
  expect(await t.value('jobs_total{queue="a"}')).toBe(0);
  expect(await t.value('time_seconds_bucket{le="1"}')).toBe(0);
  expect(await t.value('time_seconds_sum')).toBe(0);
  expect(await t.value('depth')).toBe(4);
  expect((await t.metrics()).match(/^answers_build_info\{version="1\.2\.3".*\} 1$/m)).not.toBeNull();
  bound.inc();
  expect(await t.value('jobs_total{queue="a"}')).toBe(1);
});

test('two at once keep to themselves, and each lets go of what it held', async () => {
  const other = observeForTest({ service: 'other' });
  t = observeForTest({ service: 'answers' });
  await t.session({ id: 's' }, () => {});
  expect([t.spans().length, other.spans().length]).toEqual([1, 0]);
  expect(other.lines().filter(({ session_id }) => session_id === 's')).toEqual([]);
  await Promise.all([t[Symbol.asyncDispose](), other.close(), other.close()]);
  expect(trace.getTracer('any').startSpan('after').isRecording()).toBe(false);
});

test('with metrics off there are none, and nothing throws', async () => {
  t = observeForTest({ service: 'answers', env: { METRICS_ENABLED: 'false' } });
  t.counter({ name: 'jobs_total', help: 'Jobs.' }).inc();
  t.reset();
  expect([await t.metrics(), await t.value('jobs_total')]).toEqual(['', undefined]);
});

test('what is kept is bounded: the oldest go', async () => {
  t = observeForTest({ service: 'answers' });
  for (let i = 0; i <= 10_000; i += 1) t.log.info(`line ${i}`);
  expect([t.lines().length, t.lines()[0]?.message]).toEqual([10_000, 'line 1']);
});

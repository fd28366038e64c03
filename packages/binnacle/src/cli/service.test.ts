import { Writable } from 'node:stream';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { fastifyOptions, observeFastify } from '../adapters/fastify.ts';
import { observe } from '../observe.ts';
import type { Finding } from './findings.ts';
import { checkService } from './service.ts';
import { refusedUrl, serve } from './testing-project.test-helper.ts';

const check = (url: string, more: Partial<Parameters<typeof checkService>[0]> = {}): Promise<Finding[]> =>
  checkService({ url, implied: false, managementPort: undefined, token: undefined, limitMs: 3000, ...more });

const marks = (findings: Finding[]): string[] => findings.map(({ mark, subject }) => `${mark} ${subject}`);

/** A real service. */
async function startService(env: Record<string, string>): Promise<string> {
  const obs = observe({
    service: 'answers',
    env,
    destination: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  obs.health.check('database', () => {
    throw Object.assign(new Error('hush'), { code: 'ECONNREFUSED' });
  });
  await obs.health.start();
  const app = Fastify(fastifyOptions(obs));
  await app.register(observeFastify(obs));
  onTestFinished(async () => {
    await app.close();
    await obs.close();
  });
  return app.listen({ port: 0, host: '127.0.0.1' });
}

test('a real service is asked with the token, and told about by its metrics and its health', async () => {
  const url = await startService({ METRICS_TOKEN: 'hush' });
  expect(await check(url)).toMatchObject([
    { mark: 'problem', subject: '/metrics', mend: 'set METRICS_TOKEN here as the service has it' },
    { subject: 'check database' },
  ]);
  const wrong = await check(url, { token: 'wrong' });
  expect(wrong[0]).toMatchObject({ mark: 'problem', mend: 'METRICS_TOKEN here is not that of the service' });
  const findings = await check(`${url}/`, { token: 'hush' });
  expect(marks(findings).filter((line) => !line.endsWith('event loop'))).toEqual([
    'ok requests',
    'ok context',
    'note exporter',
    'ok spans',
    'ok series',
    'ok log lines',
    'problem check database',
  ]);
  expect(JSON.stringify([wrong, findings])).not.toContain('hush');
});

test('metrics that are off are told with where else they may be', async () => {
  const url = await startService({ METRICS_ENABLED: 'false' });
  const [metrics] = await check(url, { managementPort: 9464 });
  expect(metrics).toMatchObject({
    mark: 'problem',
    subject: '/metrics',
    what: 'answers 404',
    mend: expect.stringContaining('--url http://127.0.0.1:9464'),
  });
});

test('nobody answers: a problem where the service was named, a note where it was guessed', async () => {
  const url = await refusedUrl();
  expect(await check(url)).toMatchObject([{ mark: 'problem', what: 'cannot be reached: ECONNREFUSED' }]);
  expect(await check(url, { implied: true })).toMatchObject([{ mark: 'note' }]);
});

test('a service that hangs is given up', async () => {
  const hanging = await serve(() => {});
  expect(await check(hanging.url, { limitMs: 50 })).toMatchObject([
    { mark: 'problem', what: 'does not answer in time' },
  ]);
});

test('a redirect is not followed: the token goes nowhere else', async () => {
  const thief = await serve((_req, res) => res.end());
  const service = await serve((_req, res) => res.writeHead(302, { location: thief.url }).end());
  expect(marks(await check(service.url, { token: 'hush' }))).toEqual(['problem /metrics', 'problem /health']);
  expect(thief.asked).toEqual([]);
});

/** A service with this health report. */
async function checkHealth(report: unknown, status = 200): Promise<Finding[]> {
  const service = await serve((req, res) => {
    if (req.url === '/health') res.writeHead(status).end(typeof report === 'string' ? report : JSON.stringify(report));
    else res.end('binnacle_logs_without_context_total 0\n');
  });
  return (await check(service.url)).filter(({ subject }) => subject === '/health' || subject.startsWith('check '));
}

test('the health report: each check that is not healthy', async () => {
  const checks = {
    database: { status: 'unhealthy', critical: true, error: 'timeout' },
    redis: { status: 'unhealthy', critical: false, error: 'postgres://me:hush@db/ said no' },
    disk: { status: 'degraded', critical: true },
    memory: { status: 'healthy', critical: false },
  };
  const findings = await checkHealth({ status: 'unhealthy', checks }, 503);
  expect(findings.map(({ mark, subject, what }) => `${mark} ${subject}: ${what}`)).toEqual([
    'problem check database: unhealthy: timeout; the service takes no work',
    'problem check redis: unhealthy',
    'note check disk: degraded',
  ]);
  expect(await checkHealth({ status: 'healthy', checks: {} })).toEqual([
    { mark: 'ok', subject: '/health', what: 'healthy' },
  ]);
  expect(await checkHealth({ status: 'unhealthy', draining: true, checks: {} }, 503)).toMatchObject([{ mark: 'note' }]);
});

test.each(['<html>', 'null', '{"checks":[]}', '{}'])('a health report that is none: %s', async (body) => {
  expect(await checkHealth(body)).toMatchObject([{ mark: 'problem', subject: '/health' }]);
});

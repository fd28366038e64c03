import { expect, test } from 'vitest';
import { readOtelSettings } from '../settings-otel.ts';
import { checkExporter } from './exporter.ts';
import type { Finding } from './findings.ts';
import { refusedUrl, serve } from './testing-project.test-helper.ts';

async function check(env: Record<string, string>, limitMs = 3000): Promise<Finding> {
  const [finding, ...more] = await checkExporter(readOtelSettings(env, []).otlp, limitMs);
  expect(more).toEqual([]);
  return finding as Finding;
}

test('an empty export is sent as the exporter would send it', async () => {
  const collector = await serve((_req, res) => res.end('{}'));
  const finding = await check({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,Content-Encoding=br',
  });
  expect(finding).toEqual({
    mark: 'ok',
    subject: 'exporter',
    what: `${collector.url}/v1/traces takes spans (200, http/protobuf)`,
  });
  expect(collector.asked[0]?.headers).not.toHaveProperty('content-encoding');
  expect(collector.asked).toMatchObject([
    {
      method: 'POST',
      url: '/v1/traces',
      body: '',
      headers: { authorization: 'Bearer abc', 'content-type': 'application/x-protobuf', 'content-length': '0' },
    },
  ]);
});

test('JSON is an empty object', async () => {
  const collector = await serve((_req, res) => res.end('{}'));
  await check({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/traces`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  });
  expect(collector.asked).toMatchObject([
    { url: '/traces', body: '{}', headers: { 'content-type': 'application/json' } },
  ]);
});

test.each([
  [302, 'problem', /redirects/],
  [401, 'problem', /OTEL_EXPORTER_OTLP_HEADERS/],
  [404, 'problem', /\/v1\/traces is added/],
  [415, 'problem', /OTEL_EXPORTER_OTLP_PROTOCOL=http\/json/],
  [429, 'problem', /sample less/],
  [503, 'problem', /collector is in trouble/],
])('a status of %i is a %s', async (status, mark, mend) => {
  const collector = await serve((_req, res) => res.writeHead(status, { location: '/other' }).end());
  const finding = await check({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  expect(finding).toMatchObject({ mark, what: `${collector.url}/v1/traces answers ${status}` });
  expect(finding.mend).toMatch(mend);
  expect(collector.asked).toHaveLength(1);
});

test('a status of 400 to nothing at all proves that somebody is there', async () => {
  const collector = await serve((_req, res) => res.writeHead(400).end());
  expect(await check({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toMatchObject({ mark: 'note' });
});

test('nobody listens', async () => {
  const url = await refusedUrl();
  expect(await check({ OTEL_EXPORTER_OTLP_ENDPOINT: url })).toEqual({
    mark: 'problem',
    subject: 'exporter',
    what: `${url}/v1/traces cannot be reached: ECONNREFUSED`,
    mend: 'nothing listens there: start the collector, or correct the host and port',
  });
});

test('a collector that says nothing is waited for no longer than the limit', async () => {
  const collector = await serve(() => {});
  expect(await check({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, 50)).toMatchObject({
    mark: 'problem',
    what: `${collector.url}/v1/traces does not answer within 0.05 s`,
  });
});

test('headers that cannot be sent are a problem, not a throw, and are not printed', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: await refusedUrl(), OTEL_EXPORTER_OTLP_HEADERS: 'key=hush%0Ahush' };
  const finding = await check(env);
  expect(finding).toMatchObject({ mark: 'problem', mend: expect.stringContaining('OTEL_EXPORTER_OTLP_HEADERS') });
  expect(JSON.stringify(finding)).not.toContain('hush');
});

test('user and password of the endpoint are used and not printed', async () => {
  const collector = await serve((_req, res) => res.end());
  const finding = await check({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace('//', '//me:hush@') });
  expect(finding).toMatchObject({ mark: 'ok', what: `${collector.url}/v1/traces takes spans (200, http/protobuf)` });
  expect(collector.asked[0]?.headers.authorization).toBe(`Basic ${btoa('me:hush')}`);
});

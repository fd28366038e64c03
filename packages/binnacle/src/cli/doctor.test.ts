import { expect, test } from 'vitest';
import { diagnose } from './doctor.ts';
import type { Finding } from './findings.ts';
import { makeProject, refusedUrl, serve } from './testing-project.test-helper.ts';

/** What is found of the running service. */
async function running(env: Record<string, string>, url?: string): Promise<readonly Finding[]> {
  const { sections } = await diagnose({ folder: makeProject({}), env, url, version: '0.1.0', limitMs: 3000 });
  expect(sections.map(({ title }) => title)).toEqual([
    'Runtime',
    'Libraries',
    'Traces',
    'Metrics & logs',
    'Running service',
  ]);
  return sections[4]?.findings ?? [];
}

test('nobody is asked where nobody was named', async () => {
  expect(await running({})).toMatchObject([{ mark: 'note', what: 'not asked' }]);
  expect(await running({ MANAGEMENT_PORT: '0' })).toMatchObject([{ mark: 'note', what: 'not asked' }]);
});

test('MANAGEMENT_PORT is asked on loopback where it listens everywhere, with METRICS_TOKEN', async () => {
  const service = await serve((_req, res) => res.end('binnacle_logs_without_context_total 0\n'));
  const env = { HOST: '0.0.0.0', MANAGEMENT_PORT: new URL(service.url).port, METRICS_TOKEN: ' hush ' };
  await running(env);
  expect(service.asked.map(({ url, headers }) => `${url} ${headers.authorization} ${headers.host}`)).toEqual([
    `/metrics Bearer hush ${new URL(service.url).host}`,
    `/health undefined ${new URL(service.url).host}`,
  ]);
});

test('a service that was named is asked in its stead', async () => {
  const service = await serve((_req, res) => res.writeHead(404).end());
  const env = { MANAGEMENT_PORT: new URL(await refusedUrl()).port };
  const [metrics] = await running(env, `${service.url}/base/?key=value#part`);
  expect(service.asked.map(({ url }) => url)).toEqual(['/base/metrics', '/base/health']);
  expect(metrics?.mend).toContain(`--url http://127.0.0.1:${env.MANAGEMENT_PORT}`);
});

/** Each signal can be turned off or moved, and the service serves all the same. */
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ask } from './events.ts';
import { freePort } from './ports.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

let service: Service | undefined;
afterEach(() => service?.stop());

it('OTEL_SDK_DISABLED: no trace ids, everything else stays', async () => {
  service = await startService({ OTEL_SDK_DISABLED: 'true' });
  await ask(service.url, { query: 'Google', session_id: 'dark' });
  await until('the closing line', () => service?.output.some((line) => line.includes('[dark] Request completed')));
  const lines = service.lines().filter((line) => line.session_id === 'dark');
  expect(lines).toHaveLength(12);
  for (const line of lines) {
    expect(line).not.toHaveProperty('trace_id');
    expect(line.request_id).toBeTruthy();
  }
});

it('METRICS_ENABLED=false: /metrics is not there, everything else stays', async () => {
  service = await startService({ METRICS_ENABLED: 'false' });
  const stream = await ask(service.url, { query: 'Google' });
  expect(stream.events.at(-1)?.event).toBe('complete');
  const response = await fetch(`${service.url}/metrics`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
});

it('METRICS_TOKEN: asks for the bearer', async () => {
  service = await startService({ METRICS_TOKEN: 'scrape-me' });
  const get = (authorization?: string): Promise<number> =>
    fetch(`${service?.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } }).then(
      (response) => response.status,
    );
  expect(await get()).toBe(401);
  expect(await get('Bearer wrong')).toBe(401);
  expect(await get('Bearer scrape-me')).toBe(200);
  expect(service.output.join('\n')).not.toContain('scrape-me');
});

it('MANAGEMENT_PORT: probes answer there alone', async () => {
  const port = await freePort();
  const main = await freePort();
  const starting = startService(
    { MANAGEMENT_PORT: String(port), PORT: String(main) },
    undefined,
    `http://127.0.0.1:${port}`,
  );
  service = await starting;
  const url = `http://127.0.0.1:${main}`;
  for (const path of ['/metrics', '/health', '/health/live', '/health/ready']) {
    expect((await fetch(`${url}${path}`)).status, path).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}${path}`)).status, path).toBe(200);
  }
  expect((await fetch(`http://127.0.0.1:${port}/api/fit-check/health`)).status).toBe(404);
  expect((await fetch(`${url}/api/fit-check/health`)).status).toBe(200);
});

it('ENVIRONMENT=production: JSON without being asked', async () => {
  service = await startService({ LOG_FORMAT: '', ENVIRONMENT: 'production' });
  await ask(service.url, { query: 'Google' });
  for (const line of service.lines()) expect(line.environment).toBe('production');
});

it('text: one readable line each, no colours into a pipe', async () => {
  service = await startService({ LOG_FORMAT: 'text' });
  await ask(service.url, { query: 'Google', session_id: 'readable' });
  await until('the closing line', () => service?.output.some((line) => line.includes('[readable] Request completed')));
  for (const line of service.output) expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} (INFO |WARN |ERROR) /);
  expect(service.output.join('')).not.toContain('\u001b[');
});

it('a caller that stalls its request does not hold the others', async () => {
  service = await startService();
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.write(
    'POST /api/fit-check/stream HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"',
  );
  const stream = await ask(service.url, { query: 'Google' });
  expect(stream.events.at(-1)?.event).toBe('complete');
  socket.destroy();
});

import { spawn } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from './files.ts';

/** A server on a free port of `host`. */
async function serve(answer: RequestListener, host = '127.0.0.1'): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return String((server.address() as AddressInfo).port);
}

/** Runs the image's healthcheck with these variables and no others. */
function check(env: Readonly<Record<string, string>>): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [`${ROOT}/deploy/healthcheck.mjs`], { env });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stderr })));
}

const live: RequestListener = (req, res) => res.writeHead(req.url === '/health/live' ? 200 : 404).end();
const dead: RequestListener = (_, res) => res.writeHead(503).end();

test('asks /health/live on PORT', async () => {
  expect(await check({ HOST: '0.0.0.0', PORT: await serve(live) })).toEqual({ status: 0, stderr: '' });
});

test('asks on MANAGEMENT_PORT where it is set; empty means unset', async () => {
  const [probes, service] = [await serve(live), await serve(dead)];
  expect(await check({ PORT: service, MANAGEMENT_PORT: probes })).toEqual({ status: 0, stderr: '' });
  expect(await check({ PORT: probes, MANAGEMENT_PORT: '', HOST: '' })).toEqual({ status: 0, stderr: '' });
});

test('asks where the service listens', async () => {
  expect(await check({ HOST: '127.0.0.2', PORT: await serve(live, '127.0.0.2') })).toEqual({ status: 0, stderr: '' });
});

test('an answer that is not 200 is no health', async () => {
  const port = await serve(dead);
  expect(await check({ PORT: port })).toEqual({
    status: 1,
    stderr: `/health/live on 127.0.0.1:${port}: status 503\n`,
  });
});

test('nobody listening is no health', async () => {
  // Port 1 is never handed out for listening, so nothing else of the suite can be there.
  expect(await check({ PORT: '1' })).toEqual({ status: 1, stderr: expect.stringMatching(/:1: .*ECONNREFUSED/) });
});

test('a service that hangs is no health, within the timeout of the HEALTHCHECK', async () => {
  const started = performance.now();
  const { status, stderr } = await check({ PORT: await serve(() => {}) });
  expect([status, stderr]).toEqual([1, expect.stringContaining('no answer within 2000 ms')]);
  expect(performance.now() - started).toBeGreaterThan(1900);
});

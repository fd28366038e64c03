/** `binnacle console` as a process, as people start and end it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Compiled, compileModules } from '../../test/compiled.ts';
import { encodeRequest, type Plain, toMessage } from '../../test/otlp/definitions.ts';
import { openPage } from '../../test/otlp/page-events.ts';
import { until } from '../../test/until.ts';

let compiled: Compiled;
beforeAll(async () => {
  compiled = await compileModules('cli/main.ts');
});
afterAll(() => compiled?.remove());

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: { out: string; err: string };
}

function spawnConsole(args: readonly string[], env: Record<string, string> = {}) {
  const main = join(compiled.folder, 'cli/main.js');
  const child = spawn(process.execPath, [main, 'console', ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  running.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (bytes) => {
    said.out += bytes;
  });
  child.stderr.on('data', (bytes) => {
    said.err += bytes;
  });
  return { child, said };
}

async function start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Started> {
  const { child, said } = spawnConsole(['--port', '0', ...args], env);
  await until(() => said.out.includes('Ctrl+C') || child.exitCode !== null);
  const url = /http:\/\/\S+:\d+/.exec(said.out)?.[0];
  if (url === undefined) throw new Error(`it did not start: ${said.err}`);
  return { child, url, said };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'a' };
const traces = new Uint8Array(
  encodeRequest('trace', toMessage({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }) as Plain),
);

test('says where to look and how to send, shows what is sent, and ends at once', async () => {
  const { child, url, said } = await start();
  expect(said.out).toMatch(
    /^Binnacle \S+: the console\n\n {2}look at {3}http:\/\/localhost:\d+\/console\n {2}send to {3}OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/localhost:\d+\n/,
  );
  const sent = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: traces,
  });
  expect(sent.status).toBe(200);
  const page = await openPage(url);
  await page.until(({ spans }) => spans.length === 1);
  expect(page.events[0]).toMatchObject({ name: 'hello', data: { mode: 'standalone', resumed: false } });
  await page.until(({ events }) => events.some(({ name }) => name === 'telemetry'));
  const root = await fetch(url, { redirect: 'manual' });
  expect([root.status, root.headers.get('location')]).toEqual([307, '/console/']);
  // With a page open, and a sender in the middle of its request.
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  const started = performance.now();
  child.kill('SIGTERM');
  expect(await endOf(child)).toBe(0);
  expect(performance.now() - started).toBeLessThan(2000);
  expect(said.err).toBe('');
  page.close();
});

test('Ctrl+C ends it too', async () => {
  const { child } = await start();
  child.kill('SIGINT');
  expect(await endOf(child)).toBe(0);
});

describe('with a token', () => {
  test.each([
    ['an option', ['--token', 'hush-hush'], {}],
    ['the environment', [], { CONSOLE_TOKEN: 'hush-hush' }],
  ])('of %s, which it does not print', async (_of, args, env) => {
    const { url, said } = await start(args, env);
    expect(said.out).toContain('OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN');
    expect(said.out + said.err).not.toContain('hush');
    const answer = await fetch(`${url}/console/api/session`);
    expect(answer.status).toBe(401);
    const heard = await fetch(`${url}/console/api/session`, { headers: { authorization: 'Bearer hush-hush' } });
    expect(heard.status).toBe(200);
  });
});

describe('one line, and no start', () => {
  test('where the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { child, said } = spawnConsole(['--port', String(port)]);
    expect(await endOf(child)).toBe(1);
    await until(() => said.err.endsWith('\n'));
    expect(said).toEqual({
      out: '',
      err: `binnacle: port ${port} of 127.0.0.1 is in use, perhaps by a collector or another console: end that, or choose another by --port\n`,
    });
    other.close();
  });

  test.each([
    [
      ['--host', '192.0.2.1', '--token', 'hush-hush'],
      {},
      1,
      /^binnacle: this machine has no address 192\.0\.2\.1: .*\n$/,
    ],
    [['--host', '0.0.0.0'], {}, 2, /^binnacle: --host 0\.0\.0\.0 lets others in, so it asks for a token: .*\n$/],
    [[], { CONSOLE_TOKEN: 'hush' }, 2, /^binnacle: CONSOLE_TOKEN is to be of 8 to 256 visible ASCII characters\n$/],
  ])('%j %j', async (args, env, status, line) => {
    const { child, said } = spawnConsole(['--port', '0', ...args], env);
    expect(await endOf(child)).toBe(status);
    await until(() => said.err.endsWith('\n'));
    expect([said.out, said.err]).toEqual(['', expect.stringMatching(line)]);
    expect(said.err).not.toContain('hush');
  });
});

test('somebody who sends by gRPC is told of', async () => {
  const { url, said } = await start();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await until(() => said.err.includes('\n'));
  expect(said.err).toMatch(/^binnacle: .*gRPC.*OTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf.*\n$/);
});

/** How a process ends while spans are on their way: in a process of its own, since nothing else shows what holds one. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, type Receiver, startReceiver } from './testing-otlp.test-helper.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const program = `
import { createFaults } from './faults.js';
import { readOtelSettings } from './settings-otel.js';
import { createTraces } from './traces/tracer.js';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
const faults = createFaults();
faults.connect((level, logger, message) => console.log(level, logger, message));
const traces = createTraces({
  settings: readOtelSettings(process.env, []), service: 's', version: '1', environment: 'test', faults,
  recorder: { result: (kind, count) => console.log(kind, count), queue() {}, up() {} }, log() {},
});
const end = (count) => {
  for (let i = 0; i < count; i++) traces.spans.start('x', SpanKind.INTERNAL, {}, ROOT_CONTEXT).end();
};
const startedAt = performance.now();
process.on('exit', () => console.log('took', Math.round(performance.now() - startedAt)));
`;

let folder: string;
let receiver: Receiver | undefined;

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'traces-exit-'));
  const tsc = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin/tsc');
  const flags = ['--noCheck', '--declaration', 'false', '--isolatedDeclarations', 'false', '--sourceMap', 'false'];
  execFileSync(process.execPath, [tsc, '-p', join(root, 'packages/binnacle'), '--outDir', folder, ...flags]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

interface Run {
  readonly code: number;
  readonly lines: readonly string[];
  /** Milliseconds from the first span to the end. */
  readonly took: number;
}

let runs = 0;
async function run(code: string, endpoint: string, more: Record<string, string> = {}): Promise<Run> {
  const file = join(folder, `run-${runs++}.js`);
  writeFileSync(file, program + code);
  const env = { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint, ...more };
  return new Promise((resolve) => {
    execFile(process.execPath, [file], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`.trim().split('\n');
      const took = Number(lines.find((line) => line.startsWith('took '))?.slice(5) ?? Number.NaN);
      resolve({
        code: error === null ? 0 : Number(error.code ?? -1),
        lines: lines.filter((line) => !line.startsWith('took ')),
        took,
      });
    });
  });
}

async function receive(answer?: Answer): Promise<Receiver> {
  receiver = await startReceiver(answer);
  return receiver;
}

const hole: Answer = () => {};
const WAIT_FOR_EXPORT = 'await new Promise((resolve) => setTimeout(resolve, 1000));';

test('a collector that never answers does not hold the end up', async () => {
  const { url, arrived } = await receive(hole);
  const { code, took } = await run(`end(512); ${WAIT_FOR_EXPORT}`, url);
  await arrived(1);
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
});

test('nor on a connection that is reused', async () => {
  const server = await receive((res, _, index) => {
    if (index === 0) res.writeHead(200).end();
  });
  const { code, took } = await run(`end(1); await traces.flush(); end(512); ${WAIT_FOR_EXPORT}`, server.url);
  await server.arrived(2);
  expect(server.connections).toBe(1);
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
});

test('nor do retries, or spans that wait', async () => {
  const { url } = await receive((res) => res.writeHead(503).end());
  const { code, took } = await run(`end(512); ${WAIT_FOR_EXPORT} end(1);`, url.replace('127.0.0.1', 'localhost'));
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
});

test('nor does a host that drops packets for longer than a connection may take to come about', async () => {
  const { port, close } = await fullBacklog();
  try {
    const { code, took } = await run(`end(512); ${WAIT_FOR_EXPORT}`, `http://127.0.0.1:${port}/v1/traces`);
    expect(code).toBe(0);
    expect(took).toBeLessThan(8000);
  } finally {
    close();
  }
});

test.skipIf(!hasOpenssl())(
  'over TLS spans arrive, and a certificate that is not trusted is told by its code',
  async () => {
    const tls = await receiveByTls();
    try {
      const trusted = { NODE_EXTRA_CA_CERTS: tls.certificate };
      const arrived = await run('end(2); await traces.flush(); end(2); await traces.flush();', tls.url, trusted);
      expect(arrived).toMatchObject({ code: 0, lines: ['exported 2', 'exported 2'] });
      expect(arrived.took).toBeLessThan(5000);
      expect(tls.connections()).toBe(1);
      const { lines } = await run('end(1); await traces.flush();', tls.url);
      const message = `WARNING otel Spans cannot be exported to ${tls.url}: DEPTH_ZERO_SELF_SIGNED_CERT`;
      expect(lines).toEqual(['failed 1', message]);
      // Trusted, but as an address: a certificate of another name.
      const named = tls.url.replace('127.0.0.1', 'localhost');
      const other = await run('end(1); await traces.flush();', named, trusted);
      const wrongName = `WARNING otel Spans cannot be exported to ${named}: ERR_TLS_CERT_ALTNAME_INVALID`;
      expect(other.lines).toEqual(['failed 1', wrongName]);
      expect(tls.requests()).toBe(2);
    } finally {
      tls.close();
    }
  },
);

/** A port whose host answers to no new connection: it listens, accepts nothing, and its queue is full. */
async function fullBacklog(): Promise<{ port: number; close(): void }> {
  const stuck = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', stuck], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(chunk.toString());
  const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await once(sockets[0] as Socket, 'connect');
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

async function receiveByTls() {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], { stdio: 'ignore' });
  let connections = 0;
  let requests = 0;
  const options = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = createServer(options, (req, res) => req.resume().on('end', () => res.end()));
  server.on('request', () => {
    requests += 1;
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    certificate,
    connections: () => connections,
    requests: () => requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('close ends within its bound, tells the outage once and counts every span', async () => {
  const { url } = await receive(hole);
  const { code, took, lines } = await run('end(1000); await traces.close(400);', url);
  expect(code).toBe(0);
  expect(took).toBeGreaterThanOrEqual(395);
  expect(took).toBeLessThan(5000);
  expect(lines).toEqual(['failed 512', `WARNING otel Spans cannot be exported to ${url}: timeout`, 'dropped 488']);
});

test('close names the cause where there is one', async () => {
  const { url } = await receive();
  await receiver?.close();
  const { code, took, lines } = await run('end(1); await traces.close(2000);', url);
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
  expect(lines).toEqual(['failed 1', `WARNING otel Spans cannot be exported to ${url}: ECONNREFUSED`]);
});

test('a flush that is awaited is not cut off by the end', async () => {
  const { url, spans } = await receive((res) => void setTimeout(() => res.writeHead(200).end(), 300));
  const { code, lines } = await run('end(3); await traces.flush();', url);
  expect(code).toBe(0);
  expect(lines).toEqual(['exported 3']);
  expect(spans).toHaveLength(3);
});

test('nor is a close', async () => {
  const { url, spans } = await receive((res) => void setTimeout(() => res.writeHead(200).end(), 300));
  const { code, lines } = await run('end(3); await traces.close(5000);', url);
  expect(code).toBe(0);
  expect(lines).toEqual(['exported 3']);
  expect(spans).toHaveLength(3);
});

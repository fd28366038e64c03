import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSender, type Sender } from './sender.ts';
import { createOpener } from './socket.ts';
import { until } from './testing-pipeline.test-helper.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BODY = Buffer.from('the body');
const ignore = (): void => {};

let sender: Sender | undefined;
const closers: (() => void)[] = [];
afterEach(() => {
  sender?.close();
  for (const close of closers.splice(0)) close();
  vi.unstubAllEnvs();
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
  ['::1', '[::1]'],
])('what listens on %s is reached by %s', async (address, host) => {
  const server = createTcpServer((socket) => socket.once('data', () => socket.write(OK)).on('error', ignore));
  server.listen(0, address);
  await once(server, 'listening');
  closers.push(() => void server.close());
  sender = createSender(`http://${host}:${(server.address() as AddressInfo).port}/`, {});
  expect((await sender.post(BODY, ignore)).status).toBe(200);
});

test('a connection that does not come about in three seconds has timed out', async () => {
  // The network of documentation: packets to it go nowhere, or are refused at once.
  const open = createOpener(new URL('http://192.0.2.1:4318/'), undefined);
  vi.useFakeTimers();
  const socket = open();
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(2999);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
  vi.useRealTimers();
  await until(() => code !== undefined);
  expect(code).toBe('ETIMEDOUT');
});

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)('TLS', () => {
  let folder: string;
  let options: { key: Buffer; cert: Buffer };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'socket-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    const files = ['-keyout', key, '-out', cert];
    const command = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files];
    execFileSync('openssl', command, { stdio: 'ignore' });
    options = { key: readFileSync(key), cert: readFileSync(cert) };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  interface Peer {
    readonly port: number;
    readonly sockets: readonly TLSSocket[];
    /** Which of them resumed a session. */
    readonly resumed: readonly boolean[];
    received: string;
  }

  /** Answers each piece that comes. */
  async function peer(answer: string = OK): Promise<Peer> {
    const sockets: TLSSocket[] = [];
    const resumed: boolean[] = [];
    const server: Server = createTlsServer({ ...options, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      sockets.push(socket);
      resumed.push(socket.isSessionReused());
      socket.on('error', ignore).on('data', (chunk) => {
        told.received += chunk.toString('latin1');
        if (told.received.endsWith('the body')) socket.write(answer);
      });
    });
    server.on('tlsClientError', ignore);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const told: Peer = { port: (server.address() as AddressInfo).port, sockets, resumed, received: '' };
    return told;
  }

  /** Certificates that nobody signed are taken; Node.js says so once. */
  const trustAll = (): void => void vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');

  test('one connection for HTTP/1.1, which tells the name it is for', async () => {
    trustAll();
    const server = await peer();
    sender = createSender(`https://localhost:${server.port}/v1/traces`, {});
    expect((await sender.post(BODY, ignore)).body?.toString()).toBe('ok');
    expect((await sender.post(BODY, ignore)).body?.toString()).toBe('ok');
    expect(server.sockets).toHaveLength(1);
    expect(server.sockets[0]).toMatchObject({ servername: 'localhost', alpnProtocol: 'http/1.1' });
    expect(server.received).toContain(`host: localhost:${server.port}\r\n`);
  });

  test.each([
    ['127.0.0.1', undefined, false],
    ['127.0.0.1', 'collector.example:4318', 'collector.example'],
    ['localhost', '[::1]:4318', false],
    ['localhost', '10.0.0.1', false],
  ])('to %s with the host %j it names %j', async (address, host, servername) => {
    trustAll();
    const server = await peer();
    sender = createSender(`https://${address}:${server.port}/`, host === undefined ? {} : { host });
    await sender.post(BODY, ignore);
    expect(server.sockets[0]).toMatchObject({ servername });
  });

  test('the next connection resumes the session of the last', async () => {
    trustAll();
    const server = await peer(OK.replace('Content', 'Connection: close\r\nContent'));
    sender = createSender(`https://localhost:${server.port}/`, {});
    await sender.post(BODY, ignore);
    await sender.post(BODY, ignore);
    expect(server.resumed).toEqual([false, true]);
  });

  test('a server that is not trusted is told nothing', async () => {
    const server = await peer();
    sender = createSender(`https://localhost:${server.port}/`, { authorization: 'secret' });
    await expect(sender.post(BODY, ignore)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await until(() => server.sockets.every((socket) => socket.destroyed || socket.readableEnded));
    expect(server.received).toBe('');
  });

  test('a body of several megabytes', async () => {
    trustAll();
    const server = await peer();
    sender = createSender(`https://localhost:${server.port}/`, {});
    const body = Buffer.concat([Buffer.alloc(5_000_000), BODY]);
    expect((await sender.post(body, ignore)).status).toBe(200);
    expect(server.received.split('\r\n\r\n')[1]).toHaveLength(body.length);
  });

  test('who speaks no TLS', async () => {
    const server = createTcpServer((socket) => void socket.on('error', ignore).end(OK)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => void server.close());
    sender = createSender(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`, {});
    const code = expect.stringMatching(/^(EPROTO|ERR_SSL_\w+)$/);
    await expect(sender.post(BODY, ignore)).rejects.toMatchObject({ code });
  });
});

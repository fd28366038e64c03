import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { type Behaviour, type OtlpReceiver, startOtlpReceiver } from '../../test/otlp/receiver.ts';
import { type Answer, createSender, type Sender } from './sender.ts';
import { until } from './testing-pipeline.test-helper.ts';

let receiver: OtlpReceiver | undefined;
let sender: Sender | undefined;
const closers: (() => void)[] = [];
afterEach(async () => {
  sender?.close();
  for (const close of closers.splice(0)) close();
  await receiver?.close();
  sender = undefined;
  receiver = undefined;
});

/** Posts an empty export in protobuf. */
async function post(behaviour: Behaviour, statuses: number[] = []): Promise<Answer> {
  receiver = await startOtlpReceiver({ behaviour });
  sender = createSender(receiver.tracesUrl, { 'content-type': 'application/x-protobuf' });
  return sender.post(Buffer.alloc(0), (status) => void statuses.push(status));
}

test('an answer of 64 KiB is read, a longer one is not, and its connection is not kept', async () => {
  const body = 'x'.repeat(64 * 1024);
  expect((await post({ status: 400, body })).body?.toString()).toBe(body);
  await sender?.post(Buffer.alloc(0), () => {});
  expect(receiver?.connections).toBe(1);
  sender?.close();
  await receiver?.close();
  const statuses: number[] = [];
  expect(await post('huge', statuses)).toMatchObject({ status: 200, body: undefined });
  await sender?.post(Buffer.alloc(0), () => {});
  expect(receiver?.connections).toBe(2);
  expect(statuses).toEqual([200]);
});

test('status, Retry-After and content type are told', async () => {
  const headers = { 'retry-after': '3', 'content-type': 'text/html' };
  expect(await post({ status: 503, headers, body: 'busy' })).toEqual({
    status: 503,
    retryAfter: '3',
    contentType: 'text/html',
    body: Buffer.from('busy'),
  });
});

test('cut ends a request that has no answer, and an answer that has no end', async () => {
  const unanswered = post('blackHole');
  const failure = expect(unanswered).rejects.toMatchObject({ code: 'ECONNRESET' });
  while ((receiver?.requests.length ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  sender?.cut();
  await failure;
  if (receiver !== undefined) receiver.behaviour = 'endless';
  const answer = await sender?.post(Buffer.alloc(0), () => setImmediate(() => sender?.cut()));
  expect(answer).toMatchObject({ status: 200, body: undefined });
});

interface Peer {
  readonly url: string;
  readonly port: number;
  /** In the order in which they came. */
  readonly sockets: readonly Socket[];
  /** What came on each of them. */
  readonly received: readonly string[];
}

/** What a peer does with a request: `index` counts those of all sockets. */
type Do = (socket: Socket, index: number) => void;

/** A TCP server that does what it is told with each whole request, or, if `early`, with what has come of it. */
async function peer(act: Do, early = false): Promise<Peer> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  let requests = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const at = sockets.push(socket) - 1;
    received[at] = '';
    let pending = '';
    /** Bytes of a request's body that are still to come, once its head is there. */
    let left: number | undefined;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received[at] += chunk.toString('latin1');
      if (left !== undefined) left -= chunk.length;
      else {
        pending += chunk.toString('latin1');
        const [head, length] = /^.*?content-length: (\d+)\r\n\r\n/s.exec(pending) ?? [];
        if (head === undefined) return;
        left = head.length + Number(length) - pending.length;
        if (early) act(socket, requests++);
      }
      if (left > 0) return;
      pending = '';
      left = undefined;
      if (!early) act(socket, requests++);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/traces`, port, sockets, received };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BODY = Buffer.from('the body');
const ignore = (): void => {};

function to({ url }: Peer, now?: () => number): Sender {
  sender = createSender(url, { 'content-type': 'x' }, now);
  return sender;
}

const closed = (socket: Socket | undefined): Promise<void> =>
  until(() => socket?.destroyed === true || socket?.readableEnded === true);

test('head and body are sent as they are, one request after the other on one connection', async () => {
  const server = await peer((socket) => void socket.write(OK));
  const { post } = to(server);
  expect((await post(Buffer.from([0xff, 0, 10]), ignore)).body?.toString()).toBe('ok');
  await post(Buffer.alloc(0), ignore);
  const head = `POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\ncontent-type: x\r\n`;
  expect(server.received).toEqual([`${head}content-length: 3\r\n\r\n\xff\0\n${head}content-length: 0\r\n\r\n`]);
});

test.each([
  [OK, 1],
  ['HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n', 1],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n', 1],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n', 1],
  ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 0\r\n\r\n', 1],
  ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', 1],
  ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 2],
  ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 2],
  // By the time that another request came to it, it would be gone.
  ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n', 2],
  [`${OK}HTTP/1.1 200 OK\r\n`, 2],
  ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 2],
])('after %j two requests take so many connections: %d', async (answer, connections) => {
  const server = await peer((socket) => void socket.write(answer));
  const { post } = to(server);
  await post(BODY, ignore);
  if (connections === 2) await closed(server.sockets[0]);
  await post(BODY, ignore);
  expect(server.sockets).toHaveLength(connections);
});

test('a connection is used again until a second before its end', async () => {
  const server = await peer((socket) => void socket.write(OK.replace('Content', 'Keep-Alive: timeout=5\r\nContent')));
  let now = 1000;
  const { post } = to(server, () => now);
  await post(BODY, ignore);
  now += 3999;
  await post(BODY, ignore);
  expect(server.sockets).toHaveLength(1);
  now += 4000;
  await post(BODY, ignore);
  expect(server.sockets).toHaveLength(2);
  await closed(server.sockets[0]);
});

describe('a kept connection that fails as it is used again', () => {
  test.each<[string, Do]>([
    ['closed', (socket) => void socket.end()],
    ['reset', (socket) => void socket.resetAndDestroy()],
  ])('%s: the request is sent once more, by a new one', async (_, fail) => {
    const server = await peer((socket, index) => (index % 2 === 1 ? fail(socket, index) : void socket.write(OK)));
    const { post } = to(server);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) await post(BODY, (status) => void statuses.push(status));
    expect(statuses).toEqual([200, 200, 200]);
    expect(server.sockets).toHaveLength(3);
    for (const received of server.received) expect(received.endsWith('the body')).toBe(true);
  });

  test('only once', async () => {
    const server = await peer((socket, index) => void (index === 0 ? socket.write(OK) : socket.resetAndDestroy()));
    const { post } = to(server);
    await post(BODY, ignore);
    await expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.sockets).toHaveLength(2);
  });

  test('not for what is no HTTP', async () => {
    const server = await peer((socket, index) => void socket.write(index === 0 ? OK : 'SSH-2.0-x'));
    const { post } = to(server);
    await post(BODY, ignore);
    await expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'HPE_INVALID_CONSTANT' });
    expect(server.sockets).toHaveLength(1);
    await closed(server.sockets[0]);
  });

  test('not once it is cut', async () => {
    const server = await peer((socket, index) => void (index === 0 ? socket.write(OK) : undefined));
    const { post, cut } = to(server);
    await post(BODY, ignore);
    const second = expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => server.received[0]?.split('the body').length === 3);
    cut();
    await second;
    await closed(server.sockets[0]);
    expect(server.sockets).toHaveLength(1);
  });
});

test.each<[string, Do]>([
  ['closed', (socket) => void socket.end()],
  ['closed within the head', (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-')],
  ['closed after an interim answer', (socket) => void socket.end('HTTP/1.1 100 Continue\r\n\r\n')],
  ['reset', (socket) => void socket.resetAndDestroy()],
])('a new connection that is %s without an answer is a failure', async (_, fail) => {
  const server = await peer(fail);
  await expect(to(server).post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(server.sockets).toHaveLength(1);
});

test.each<[string, string, 'end' | 'resetAndDestroy']>([
  ['closed', 'Content-Length: 9\r\n\r\nx', 'end'],
  ['reset', 'Content-Length: 9\r\n\r\nx', 'resetAndDestroy'],
  ['reset, though it would end with the connection', '\r\nx', 'resetAndDestroy'],
  ['closed within a chunk', 'Transfer-Encoding: chunked\r\n\r\n5\r\nx', 'end'],
  ['no chunk', 'Transfer-Encoding: chunked\r\n\r\nx\r\n', 'end'],
])('an answer that breaks off has its status: %s', async (_, rest, end) => {
  const server = await peer((socket) => void socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
  const statuses: number[] = [];
  const answer = to(server).post(BODY, (status) => {
    statuses.push(status);
    server.sockets[0]?.[end]();
  });
  expect(await answer).toMatchObject({ status: 200, body: undefined });
  expect(statuses).toEqual([200]);
});

test('the status is told before the body has come', async () => {
  const server = await peer((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'));
  const answer = await to(server).post(BODY, (status) => {
    expect(status).toBe(200);
    server.sockets[0]?.write('ok');
  });
  expect(answer.body?.toString()).toBe('ok');
});

test('a body that ends with the connection is read', async () => {
  const server = await peer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
  expect((await to(server).post(BODY, ignore)).body?.toString()).toBe('all of it');
});

test('an answer that comes before the body was sent is heard, and its connection not kept', async () => {
  const server = await peer((socket) => {
    socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
  }, true);
  const { post } = to(server);
  // More than the buffers of both sides hold.
  expect((await post(Buffer.alloc(32 * 1024 * 1024), ignore)).status).toBe(413);
  server.sockets[0]?.resume();
  await closed(server.sockets[0]);
  expect((await post(BODY, ignore)).status).toBe(413);
  expect(server.sockets).toHaveLength(2);
});

test('what nobody asked for closes a kept connection', async () => {
  const server = await peer((socket) => void socket.write(OK));
  const { post } = to(server);
  await post(BODY, ignore);
  server.sockets[0]?.write(OK);
  await closed(server.sockets[0]);
  await post(BODY, ignore);
  expect(server.sockets).toHaveLength(2);
});

test('a kept connection that the server closes is not used again', async () => {
  const server = await peer((socket) => void socket.write(OK));
  const { post } = to(server);
  await post(BODY, ignore);
  server.sockets[0]?.end();
  await closed(server.sockets[0]);
  await post(BODY, ignore);
  expect(server.sockets).toHaveLength(2);
});

describe('cut and close', () => {
  test('cut as it connects, or as the status is told; another may be posted at once', async () => {
    const server = await peer((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'));
    const { post, cut } = to(server);
    const first = expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
    cut();
    const second = post(BODY, () => cut());
    await first;
    expect(await second).toMatchObject({ status: 200, body: undefined });
    await closed(server.sockets.at(-1));
  });

  test('an answer that is cut as its status is told has no body, though all of it has come', async () => {
    const server = await peer((socket) => void socket.write(OK));
    const { post, cut } = to(server);
    expect(await post(BODY, () => cut())).toMatchObject({ status: 200, body: undefined });
    await closed(server.sockets[0]);
    await post(BODY, ignore);
    expect(server.sockets).toHaveLength(2);
  });

  test('a socket that somebody else destroys is a failure', async () => {
    const server = await peer(ignore);
    const opened: Socket[] = [];
    const open = (told: unknown): void => void opened.push((told as { socket: Socket }).socket);
    subscribe('net.client.socket', open);
    closers.push(() => unsubscribe('net.client.socket', open));
    const failure = expect(to(server).post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => server.received[0]?.endsWith('the body') === true);
    for (const socket of opened) socket.destroy();
    await failure;
  });

  test('cut leaves a kept connection alone, close does not', async () => {
    const server = await peer((socket) => void socket.write(OK));
    const { post, cut, close } = to(server);
    await post(BODY, ignore);
    cut();
    await post(BODY, ignore);
    expect(server.sockets).toHaveLength(1);
    close();
    await closed(server.sockets[0]);
  });

  test('close ends the request under way', async () => {
    const server = await peer(ignore);
    const { post, close } = to(server);
    const failure = expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => server.received[0]?.endsWith('the body') === true);
    close();
    await failure;
    await closed(server.sockets[0]);
  });

  test('a second request beside the first is refused', async () => {
    const server = await peer((socket) => void socket.write(OK));
    const { post } = to(server);
    const first = post(BODY, ignore);
    await expect(post(BODY, ignore)).rejects.toMatchObject({ code: 'busy' });
    expect((await first).status).toBe(200);
  });
});

test.each<[string, Do | undefined]>([
  ['refused', undefined],
  ['answered', (socket) => void socket.write(OK)],
  ['not answered', (socket) => void socket.end()],
  ['half sent', (socket) => void socket.pause().write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')],
])('a body is not held once it is %s', async (what, act) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = await peer(act ?? ignore, what === 'half sent');
  if (act === undefined) for (const close of closers.splice(0)) close();
  const { post } = to(server);
  const send = async (): Promise<WeakRef<ArrayBufferLike>> => {
    const body = Buffer.alloc(16 * 1024 * 1024);
    await post(body, ignore).catch(() => {});
    return new WeakRef(body.buffer);
  };
  const body = await send();
  await until(() => {
    collect();
    return body.deref() === undefined;
  });
});

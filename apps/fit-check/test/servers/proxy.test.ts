/** The suite's own proxy does what it is told: what other tests prove stands on it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type Proxy as FaultProxy, startProxy } from './proxy.ts';

interface Client {
  send(text: string): void;
  readonly got: string;
  readonly error: string | undefined;
  readonly closed: boolean;
  end(): void;
}

let echo: Server;
let seen: string;
let proxy: FaultProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  seen = '';
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      seen += data.toString();
      socket.write(data);
    });
    socket.on('end', () => socket.end('bye'));
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

function open(port = proxy.port): Client {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let got = '';
  let error: string | undefined;
  socket.on('data', (data) => (got += data.toString()));
  socket.on('error', (why: NodeJS.ErrnoException) => (error = why.code));
  return {
    send: (text) => void socket.write(text),
    end: () => void socket.end(),
    get got() {
      return got;
    },
    get error() {
      return error;
    },
    get closed() {
      return socket.closed;
    },
  };
}

async function opened(): Promise<Client> {
  const client = open();
  client.send('hi ');
  await until('the connection works', () => client.got === 'hi ');
  return client;
}

describe('pass', () => {
  it('carries both ways, and a half-closed connection to its end', async () => {
    const client = await opened();
    const text = 'x'.repeat(1_000_000);
    client.send(text);
    client.end();
    await until('all came back', () => client.got === `hi ${text}bye`);
    await until('the connection is gone', () => client.closed && proxy.connections === 0);
  });
});

describe('refused', () => {
  it('resets what is open, refuses what is new, and listens again on the same port', async () => {
    const client = await opened();
    const { port } = proxy;
    await proxy.set({ kind: 'refused' });
    await until('the old one is reset', () => client.error === 'ECONNRESET');
    const refused = open();
    await until('the new one is refused', () => refused.error === 'ECONNREFUSED');
    await proxy.set({ kind: 'pass' });
    expect(proxy.port).toBe(port);
    await opened();
  });
});

describe('hang', () => {
  it('holds back what is sent, on old and new connections, and passes it later', async () => {
    const old = await opened();
    await proxy.set({ kind: 'hang' });
    const fresh = open();
    old.send('old');
    fresh.send('new');
    await until('the new one is accepted', () => proxy.connections === 2);
    // A whole round by another way: what hangs would have been there before it.
    const way = await startProxy((echo.address() as AddressInfo).port);
    const free = open(way.port);
    free.send('free');
    await until('the other way works', () => free.got === 'free');
    expect(seen).toBe('hi free');
    await way.close();
    await proxy.set({ kind: 'pass' });
    await until('both came back', () => old.got === 'hi old' && fresh.got === 'new');
  });
});

describe('reset', () => {
  it('now: what is open and what is new', async () => {
    const old = await opened();
    await proxy.set({ kind: 'reset' });
    await until('the old one is reset', () => old.error === 'ECONNRESET');
    const fresh = open();
    await until('the new one is reset', () => fresh.closed);
  });

  it('after so many bytes of the answer', async () => {
    const client = await opened();
    await proxy.set({ kind: 'reset', afterBytes: 5 });
    client.send('0123456789');
    await until('it is reset', () => client.closed);
    expect(seen).toBe('hi 0123456789');
    expect('hi 01234'.startsWith(client.got)).toBe(true);
    expect(client.error).toBe('ECONNRESET');
  });
});

describe('slow', () => {
  it('delays an answer by no less than it says', async () => {
    const client = await opened();
    await proxy.set({ kind: 'slow', delayMs: 150 });
    const at = performance.now();
    client.send('late');
    await until('it came', () => client.got === 'hi late');
    expect(performance.now() - at).toBeGreaterThanOrEqual(145);
  });

  it('lets so many bytes a second through, and all at once when it ends', async () => {
    const client = await opened();
    await proxy.set({ kind: 'slow', bytesPerSecond: 100 });
    const at = performance.now();
    client.send('x'.repeat(1000));
    await until('some came', () => client.got.length >= 3 + 20);
    expect(performance.now() - at).toBeGreaterThanOrEqual(190);
    expect(client.got.length).toBeLessThan(500);
    await proxy.set({ kind: 'pass' });
    await until('all came', () => client.got.length === 1003);
  });
});

describe('half-open', () => {
  it('nothing reaches the server, while the server still speaks', async () => {
    const client = await opened();
    await proxy.set({ kind: 'half-open', silent: 'to-server' });
    client.send('lost');
    sockets.find((socket) => socket.localPort === (echo.address() as AddressInfo).port)?.write('pushed');
    await until('the server is heard', () => client.got === 'hi pushed');
    expect(seen).toBe('hi ');
  });

  it('the server is asked, and nothing comes back', async () => {
    const client = await opened();
    await proxy.set({ kind: 'half-open', silent: 'to-client' });
    client.send('asked');
    await until('the server was asked', () => seen === 'hi asked');
    expect(client.got).toBe('hi ');
    await proxy.set({ kind: 'pass' });
    await until('the answer came after all', () => client.got === 'hi asked');
  });
});

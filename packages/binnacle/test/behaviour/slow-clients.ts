/** Clients that take their time: half-sent headers and bodies, bytes one by one, answers that nobody reads. */
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { currentRequest } from '../../src/context.ts';
import {
  type AppServer,
  type CreateApp,
  deferred,
  type Harness,
  openRaw,
  type Route,
  send,
  startHarness,
  waitFor,
} from './harness.ts';

const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/echo', answer: ({ body }) => ({ body: body as object }) },
  { method: 'GET', path: '/x', answer: () => ({ body: 'x' }) },
  {
    method: 'GET',
    path: '/endless',
    write(_, res) {
      res.writeHead(200, { 'content-type': 'application/octet-stream' });
      const pour = (): void => {
        while (!res.destroyed && res.write(Buffer.alloc(64 * 1024))) {}
      };
      res.on('drain', pour);
      pour();
    },
  },
];

/** Node's own limits, as tight as a test needs them. */
function hurry(server: AppServer): void {
  server.connectionsCheckingInterval = 20;
  server.headersTimeout = 150;
  server.requestTimeout = 150;
}

export function describeSlowClients(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const start = async (prepare?: (server: AppServer) => void): Promise<void> => {
    app = await startHarness(createApp, { routes: ROUTES, ...(prepare && { prepare }) });
  };
  const active = (method: string) =>
    app.value(`http_server_active_requests{http_request_method="${method}",url_scheme="http"}`);

  test('half-sent headers are no request; their connection is ended by Node', async () => {
    await start(hurry);
    const client = await openRaw(app.port);
    const closed = once(client.socket, 'close');
    client.write('GET /x HTTP/1.1\r\nHost: x\r\nX-Half: ');
    await closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
    await app.closing(0);
    expect(await app.series('http_server_active_requests')).toEqual([]);
    expect((await send(`${app.url}/x`)).status).toBe(200);
    await app.closing(1);
  });

  test('a half-sent body ends as a timeout, once', async () => {
    await start(hurry);
    const client = await openRaw(app.port);
    const closed = once(client.socket, 'close');
    const headers = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nX-Request-Id: half';
    client.write(`POST /echo HTTP/1.1\r\n${headers}\r\n\r\n{"a"`);
    await waitFor(() => expect(app.obs.http.gate.size).toBe(1));
    expect(await active('POST')).toBe(1);
    await closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
    const [line] = await app.closing(1);
    expect(line).toMatchObject({
      level: 'WARNING',
      request_id: 'half',
      status: 'timeout',
      http_status: 408,
      error_type: 'timeout',
      request_bytes: 4,
    });
    expect(await app.series('http_server_request_duration_seconds_count')).toEqual([
      expect.stringMatching(/http_response_status_code="408",error_type="timeout"} 1$/),
    ]);
    expect([await active('POST'), app.obs.http.gate.size]).toEqual([0, 0]);
    const [span] = await app.spans(1);
    expect([span?.status, span?.attributes['error.type']]).toEqual([2, 'timeout']);
  });

  test('work that answers before it has the body is told when that does not come', async () => {
    const aborted = deferred();
    const route: Route = {
      method: 'POST',
      path: '/upload',
      write(_, res) {
        currentRequest()?.carrier?.signal.addEventListener('abort', () => aborted.resolve());
        res.writeHead(202, { 'content-type': 'text/plain' }).write('begun');
      },
    };
    app = await startHarness(createApp, { routes: [route], prepare: hurry });
    const client = await openRaw(app.port);
    const headers = 'Host: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 100';
    client.write(`POST /upload HTTP/1.1\r\n${headers}\r\n\r\nhalf`);
    await aborted.promise;
    expect((await app.closing(1))[0]).toMatchObject({ status: 'timeout', http_status: 202, error_type: 'timeout' });
    expect(client.received()).not.toContain(' 408 ');
  });

  test('a request that comes byte by byte is one, as whole as any', async () => {
    await start();
    const client = await openRaw(app.port);
    client.socket.setNoDelay(true);
    const body = '{"a":"é"}';
    const request = Buffer.from(
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    for (const byte of request) {
      await new Promise((resolve) => client.socket.write(Uint8Array.of(byte), resolve));
    }
    await client.until('HTTP/1.1 200');
    client.socket.destroy();
    expect((await app.closing(1))[0]).toMatchObject({
      route: '/echo',
      status: 'success',
      request_bytes: Buffer.byteLength(body),
    });
  });

  test('an answer that nobody reads is open until its client goes', async () => {
    await start();
    const client = await openRaw(app.port);
    client.socket.pause();
    client.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(async () => expect(await active('GET')).toBe(1));
    expect((await send(`${app.url}/x`)).status).toBe(200);
    await app.closing(1);
    client.socket.destroy();
    const [, line] = await app.closing(2);
    expect(line).toMatchObject({ route: '/endless', http_status: 499, error_type: 'client_disconnect' });
    await waitFor(async () => expect(await active('GET')).toBe(0));
  });
}

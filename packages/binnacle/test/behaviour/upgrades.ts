/** Upgraded connections: counted apart from requests, with the request in hand for as long as they last. */
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { currentRequest } from '../../src/context.ts';
import { type CreateApp, type Harness, type HarnessOptions, openRaw, send, startHarness, waitFor } from './harness.ts';

export function describeUpgrades(createApp: CreateApp): void {
  let app: Harness;
  let sockets: WebSocketServer | undefined;
  const clients: WebSocket[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.terminate();
    sockets?.close();
    sockets = undefined;
    await app.close();
  });
  const start = async (options: HarnessOptions = {}): Promise<WebSocketServer> => {
    app = await startHarness(createApp, {
      routes: [{ method: 'GET', path: '/x', answer: () => ({ body: 'x' }) }],
      ...options,
    });
    sockets = new WebSocketServer({ server: app.server, path: '/ws' });
    return sockets;
  };
  const connect = (id: string, path = '/ws'): WebSocket => {
    const client = new WebSocket(`ws://127.0.0.1:${app.port}${path}`, { headers: { 'x-request-id': id } });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  const upgrades = (status: number, protocol = 'websocket') =>
    app.value(`http_server_upgrades_total{network_protocol_name="${protocol}",http_response_status_code="${status}"}`);
  const open = () => app.value('http_server_upgraded_connections{network_protocol_name="websocket"}');
  const lineOf = (message: string) =>
    waitFor(() => {
      const found = app.lines().find((line) => line.message === message);
      if (found === undefined) throw new Error(`no line ${message}`);
      return found;
    });

  test('a WebSocket is counted by its answer and while it is open, and is no request', async () => {
    const server = await start();
    server.on('connection', (socket) => {
      app.obs.log.info('connected');
      socket.on('message', (data) => {
        app.obs.log.info('message');
        socket.send(`echo ${String(data)}`);
      });
    });
    const client = connect('socket');
    await once(client, 'open');
    expect([await upgrades(101), await open(), app.obs.http.gate.size]).toEqual([1, 1, 1]);
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('echo hello');
    client.close();
    const line = await lineOf('Upgraded connection closed');
    expect(line).toMatchObject({ level: 'INFO', request_id: 'socket', http_status: 101, protocol: 'websocket' });
    expect(line.duration_ms).toBeGreaterThan(0);
    expect(line.ip).toBe('127.0.0.1');
    for (const message of ['connected', 'message'])
      expect(app.lines().find((one) => one.message === message)?.request_id, message).toBe('socket');
    expect([await upgrades(101), await open(), app.obs.http.gate.size]).toEqual([1, 0, 0]);
    await app.closing(0);
    expect(await app.series('http_server_request_duration_seconds_count')).toEqual([]);
    expect(await app.series('http_server_active_requests')).toEqual([]);
    await app.spans(0);
  });

  test('requests beside it are counted as ever', async () => {
    await start();
    await once(connect('socket'), 'open');
    await send(`${app.url}/x`);
    await app.closing(1);
    expect(await app.series('http_server_request_duration_seconds_count')).toHaveLength(1);
  });

  test('one that is refused is told by the code that its handler wrote', async () => {
    await start();
    const client = connect('refused', '/other');
    await waitFor(async () => expect(await upgrades(400)).toBe(1));
    expect(client.readyState).not.toBe(WebSocket.OPEN);
    expect(await lineOf('Connection not upgraded')).toMatchObject({ request_id: 'refused', http_status: 400 });
    expect(await open()).toBeUndefined();
    expect(app.obs.http.gate.size).toBe(0);
  });

  test('a client that goes away is told to the handler by its signal', async () => {
    const server = await start();
    const reasons: unknown[] = [];
    server.on('connection', () => {
      const signal = currentRequest()?.signal;
      signal?.addEventListener('abort', () => reasons.push((signal.reason as Error).cause));
    });
    const client = connect('gone');
    await once(client, 'open');
    client.terminate();
    await waitFor(() => expect(reasons).toEqual(['client_disconnect']));
    await lineOf('Upgraded connection closed');
    expect(await open()).toBe(0);
  });

  test('without anybody to upgrade it, it is a request like others', async () => {
    app = await startHarness(createApp, {
      routes: [{ method: 'GET', path: '/x', answer: () => ({ body: 'plain' }) }],
    });
    const client = await openRaw(app.port);
    client.write('GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('plain');
    client.socket.destroy();
    expect((await app.closing(1))[0]).toMatchObject({ route: '/x', http_status: 200 });
    expect(await app.series('http_server_upgrades_total')).toEqual([]);
  });

  test('while the service drains new ones are refused; those that are open are told at the end, and then torn down', async () => {
    const server = await start({ env: { SHUTDOWN_TIMEOUT_MS: '150' } });
    const reasons: unknown[] = [];
    server.on('connection', (socket) => {
      const { requestId, signal } = currentRequest() ?? {};
      signal?.addEventListener('abort', () => {
        reasons.push((signal.reason as Error).cause);
        if (requestId === 'heeds') socket.close(1001, 'shutdown');
      });
    });
    const [heeds, ignores] = [connect('heeds'), connect('ignores')];
    await Promise.all([once(heeds, 'open'), once(ignores, 'open')]);
    const closed = Promise.all([once(heeds, 'close'), once(ignores, 'close')]);
    const stopped = app.obs.stop();
    await waitFor(() => expect(app.obs.http.gate.closed).toBe(true));
    const late = connect('late');
    const [, response] = await once(late, 'unexpected-response');
    expect(response).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1', 'x-request-id': 'late' } });
    expect(await upgrades(503)).toBe(1);
    await stopped;
    expect(reasons).toEqual(['shutdown', 'shutdown']);
    expect((await closed).map(([code]) => code)).toEqual([1001, 1006]);
    await waitFor(async () => expect(await open()).toBe(0));
    expect(app.obs.http.gate.size).toBe(0);
  });
}

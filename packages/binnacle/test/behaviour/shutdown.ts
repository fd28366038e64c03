/** The order of a shutdown, for connections without work and for streams, idle or busy. */
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type CreateApp, deferred, type Harness, openRaw, type Route, send, startHarness, waitFor } from './harness.ts';

const SSE = { 'content-type': 'text/event-stream' };

export function describeShutdown(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const x: Route = { method: 'GET', path: '/x', answer: () => ({ body: 'x' }) };
  const closeListener = () => {
    app.obs.log.info('listener');
    return new Promise((resolve) => app.server.close(resolve));
  };

  test('connections that are kept alive without work hold nothing up, and end with the listener', async () => {
    app = await startHarness(createApp, { routes: [x] });
    const idle = await Promise.all(Array.from({ length: 5 }, () => openRaw(app.port)));
    for (const client of idle) {
      client.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.until('200 OK');
    }
    const fresh = await openRaw(app.port);
    const closed = Promise.all(idle.map(({ socket }) => once(socket, 'close')));
    await app.closing(5);
    await app.obs.stop(closeListener);
    await closed;
    // Node waits for the first request of a connection; the shutdown does not.
    fresh.socket.destroy();
    expect(app.lines().find(({ message }) => message === 'Running work is aborted: the shutdown ran out of time')).toBe(
      undefined,
    );
  });

  test('a connection that is kept alive is told to close by the answer to its next request', async () => {
    const [go, begun] = [deferred(), deferred()];
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      async answer() {
        begun.resolve();
        await go.promise;
        return { body: 'whole' };
      },
    };
    app = await startHarness(createApp, { routes: [x, slow] });
    const client = await openRaw(app.port);
    client.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('200 OK');
    const running = send(`${app.url}/slow`);
    await begun.promise;
    const stopped = app.obs.stop(closeListener);
    await waitFor(() => expect(app.obs.http.gate.closed).toBe(true));
    const closed = once(client.socket, 'close');
    client.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await closed;
    expect(client.received()).toMatch(/503 Service Unavailable[\s\S]*connection: close/i);
    go.resolve();
    expect((await running).body).toBe('whole');
    await stopped;
  });

  test('streams, idle and busy alike, run to their end or are told of it; then telemetry, then the listener', async () => {
    const begun = { idle: deferred(), busy: deferred(), ending: deferred() };
    const stream = (
      name: keyof typeof begun,
      run: (signal: AbortSignal, send: (text: string) => void) => Promise<void>,
    ): Route => ({
      method: 'GET',
      path: `/${name}`,
      write: (_, res) =>
        app.obs
          .session({ id: name }, async ({ signal }) => {
            res.writeHead(200, SSE).write('data: begun\n\n');
            begun[name].resolve();
            await run(signal, (text) => void res.write(text));
          })
          .then(
            () => res.end('event: complete\ndata: {}\n\n'),
            () => res.end('event: shutdown\ndata: {}\n\n'),
          ),
    });
    const until = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const go = deferred();
    app = await startHarness(createApp, {
      env: { SHUTDOWN_TIMEOUT_MS: '400' },
      options: { namespace: 'svc' },
      routes: [
        stream('idle', (signal) => until(signal)),
        stream('busy', async (signal, send) => {
          const timer = setInterval(() => send('data: more\n\n'), 1);
          await until(signal).finally(() => clearInterval(timer));
        }),
        stream('ending', () => go.promise),
      ],
    });
    const answers = ['idle', 'busy', 'ending'].map((name) => read(`${app.url}/${name}`));
    await Promise.all(Object.values(begun).map(({ promise }) => promise));
    const stopped = app.obs.stop(closeListener);
    await waitFor(() => expect(app.obs.http.gate.closed).toBe(true));
    const codes = async () =>
      Promise.all(
        ['/health/live', '/health/ready', '/metrics', '/none'].map(
          async (path) => (await send(`${app.url}${path}`)).status,
        ),
      );
    expect(await codes()).toEqual([200, 503, 200, 503]);
    go.resolve();
    await stopped;
    const [idle, busy, ending] = await Promise.all(answers);
    expect(idle).toBe('data: begun\n\nevent: shutdown\ndata: {}\n\n');
    expect(busy).toMatch(/^data: begun\n\n(data: more\n\n)+event: shutdown\ndata: \{\}\n\n$/);
    expect(ending).toBe('data: begun\n\nevent: complete\ndata: {}\n\n');
    const told = app.lines().flatMap(({ message, session_id, status, error_type }) => {
      if (message.endsWith('Request completed') && session_id !== undefined)
        return [`${session_id} ${status} ${error_type}`];
      return ['Running work is aborted: the shutdown ran out of time', 'Shut down', 'listener'].includes(message)
        ? [message]
        : [];
    });
    expect(told.slice(0, 2)).toEqual([
      'ending success undefined',
      'Running work is aborted: the shutdown ran out of time',
    ]);
    expect(told.slice(2, 4).sort()).toEqual(['busy cancelled shutdown', 'idle cancelled shutdown']);
    expect(told.slice(4)).toEqual(['Shut down', 'listener']);
    expect(await app.value('svc_requests_total{status="cancelled"}')).toBe(2);
    expect(await app.value('svc_requests_total{status="success"}')).toBe(1);
  });
}

/** All that comes until the answer ends, however that is. */
function read(url: string): Promise<string> {
  return new Promise((resolve) => {
    request(url, { agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('error', () => {}).once('close', () => resolve(text));
    }).end();
  });
}

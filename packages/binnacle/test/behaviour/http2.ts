/** HTTP/2: requests as streams of one connection, whose resets are disconnects; in clear text, and over TLS beside HTTP/1. */
import { readFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { currentRequest } from '../../src/context.ts';
import {
  type App,
  type CreateApp,
  deferred,
  type Harness,
  httpLabels,
  type Route,
  startHarness,
  waitFor,
} from './harness.ts';

const SSE = { 'content-type': 'text/event-stream' };
/** Of a name that resolves nowhere else, for these tests alone. */
const TLS = {
  key: readFileSync(new URL('tls/key.pem', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('tls/cert.pem', import.meta.url), 'utf8'),
};

/** Builds an app over HTTP/2, by TLS where it is given (and then over HTTP/1.1 too). */
export type CreateHttp2App = (
  tls: { readonly key: string; readonly cert: string } | undefined,
  ...rest: Parameters<CreateApp>
) => Promise<App>;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    let body = '';
    stream.setEncoding('utf8');
    stream.on('response', (given) => {
      headers = given;
    });
    stream.on('data', (chunk: string) => {
      body += chunk;
    });
    stream.once('error', reject);
    stream.once('close', () => {
      if (stream.rstCode === 0) resolve({ status: Number(headers[':status']), headers, body });
      else reject(new Error(`reset with ${stream.rstCode}`));
    });
  });
}

export function describeHttp2(createApp: CreateHttp2App): void {
  let app: Harness;
  const sessions: ClientHttp2Session[] = [];
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    await app.close();
  });
  const start = async (routes: readonly Route[], env: Record<string, string> = {}): Promise<void> => {
    app = await startHarness((...args) => createApp(undefined, ...args), {
      routes,
      env,
      options: { namespace: 'svc' },
    });
  };
  const open = (): ClientHttp2Session => {
    const session = connect(app.url);
    session.on('error', () => {});
    sessions.push(session);
    return session;
  };
  const ask = (path: string, headers: OutgoingHttpHeaders = {}, body?: string, session = open()): ClientHttp2Stream => {
    const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
    stream.on('error', () => {});
    if (body !== undefined) stream.end(body);
    return stream;
  };
  const active = () => app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}');

  test('a route is told by its template; bodies are measured, announced or not; ids go in and out', async () => {
    await start([
      { method: 'GET', path: '/items/:id', answer: ({ params }) => ({ body: { id: params.id } }) },
      { method: 'POST', path: '/echo', answer: ({ body }) => ({ body: { length: JSON.stringify(body).length } }) },
    ]);
    const session = open();
    const item = await answerOf(ask('/items/7?x=1', { 'x-request-id': 'r' }, undefined, session));
    expect(item).toMatchObject({ status: 200, headers: { 'x-request-id': 'r' }, body: '{"id":"7"}' });
    const json = { ':method': 'POST', 'content-type': 'application/json' };
    expect((await answerOf(ask('/echo', json, '{"a":"é"}', session))).body).toBe('{"length":9}');
    expect((await answerOf(ask('/none', {}, undefined, session))).status).toBe(404);
    const lines = await app.closing(3);
    expect(lines.map(({ route, http_status, request_bytes }) => [route, http_status, request_bytes])).toEqual([
      ['/items/:id', 200, 0],
      ['/echo', 200, 10],
      ['__unmatched__', 404, 0],
    ]);
    expect(lines[0]).toMatchObject({ request_id: 'r', response_bytes: 10, ip: '127.0.0.1' });
    const labels = httpLabels({ route: '/items/:id', status: 200 });
    expect(await app.value(`http_server_request_duration_seconds_count${labels}`)).toBe(1);
    const [span] = await app.spans(1, 'GET /items/:id');
    expect(span?.attributes).toMatchObject({
      'network.protocol.version': '2',
      'url.scheme': 'http',
      'url.path': '/items/7',
    });
    expect(await active()).toBe(0);
  });

  test('HEAD has no body, and is whole', async () => {
    await start([{ method: 'GET', path: '/x', answer: () => ({ body: 'text' }) }]);
    expect(await answerOf(ask('/x', { ':method': 'HEAD' }))).toMatchObject({ status: 200, body: '' });
    expect((await app.closing(1))[0]).toMatchObject({ status: 'success', http_status: 200, response_bytes: 0 });
  });

  test('a stream is counted to its last byte', async () => {
    const go = deferred();
    await start([
      {
        method: 'GET',
        path: '/stream',
        async write(_, res) {
          res.writeHead(200, SSE);
          res.write('data: 1\n\n: ping\n\n');
          await go.promise;
          res.end('data: 2\n\n');
        },
      },
    ]);
    const stream = ask('/stream');
    const answer = answerOf(stream);
    await new Promise((resolve) => stream.once('response', resolve));
    expect(await active()).toBe(1);
    go.resolve();
    expect((await answer).body).toBe('data: 1\n\n: ping\n\ndata: 2\n\n');
    const [line] = await app.closing(1);
    expect(line).toMatchObject({ status: 'success', http_status: 200, stream_events: 2, response_bytes: 26 });
    expect(await active()).toBe(0);
  });

  describe('a client that resets its stream', () => {
    const expectGone = async (sent: number | undefined): Promise<void> => {
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ status: 'cancelled', http_status: 499, error_type: 'client_disconnect' });
      const labels = httpLabels({ route: '/stream', status: 499, error: 'client_disconnect' });
      expect(await app.value(`http_server_request_duration_seconds_count${labels}`)).toBe(1);
      const [span] = await app.spans(1);
      expect(span?.attributes['http.response.status_code']).toBe(sent);
      expect([await active(), app.obs.http.gate.size]).toEqual([0, 0]);
    };

    test.each([
      ['before the headers', false, constants.NGHTTP2_CANCEL],
      ['in mid-stream', true, constants.NGHTTP2_CANCEL],
      ['in mid-stream, by an error', true, constants.NGHTTP2_INTERNAL_ERROR],
      ['in mid-stream, without one', true, constants.NGHTTP2_NO_ERROR],
    ])('%s', async (_, streams, code) => {
      const aborted = deferred<unknown>();
      await start([
        {
          method: 'GET',
          path: '/stream',
          write: (_req, res) => {
            const signal = currentRequest()?.carrier?.signal;
            signal?.addEventListener('abort', () => aborted.resolve(signal.reason));
            if (streams) res.writeHead(200, SSE).write('data: 1\n\n');
          },
        },
      ]);
      const stream = ask('/stream');
      if (streams) await new Promise((resolve) => stream.once('data', resolve));
      else await waitFor(() => expect(app.obs.http.gate.size).toBe(1));
      stream.close(code);
      expect(await aborted.promise).toMatchObject({ cause: 'client_disconnect' });
      await expectGone(streams ? 200 : undefined);
    });

    test('with the end of a long answer still to come', async () => {
      await start([{ method: 'GET', path: '/stream', write: (_, res) => res.end(Buffer.alloc(50_000_000)) }]);
      const stream = ask('/stream');
      await new Promise((resolve) => stream.once('response', resolve));
      stream.close(constants.NGHTTP2_CANCEL);
      await expectGone(200);
    });

    test('from a stream that the framework sends', async () => {
      const body = (): Readable =>
        new Readable({
          read() {
            setImmediate(() => this.push('data: 1\n\n'));
          },
        });
      await start([{ method: 'GET', path: '/stream', answer: () => ({ headers: SSE, body: body() }) }]);
      const stream = ask('/stream');
      await new Promise((resolve) => stream.once('data', resolve));
      stream.close(constants.NGHTTP2_CANCEL);
      await expectGone(200);
    });

    test('leaves the other streams of its connection alone; a connection that goes ends them all', async () => {
      const route = (path: string): Route => ({
        method: 'GET',
        path,
        write: (_, res) => res.writeHead(200, SSE).write('data: 1\n\n'),
      });
      await start(['/a', '/b', '/c'].map(route));
      const session = open();
      const streams = ['/a', '/b', '/c'].map((path) => ask(path, {}, undefined, session));
      await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('data', resolve))));
      streams[0]?.close(constants.NGHTTP2_CANCEL);
      expect((await app.closing(1))[0]).toMatchObject({ route: '/a', http_status: 499 });
      expect(await active()).toBe(2);
      session.destroy();
      expect((await app.closing(3)).map(({ http_status, error_type }) => [http_status, error_type])).toEqual(
        Array(3).fill([499, 'client_disconnect']),
      );
      expect([await active(), app.obs.http.gate.size]).toEqual([0, 0]);
    });
  });

  test('a stream that the server breaks off is an error of ours', async () => {
    await start([
      {
        method: 'GET',
        path: '/torn',
        write: (_, res) => {
          res.writeHead(200, SSE);
          res.write('data: 1\n\n', () => res.destroy());
        },
      },
      {
        method: 'GET',
        path: '/failed',
        write: (_, res) => {
          res.writeHead(200, SSE).write('data: 1\n\n');
          (res as unknown as Http2ServerResponse).stream.destroy(new Error('upstream'));
        },
      },
      {
        method: 'GET',
        path: '/dropped',
        write: (_, res) => {
          res.writeHead(200, SSE);
          res.write('data: 1\n\n', () => (res as unknown as Http2ServerResponse).stream.destroy());
        },
      },
    ]);
    for (const path of ['/torn', '/failed', '/dropped']) await answerOf(ask(path)).catch(() => {});
    for (const line of await app.closing(3))
      expect(line).toMatchObject({ status: 'error', http_status: 200, error_type: 'stream_error' });
  });

  test('a hundred streams of one connection are kept apart', async () => {
    await start([
      {
        method: 'GET',
        path: '/:id',
        async answer({ params }) {
          await new Promise((resolve) => setTimeout(resolve, Number(params.id) % 5));
          app.obs.log.info(`in ${params.id}`);
          return { body: { id: currentRequest()?.requestId } };
        },
      },
    ]);
    const session = open();
    const ids = Array.from({ length: 100 }, (_, at) => String(at));
    const answers = await Promise.all(
      ids.map((id) => answerOf(ask(`/${id}`, { 'x-request-id': id }, undefined, session))),
    );
    expect(answers.map(({ body }) => JSON.parse(body))).toEqual(ids.map((id) => ({ id })));
    await app.closing(100);
    for (const id of ids) expect(app.lines().find(({ message }) => message === `in ${id}`)?.request_id).toBe(id);
  });

  test('probes answer; while the service drains new work is refused, and its connection is told to go', async () => {
    await start([{ method: 'GET', path: '/x', answer: () => ({ body: 'x' }) }]);
    const codes = (paths: readonly string[]) =>
      Promise.all(paths.map(async (path) => (await answerOf(ask(path))).status));
    expect(await codes(['/health', '/health/live', '/health/ready', '/metrics', '/x'])).toEqual([
      200, 200, 200, 200, 200,
    ]);
    await app.obs.stop();
    expect(await codes(['/health/live', '/health/ready', '/metrics'])).toEqual([200, 503, 200]);
    const session = open();
    const closed = new Promise((resolve) => session.once('close', resolve));
    const refused = await answerOf(ask('/x', { 'x-request-id': 'late' }, undefined, session));
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'shutting_down', request_id: 'late' } });
    await closed;
  });

  test('over TLS both versions of HTTP are told, as https', async () => {
    app = await startHarness((...args) => createApp(TLS, ...args), {
      routes: [{ method: 'GET', path: '/items/:id', answer: ({ params }) => ({ body: { id: params.id } }) }],
    });
    const session = connect(`https://127.0.0.1:${app.port}`, { ca: TLS.cert });
    sessions.push(session);
    expect((await answerOf(ask('/items/1', {}, undefined, session))).body).toBe('{"id":"1"}');
    const status = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: app.port, path: '/items/2', ca: TLS.cert, agent: false };
      httpsRequest(options, (res) => res.resume().once('end', () => resolve(res.statusCode)))
        .once('error', reject)
        .end();
    });
    expect(status).toBe(200);
    expect((await app.closing(2)).map(({ route, status }) => [route, status])).toEqual(
      Array(2).fill(['/items/:id', 'success']),
    );
    const series = await app.series('http_server_request_duration_seconds_count');
    expect(series).toEqual([expect.stringMatching(/url_scheme="https",http_route="\/items\/:id".*} 2$/)]);
    expect((await app.spans(2)).map((span) => span.attributes['network.protocol.version']).sort()).toEqual([
      '1.1',
      '2',
    ]);
  });
}

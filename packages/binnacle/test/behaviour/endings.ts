/** How an exchange ends: streams to their last byte, clients that leave, streams that fail, outcomes that are declared. */
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { currentRequest } from '../../src/context.ts';
import {
  type CreateApp,
  deferred,
  type Harness,
  httpLabels,
  openRaw,
  type Route,
  send,
  startHarness,
  waitFor,
} from './harness.ts';

const SSE = { 'content-type': 'text/event-stream' };

interface Expected {
  readonly route: string;
  readonly outcome: 'success' | 'error' | 'timeout' | 'cancelled';
  /** The status label; undefined where nothing was sent. */
  readonly status: number | undefined;
  /** The code on the span; the label's unless told. */
  readonly sent?: number | undefined;
  readonly error?: string;
  /** A session ran in it. */
  readonly session?: boolean;
}

/** One ending: the same in the one closing line, the metric, the span and the session's own metric. */
async function expectEnding(app: Harness, expected: Expected): Promise<void> {
  const { route, outcome, status, error } = expected;
  const [line] = await app.closing(1);
  expect([line?.status, line?.http_status, line?.error_type]).toEqual([outcome, status, error]);
  expect(line?.level).toBe({ success: 'INFO', cancelled: 'INFO', timeout: 'WARNING', error: 'ERROR' }[outcome]);
  const labels = httpLabels({ route, status, ...(error !== undefined && { error }) });
  expect(await app.series('http_server_request_duration_seconds_count')).toEqual([
    `http_server_request_duration_seconds_count${labels} 1`,
  ]);
  expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0);
  expect(app.obs.http.gate.size).toBe(0);
  const [span] = await app.spans(1, `GET ${route}`);
  const sent = 'sent' in expected ? expected.sent : status;
  expect(span?.attributes['http.response.status_code']).toBe(sent);
  expect(span?.attributes['error.type']).toBe(error);
  expect(span?.status).toBe(outcome === 'error' || outcome === 'timeout' ? 2 : 0);
  if (expected.session !== true) return;
  for (const one of ['success', 'error', 'timeout', 'cancelled'])
    expect(await app.value(`svc_requests_total{status="${one}"}`), one).toBe(one === outcome ? 1 : 0);
  expect(await app.value('svc_active_sessions')).toBe(0);
  expect(line?.message).toBe('[s1] Request completed');
}

export function describeEndings(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  type Write = (req: IncomingMessage, res: ServerResponse) => unknown;
  const start = async (path: string, write: Write, env: Record<string, string> = {}): Promise<void> => {
    app = await startHarness(createApp, {
      routes: [{ method: 'GET', path, write }],
      options: { namespace: 'svc' },
      env,
    });
  };

  describe('a stream', () => {
    test('is counted to its last byte: bytes, events without heartbeats, the longest gap', async () => {
      const [go, first] = [deferred(), deferred()];
      await start('/stream', async (_, res) => {
        res.writeHead(200, SSE);
        res.write(': ping\n\n');
        res.write('event: a\ndata: 1\n\nda');
        first.resolve();
        await go.promise;
        res.write('ta: é\n\n: ping\n\n');
        res.end('data: 3\n\n');
      });
      const answer = send(`${app.url}/stream`);
      await first.promise;
      expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(1);
      const begun = performance.now();
      await waitFor(() => expect(performance.now() - begun).toBeGreaterThan(30));
      expect(app.lines().some(({ message }) => message === 'Request completed')).toBe(false);
      go.resolve();
      const { body } = await answer;
      await expectEnding(app, { route: '/stream', outcome: 'success', status: 200 });
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ stream_events: 3, response_bytes: Buffer.byteLength(body) });
      expect(line?.longest_gap_ms).toBeGreaterThanOrEqual(30);
      expect(line?.duration_ms).toBeGreaterThanOrEqual(Number(line?.longest_gap_ms));
      expect(Number(line?.first_byte_ms)).toBeLessThan(Number(line?.duration_ms) - 25);
      expect(await app.value('http_server_stream_events_total{http_route="/stream"}')).toBe(3);
      expect(await app.value('http_server_stream_longest_gap_seconds_count{http_route="/stream"}')).toBe(1);
      expect(await app.value('http_server_stream_longest_gap_seconds_sum{http_route="/stream"}')).toBe(
        Number(line?.longest_gap_ms) / 1000,
      );
      const labels = httpLabels({ route: '/stream', status: 200 });
      expect(await app.value(`http_server_response_body_size_bytes_sum${labels}`)).toBe(Buffer.byteLength(body));
    });

    test('of lines of JSON is one too; any other answer is none', async () => {
      const routes: Route[] = [
        {
          method: 'GET',
          path: '/lines',
          write: (_, res) => res.setHeader('Content-Type', 'application/x-ndjson').end('1\n\n2'),
        },
        {
          method: 'GET',
          path: '/plain',
          write: (_, res) => res.setHeader('Content-Type', 'text/plain').end('data: 1\n\n'),
        },
      ];
      app = await startHarness(createApp, { routes });
      for (const path of ['/lines', '/plain']) await send(`${app.url}${path}`);
      const [lines, plain] = await app.closing(2);
      expect(lines?.stream_events).toBe(2);
      expect(plain).not.toHaveProperty('stream_events');
      expect(plain).not.toHaveProperty('longest_gap_ms');
      expect(await app.series('http_server_stream_longest_gap_seconds_count')).toHaveLength(1);
    });
  });

  describe('a client that goes away', () => {
    const leave = async (path: string, part?: string): Promise<void> => {
      const client = await openRaw(app.port);
      client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (part === undefined) await waitFor(() => expect(app.obs.http.gate.size).toBe(1));
      else await client.until(part);
      client.socket.destroy();
    };

    test('before the headers', async () => {
      const aborted = deferred<unknown>();
      await start('/slow', () => {
        const signal = currentRequest()?.carrier?.signal;
        signal?.addEventListener('abort', () => aborted.resolve(signal.reason));
      });
      await leave('/slow');
      expect(await aborted.promise).toMatchObject({ name: 'AbortError', cause: 'client_disconnect' });
      await expectEnding(app, {
        route: '/slow',
        outcome: 'cancelled',
        status: 499,
        sent: undefined,
        error: 'client_disconnect',
      });
      const [span] = await app.spans(1);
      expect(span?.events).toEqual(['client_disconnect']);
    });

    test('in mid-stream: the span keeps the code that was sent', async () => {
      const aborted = deferred();
      await start('/stream', (_, res) => {
        currentRequest()?.carrier?.signal.addEventListener('abort', () => aborted.resolve());
        res.writeHead(200, SSE).write('data: 1\n\n');
      });
      await leave('/stream', 'data: 1');
      await aborted.promise;
      await expectEnding(app, {
        route: '/stream',
        outcome: 'cancelled',
        status: 499,
        sent: 200,
        error: 'client_disconnect',
      });
      expect(await app.value('http_server_stream_events_total{http_route="/stream"}')).toBe(1);
    });

    test('is not mistaken for a failure by a handler that tears down as well', async () => {
      await start('/stream', (req, res) => {
        res.writeHead(200, SSE).write('data: 1\n\n');
        req.once('aborted', () => res.destroy());
        req.once('close', () => res.destroy());
        res.once('close', () => res.destroy(new Error('closed')));
      });
      await leave('/stream', 'data: 1');
      await expectEnding(app, {
        route: '/stream',
        outcome: 'cancelled',
        status: 499,
        sent: 200,
        error: 'client_disconnect',
      });
    });

    test('cancels the session: whatever its work then throws', async () => {
      await start('/session', (_, res) =>
        app.obs
          .session({ id: 's1', timeoutMs: 60_000 }, async ({ signal, phase }) => {
            res.writeHead(200, SSE).write('data: 1\n\n');
            await phase(
              'verdict',
              () => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new TypeError('torn')))),
            );
          })
          .catch(() => {}),
      );
      await leave('/session', 'data: 1');
      await expectEnding(app, {
        route: '/session',
        outcome: 'cancelled',
        status: 499,
        sent: 200,
        error: 'client_disconnect',
        session: true,
      });
      expect((await app.closing(1))[0]?.phases).toEqual({ verdict: expect.any(Number) });
      expect(await app.value('svc_phase_completions_total{phase="verdict",status="error"}')).toBe(1);
    });

    test('from a stream that the framework sends: its source is closed', async () => {
      const closed = deferred();
      const body = (): Readable =>
        new Readable({
          read() {
            setImmediate(() => this.push('data: 1\n\n'));
          },
          destroy(_error, callback) {
            closed.resolve();
            callback(null);
          },
        });
      app = await startHarness(createApp, {
        routes: [{ method: 'GET', path: '/stream', answer: () => ({ headers: SSE, body: body() }) }],
      });
      await leave('/stream', 'data: 1');
      await closed.promise;
      await expectEnding(app, {
        route: '/stream',
        outcome: 'cancelled',
        status: 499,
        sent: 200,
        error: 'client_disconnect',
      });
    });

    test('after the last byte changes nothing', async () => {
      await start('/done', (_, res) => res.end('done'));
      await leave('/done', 'done');
      await expectEnding(app, { route: '/done', outcome: 'success', status: 200 });
    });
  });

  describe('an answer that the server breaks off', () => {
    const tear = (url: string) =>
      send(url).then(
        () => 'whole',
        () => 'torn',
      );

    test('a stream that fails after the headers', async () => {
      const body = (): Readable =>
        Readable.from(
          (async function* () {
            yield 'data: 1\n\n';
            await new Promise((resolve) => setImmediate(resolve));
            throw new Error('upstream');
          })(),
        );
      app = await startHarness(createApp, {
        routes: [{ method: 'GET', path: '/stream', answer: () => ({ headers: SSE, body: body() }) }],
      });
      expect(await tear(`${app.url}/stream`)).toBe('torn');
      await expectEnding(app, { route: '/stream', outcome: 'error', status: 200, error: 'stream_error' });
    });

    test('destroyed by its handler after the headers', async () => {
      await start('/stream', (_, res) => {
        res.writeHead(200, SSE);
        res.write('data: 1\n\n', () => res.destroy());
      });
      expect(await tear(`${app.url}/stream`)).toBe('torn');
      await expectEnding(app, { route: '/stream', outcome: 'error', status: 200, error: 'stream_error' });
    });

    test.each([
      ['before the headers', false, undefined],
      ['after the headers', true, 200],
    ] as const)('by the end of its connection, %s', async (_when, streams, status) => {
      await start('/torn', (_, res) => {
        if (streams) res.writeHead(200, SSE).write('data: 1\n\n', () => res.socket?.destroy());
        else res.socket?.destroy();
      });
      expect(await tear(`${app.url}/torn`)).toBe('torn');
      await expectEnding(app, { route: '/torn', outcome: 'error', status, error: 'stream_error' });
    });

    test('by the end of its connection with an error of its own', async () => {
      await start('/torn', (_, res) => res.socket?.destroy(new Error('enough')));
      expect(await tear(`${app.url}/torn`)).toBe('torn');
      await expectEnding(app, { route: '/torn', outcome: 'error', status: undefined, error: 'stream_error' });
    });

    test('destroyed by its handler before the headers', async () => {
      await start('/torn', (_, res) => res.destroy());
      expect(await tear(`${app.url}/torn`)).toBe('torn');
      await expectEnding(app, { route: '/torn', outcome: 'error', status: undefined, error: 'stream_error' });
    });
  });

  describe('a declared outcome', () => {
    const session =
      (work: (res: ServerResponse) => unknown, timeoutMs?: number): Write =>
      async (_, res) => {
        await app.obs
          .session({ id: 's1', ...(timeoutMs !== undefined && { timeoutMs }) }, () => work(res))
          .catch(() => {});
        res.end();
      };

    test.each([
      ['error', 'stream_error', () => Promise.reject(new TypeError('broken')), undefined],
      ['timeout', 'timeout', () => new Promise(() => {}), 5],
      ['cancelled', 'cancelled', () => Promise.reject(new DOMException('x', 'AbortError')), undefined],
    ] as const)('%s after the headers keeps the code that was sent', async (outcome, error, fail, timeoutMs) => {
      await start(
        '/session',
        session((res) => {
          res.writeHead(200, SSE).write('data: 1\n\n');
          return fail();
        }, timeoutMs),
      );
      expect((await send(`${app.url}/session`)).status).toBe(200);
      await expectEnding(app, { route: '/session', outcome, status: 200, error, session: true });
    });

    test.each([
      ['error', 500, () => Promise.reject(new TypeError('broken')), undefined],
      ['timeout', 504, () => new Promise(() => {}), 5],
      ['error', 404, () => Promise.reject(new TypeError('no such thing')), undefined],
    ] as const)(
      '%s before the headers, answered with %i, is told by that code',
      async (outcome, code, fail, timeoutMs) => {
        await start(
          '/session',
          session(async (res) => {
            res.statusCode = code;
            await fail();
          }, timeoutMs),
        );
        await send(`${app.url}/session`);
        await expectEnding(app, { route: '/session', outcome, status: code, error: String(code), session: true });
      },
    );

    test('success, with what the session noted and its phases', async () => {
      await start(
        '/session',
        session(async (res) => {
          res.writeHead(200, SSE);
          await app.obs.session({ id: 's1' }, async ({ phase, note }) => {
            await phase('verdict', () => {});
            note({ provider: 'embedded', status: 'noted', http_status: 1 });
          });
          res.write('data: 1\n\n');
        }),
      );
      await send(`${app.url}/session`);
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ status: 'success', http_status: 200, provider: 'embedded', session_id: 's1' });
      expect(line?.phases).toEqual({ verdict: expect.any(Number) });
      expect(line).not.toHaveProperty('phase');
    });

    test('the first failure stands, and none comes after the ending', async () => {
      await start('/x', (_, res) => {
        const carrier = currentRequest()?.carrier;
        carrier?.declare('success');
        carrier?.declare('timeout', 'first');
        carrier?.declare('error', 'second');
        carrier?.declare('success');
        res.once('finish', () => setImmediate(() => carrier?.declare('error', 'third')));
        res.end('x');
      });
      await send(`${app.url}/x`);
      await expectEnding(app, { route: '/x', outcome: 'timeout', status: 200, error: 'first' });
    });
  });

  test('a keep-alive agent that aborts one request does not disturb the next', async () => {
    await start('/stream/:n', (req, res) => {
      res.writeHead(200, SSE).write('data: 1\n\n');
      if (req.url === '/stream/2') res.end();
    });
    await new Promise<void>((resolve) => {
      const req = get(`${app.url}/stream/1`, (res) => res.once('data', () => req.destroy()));
      req.once('close', resolve).on('error', () => {});
    });
    await send(`${app.url}/stream/2`);
    const lines = await app.closing(2);
    expect(lines.map(({ status }) => status).sort()).toEqual(['cancelled', 'success']);
  });
}

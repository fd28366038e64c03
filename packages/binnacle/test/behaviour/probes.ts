/** Probes, and how new work is refused while the service drains. */
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { currentRequest } from '../../src/context.ts';
import {
  type CreateApp,
  deferred,
  type Harness,
  type HarnessOptions,
  httpLabels,
  send,
  startHarness,
  waitFor,
} from './harness.ts';

export function describeProbes(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const start = async (options: HarnessOptions = {}): Promise<void> => {
    app = await startHarness(createApp, options);
  };
  const codes = (paths: readonly string[], options: Parameters<typeof send>[1] = {}, url = app.url) =>
    Promise.all(paths.map(async (path) => (await send(`${url}${path}`, options)).status));
  const PROBES = ['/health', '/health/live', '/health/ready', '/metrics'];

  test('answer, without a span and with a DEBUG line, by their own routes', async () => {
    await start();
    expect(await codes(PROBES)).toEqual([200, 200, 200, 200]);
    const lines = await app.closing(4);
    expect(lines.map(({ level }) => level)).toEqual(Array(4).fill('DEBUG'));
    expect(lines.map(({ route }) => route).sort()).toEqual(PROBES);
    await app.spans(0);
    const { headers, body } = await send(`${app.url}/health`);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body)).toMatchObject({ status: 'healthy', service: 'svc', version: '1.2.3' });
  });

  test('/metrics is the scrape, in the format that was asked for', async () => {
    await start();
    const text = await send(`${app.url}/metrics`);
    expect(text.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text.body).toContain('# TYPE http_server_active_requests gauge\n');
    const open = await send(`${app.url}/metrics`, {
      headers: { accept: 'application/openmetrics-text;version=1.0.0' },
    });
    expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body.endsWith('# EOF\n')).toBe(true);
  });

  test('a slow scrape is no work that a shutdown waits for', async () => {
    const [asked, go] = [deferred(), deferred<object[]>()];
    const slow = {
      getMetricsAsJSON: () => {
        asked.resolve();
        return go.promise;
      },
    };
    await start({ options: { registries: [slow] } });
    const scraped = send(`${app.url}/metrics`);
    await asked.promise;
    expect(app.obs.http.gate.size).toBe(0);
    await app.obs.http.gate.whenEmpty();
    go.resolve([]);
    expect((await scraped).status).toBe(200);
  });

  test('HEAD has no body, any other method is not allowed, whatever it carries', async () => {
    await start();
    for (const path of PROBES) {
      expect(await send(`${app.url}${path}`, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
      for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'application/xml' }]) {
        const answer = await send(`${app.url}${path}`, {
          method: 'POST',
          headers: headers as Record<string, string>,
          body: '{',
        });
        expect([answer.status, answer.headers.allow], path).toEqual([405, 'GET, HEAD']);
        expect(JSON.parse(answer.body)).toEqual({
          error: {
            code: 'method_not_allowed',
            message: expect.any(String),
            request_id: answer.headers['x-request-id'],
          },
        });
      }
    }
  });

  test('METRICS_TOKEN asks for its bearer', async () => {
    await start({ env: { METRICS_TOKEN: 'let-me-in' } });
    const ask = (authorization?: string) =>
      send(`${app.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } });
    for (const wrong of [undefined, 'Bearer', 'Bearer let-me', 'Bearer let-me-in!', 'let-me-in', 'Basic let-me-in']) {
      const answer = await ask(wrong);
      expect([answer.status, answer.headers['www-authenticate']], wrong).toEqual([401, 'Bearer']);
      expect(answer.body).not.toContain('http_server');
    }
    for (const right of ['Bearer let-me-in', 'bearer let-me-in']) expect((await ask(right)).status).toBe(200);
    expect(await codes(['/health'])).toEqual([200]);
  });

  test('METRICS_ENABLED=false: /metrics is not there, all else works', async () => {
    await start({
      env: { METRICS_ENABLED: 'false' },
      routes: [
        {
          method: 'GET',
          path: '/x',
          answer: () => app.obs.session({ id: 's' }, () => ({ body: { id: currentRequest()?.requestId } })),
        },
      ],
    });
    expect(await codes(['/metrics', '/health', '/x'])).toEqual([404, 200, 200]);
    await app.closing(3);
    expect(await app.series('http_server_request_duration_seconds_count')).toEqual([]);
  });

  test('MANAGEMENT_PORT: probes answer there alone', async () => {
    await start({ env: { MANAGEMENT_PORT: '0' }, routes: [{ method: 'GET', path: '/x', answer: () => ({}) }] });
    expect(await codes([...PROBES, '/x'])).toEqual([404, 404, 404, 404, 200]);
    const line = await waitFor(() => {
      const found = app.lines().find(({ message }) => message.includes('management port'));
      if (found === undefined) throw new Error('no line of the management port');
      return found;
    });
    const url = `http://127.0.0.1:${line.port}`;
    expect(await codes([...PROBES, '/x', '/none'], {}, url)).toEqual([200, 200, 200, 200, 404, 404]);
    expect(await codes(['/metrics?x=1'], { method: 'HEAD' }, url)).toEqual([200]);
    const answer = await send(`${url}/x`, { headers: { 'x-request-id': 'r' } });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'not_found', request_id: 'r' } });
  });

  test('a management port that is taken stops the start', async () => {
    await start();
    const other = startHarness(createApp, { env: { MANAGEMENT_PORT: String(app.port) } });
    await expect(other).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  describe('while the service drains', () => {
    const SSE = { 'content-type': 'text/event-stream' };

    test('it is not ready from the signal on, but takes new work for SHUTDOWN_DELAY_MS', async () => {
      await start({
        env: { SHUTDOWN_DELAY_MS: '500' },
        routes: [{ method: 'GET', path: '/x', answer: () => ({}) }],
      });
      const stopped = app.obs.stop();
      expect(await codes(['/health/ready', '/health/live', '/x'])).toEqual([503, 200, 200]);
      expect(app.obs.http.gate.closed).toBe(false);
      await stopped;
      expect(await codes(['/health/ready', '/health/live', '/x'])).toEqual([503, 200, 503]);
    });

    test('new work is refused, probes answer, and what runs goes on', async () => {
      const [go, begun] = [deferred(), deferred()];
      await start({
        routes: [
          {
            method: 'GET',
            path: '/slow',
            async answer() {
              begun.resolve();
              await go.promise;
              return { body: 'whole' };
            },
          },
          { method: 'POST', path: '/work', answer: () => ({ body: {} }) },
        ],
      });
      const running = send(`${app.url}/slow`);
      await begun.promise;
      const stopped = app.obs.stop(() => app.obs.log.info('listener'));
      await waitFor(() => expect(app.obs.http.gate.closed).toBe(true));
      for (const [method, path] of [
        ['POST', '/work'],
        ['GET', '/none'],
        ['HEAD', '/work'],
      ] as const) {
        const answer = await send(`${app.url}${path}`, {
          method,
          headers: { 'content-type': 'application/json', 'x-request-id': 'late', connection: 'keep-alive' },
          ...(method === 'POST' && { body: '{"a":1}' }),
        });
        expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
        if (method !== 'HEAD')
          expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'shutting_down', request_id: 'late' } });
      }
      expect(await codes(['/health/live', '/health/ready', '/health', '/metrics'])).toEqual([200, 503, 503, 200]);
      go.resolve();
      expect((await running).body).toBe('whole');
      await stopped;
      const lines = await app.closing(8);
      expect(lines.filter(({ http_status }) => http_status === 503).map(({ status }) => status)).toEqual(
        Array(5).fill('error'),
      );
      const [last] = lines.filter(({ route }) => route === '/slow');
      expect(last?.status).toBe('success');
      const order = app
        .lines()
        .map(({ message }) => message)
        .filter((message) => ['Shut down', 'listener'].includes(message));
      expect(order).toEqual(['Shut down', 'listener']);
    });

    test.each([
      ['heeds its signal', true],
      ['does not', false],
    ])('a stream that %s ends cancelled, with the code that was sent', async (_, heeds) => {
      const begun = deferred();
      await start({
        env: { SHUTDOWN_TIMEOUT_MS: '20' },
        options: { namespace: 'svc' },
        routes: [
          {
            method: 'GET',
            path: '/stream',
            write: (_req, res) =>
              app.obs
                .session({ id: 's1' }, async ({ signal }) => {
                  res.writeHead(200, SSE).write('data: 1\n\n');
                  begun.resolve();
                  await new Promise((_resolve, reject) =>
                    signal.addEventListener('abort', () => reject(signal.reason)),
                  );
                })
                .catch((error: { cause?: unknown }) => {
                  if (heeds) res.end(`event: shutdown\ndata: ${String(error.cause)}\n\n`);
                }),
          },
        ],
      });
      const answer = new Promise<string>((resolve) => {
        request(`${app.url}/stream`, { agent: false }, (res) => {
          let text = '';
          res.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          res.on('error', () => {}).once('close', () => resolve(text));
        }).end();
      });
      await begun.promise;
      await app.obs.stop();
      expect(await answer).toBe(heeds ? 'data: 1\n\nevent: shutdown\ndata: shutdown\n\n' : 'data: 1\n\n');
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ status: 'cancelled', http_status: 200, error_type: 'shutdown', session_id: 's1' });
      const labels = httpLabels({ route: '/stream', status: 200, error: 'shutdown' });
      expect(await app.value(`http_server_request_duration_seconds_count${labels}`)).toBe(1);
      expect(await app.value('svc_requests_total{status="cancelled"}')).toBe(1);
    });
  });
}

/** The console under an adapter: it is answered where probes are, and is no work of the service's. */
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { openPage } from '../console/page.ts';
import { type CreateApp, deferred, type Harness, type HarnessOptions, send, startHarness, waitFor } from './harness.ts';

export function describeConsole(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const start = async ({ options, ...rest }: HarnessOptions = {}): Promise<void> => {
    app = await startHarness(createApp, { options: { console: true, ...options }, ...rest });
  };
  const session = (url = app.url) => send(`${url}/console/api/session`);

  test('answers, without a span, a series or more than a DEBUG line', async () => {
    await start({ routes: [{ method: 'GET', path: '/x', answer: () => ({}) }] });
    expect(await session()).toMatchObject({ status: 200, body: '{"needsToken":false}' });
    expect((await send(`${app.url}/console?view=logs`)).headers.location).toBe('/console/?view=logs');
    expect((await send(`${app.url}/consoles`)).status).toBe(404);
    expect((await send(`${app.url}/x`)).status).toBe(200);
    const lines = await app.closing(4);
    expect(lines.filter(({ route }) => route === '/console').map(({ level }) => level)).toEqual(['DEBUG', 'DEBUG']);
    const routes = (await app.series('http_server_request_duration_seconds_count')).join('\n');
    expect(routes).toContain('http_route="/x"');
    expect(routes).not.toContain('console"');
    expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0);
    expect((await app.spans(2)).map(({ name }) => name).sort()).toEqual(['GET', 'GET /x']);
  });

  test('tells an open page what runs, and of it when it has ended', async () => {
    const [go, begun] = [deferred(), deferred()];
    await start({
      routes: [
        {
          method: 'GET',
          path: '/items/:id',
          answer: () =>
            app.obs.session({ id: 's1' }, (own) =>
              own.phase('work', async () => {
                begun.resolve();
                await go.promise;
                return { body: {} };
              }),
            ),
        },
      ],
    });
    const page = await openPage(app.url);
    const answered = send(`${app.url}/items/7`);
    await begun.promise;
    const live = await page.until((seen) => seen.told('live').find(({ total }) => total === 1)?.requests[0]);
    expect(live).toMatchObject({ method: 'GET', route: '/items/:id', sessionId: 's1', bytes: 0, events: 0 });
    expect(live.phases).toEqual([{ name: 'work', start: expect.any(Number) }]);
    expect(Math.abs(live.start - Date.now())).toBeLessThan(60_000);
    go.resolve();
    await answered;
    const span = await page.until((seen) => seen.told('spans').find(({ name }) => name === 'GET /items/:id'));
    expect(span).toMatchObject({ traceId: live.traceId, kind: 'server', service: 'svc', scope: 'binnacle' });
    expect(span.attributes).toMatchObject({ 'http.route': '/items/:id', 'session.id': 's1' });
    const line = await page.until((seen) => seen.told('logs').find(({ message }) => message.endsWith('completed')));
    expect(line).toMatchObject({ traceId: live.traceId, fields: { request_id: live.id } });
    await page.until((seen) => seen.told('live').at(-1)?.total === 0);
    page.close();
  });

  test('an open page is no work: a shutdown waits for none, and ends it before the listener closes', async () => {
    await start();
    const page = await openPage(app.url);
    await page.until((seen) => seen.told('hello').length === 1);
    expect(app.obs.http.gate.size).toBe(0);
    let closed = false;
    const closeListener = () =>
      new Promise<void>((resolve) =>
        app.server.close(() => {
          closed = true;
          resolve();
        }),
      );
    await app.obs.stop(closeListener);
    // Not given up after the second that a listener may take: it had nobody to wait for.
    expect(closed).toBe(true);
    await page.ended;
    // The page was there to the end.
    expect(page.told('logs').map(({ message }) => message)).toContain('Shut down');
    expect(app.lines().filter(({ message }) => message.startsWith('Running work is aborted'))).toEqual([]);
  });

  test('MANAGEMENT_PORT: answers there alone', async () => {
    await start({ env: { MANAGEMENT_PORT: '0' } });
    expect((await session()).status).toBe(404);
    const line = await waitFor(() => {
      const found = app.lines().find(({ message }) => message.includes('management port'));
      if (found === undefined) throw new Error('no line of the management port');
      return found;
    });
    const url = `http://127.0.0.1:${line.port}`;
    expect(await session(url)).toMatchObject({ status: 200 });
    const page = await openPage(url);
    await page.until((seen) => seen.told('hello').length === 1);
    page.close();
    const lines = await app.closing(3);
    expect(lines.map(({ route, level }) => [route, level]).sort()).toEqual([
      ['/console', 'DEBUG'],
      ['/console', 'DEBUG'],
      ['__unmatched__', 'INFO'],
    ]);
    const routes = (await app.series('http_server_request_duration_seconds_count')).join('\n');
    expect(routes).not.toContain('/console');
    // What the public port does not know is a request like any other.
    expect(routes).toContain('__unmatched__');
  });

  test('is not there unless it is asked for', async () => {
    await start({ options: { console: undefined }, env: { CONSOLE_ENABLED: 'true' } });
    expect((await session()).status).toBe(404);
    const lines = await app.closing(1);
    expect(lines[0]).toMatchObject({ route: '__unmatched__', level: 'INFO' });
  });

  test('a page that reads nothing holds up neither the service nor its end', async () => {
    await start({ routes: [{ method: 'GET', path: '/x', answer: () => ({}) }] });
    const stuck = request(`${app.url}/console/api/events`, { agent: false });
    stuck.on('error', () => {}).once('response', (response) => response.pause());
    stuck.end();
    for (let line = 0; line < 2000; line += 1) app.obs.log.info({ filler: 'x'.repeat(2000) }, `line ${line}`);
    expect((await send(`${app.url}/x`)).status).toBe(200);
    await app.obs.stop();
    stuck.destroy();
  });
}

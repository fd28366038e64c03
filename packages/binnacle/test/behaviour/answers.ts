/** Plain answers: labels, sizes, codes; connections that carry several. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type CreateApp,
  type Harness,
  httpLabels,
  openRaw,
  type Route,
  send,
  startHarness,
  waitFor,
} from './harness.ts';

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/items/:id', answer: ({ params }) => ({ body: { id: params.id } }) },
  { method: 'GET', path: '/waits', write: () => new Promise(() => {}) },
  { method: 'GET', path: '/fails', answer: () => Promise.reject(new Error('broken')) },
  { method: 'GET', path: '/refuses', answer: () => ({ status: 409, body: {} }) },
  { method: 'GET', path: '/unavailable', answer: () => ({ status: 503, body: {} }) },
  { method: 'GET', path: '/text', answer: () => ({ headers: { 'content-type': 'text/plain' }, body: 'héé' }) },
  { method: 'GET', path: '/nothing', answer: () => ({ status: 204 }) },
  { method: 'GET', path: '/not-modified', write: (_, res) => res.writeHead(304).end('not sent') },
  { method: 'GET', path: '/file', answer: () => ({ body: Readable.from(['abc', Buffer.alloc(1000), 'xyz']) }) },
  { method: 'POST', path: '/echo', answer: ({ body }) => ({ body: { length: JSON.stringify(body).length } }) },
  {
    method: 'GET',
    path: '/encoded',
    write(_, res) {
      res.write('616263', 'hex');
      res.write('é', 'latin1');
      res.end(Buffer.from('!'), () => {});
    },
  },
];

const size = (direction: 'request' | 'response', labels: string) =>
  `http_server_${direction}_body_size_bytes_sum${labels}`;

export function describeAnswers(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const start = async (): Promise<Harness> => {
    app = await startHarness(createApp, { routes: ROUTES });
    return app;
  };

  test('a route is told by its template, in metric, line and span', async () => {
    await start();
    for (let id = 0; id < 20; id += 1)
      expect((await send(`${app.url}/items/${id}?q=${id}`)).body).toBe(`{"id":"${id}"}`);
    const lines = await app.closing(20);
    const labels = httpLabels({ route: '/items/:id', status: 200 });
    for (const metric of [
      'request_duration_seconds',
      'time_to_first_byte_seconds',
      'request_body_size_bytes',
      'response_body_size_bytes',
    ]) {
      expect(await app.value(`http_server_${metric}_count${labels}`), metric).toBe(20);
      expect(await app.series(`http_server_${metric}_count`)).toHaveLength(1);
    }
    expect(lines[0]).toMatchObject({
      level: 'INFO',
      message: 'Request completed',
      status: 'success',
      http_status: 200,
      method: 'GET',
      route: '/items/:id',
      request_bytes: 0,
      response_bytes: 10,
    });
    expect(lines[0]).not.toHaveProperty('error_type');
    expect(lines[0]?.first_byte_ms).toBeGreaterThan(0);
    expect(lines[0]?.duration_ms).toBeGreaterThanOrEqual(Number(lines[0]?.first_byte_ms));
    const [span] = await app.spans(20, 'GET /items/:id');
    expect(span).toMatchObject({ kind: 2, status: 0, parentSpanId: '' });
    expect(span?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/items/:id',
      'http.response.status_code': 200,
      'url.path': '/items/0',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
    });
    expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0);
  });

  test('what matches no route is __unmatched__, whatever its path', async () => {
    await start();
    for (const path of ['/none', '/items', '/items/1/2', '/%zz', '/%', '//', '/?a=b'])
      expect([400, 404], path).toContain((await send(`${app.url}${path}`)).status);
    await app.closing(7);
    const series = await app.series('http_server_request_duration_seconds_count');
    expect(series.length).toBeGreaterThan(0);
    expect(series.every((line) => line.includes('http_route="__unmatched__"'))).toBe(true);
    const spans = await app.spans(7, 'GET');
    expect(spans.every((span) => span.name === 'GET' && !('http.route' in span.attributes))).toBe(true);
    expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0);
  });

  test('a parameter that cannot be decoded is no route of its own, whether its framework takes it or not', async () => {
    await start();
    const statuses = [];
    for (const path of ['/items/%ff', '/items/%c3%28', '/items/%'])
      statuses.push((await send(`${app.url}${path}`)).status);
    expect([
      [400, 400, 400],
      [404, 404, 404],
      [200, 200, 200],
    ]).toContainEqual(statuses);
    const lines = await app.closing(3);
    const routes = statuses.map((status) => (status === 200 ? ['/items/:id'] : ['/items/:id', '__unmatched__']));
    for (const [at, line] of lines.entries()) expect(routes[at]).toContain(line.route);
    expect(await app.series('http_server_request_duration_seconds_count')).toHaveLength(1);
  });

  test('unknown methods are _OTHER; the span tells which', async () => {
    await start();
    for (const method of ['PROPFIND', 'MKCOL', 'PURGE']) await send(`${app.url}/items/1`, { method });
    await app.closing(3);
    const series = await app.series('http_server_request_duration_seconds_count');
    expect(series).toEqual([expect.stringContaining('http_request_method="_OTHER"')]);
    const spans = await app.spans(3);
    expect(spans.map((span) => span.attributes['http.request.method_original'])).toEqual([
      'PROPFIND',
      'MKCOL',
      'PURGE',
    ]);
    expect(await app.value('http_server_active_requests{http_request_method="_OTHER",url_scheme="http"}')).toBe(0);
  });

  test('thousands of distinct URLs, methods and request ids add no series', async () => {
    await start();
    const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'LOCK', 'MKCOL'];
    const ask = (i: number) =>
      send(`${app.url}/${i % 3 === 0 ? 'items/' : 'x/'}${i}?${i}`, {
        method: methods[i % methods.length] as string,
        headers: { 'x-request-id': `id-${i}` },
      });
    const burst = async (from: number, count: number) => {
      for (let i = from; i < from + count; i += 100)
        await Promise.all(Array.from({ length: 100 }, (_, j) => ask(i + j)));
    };
    const shape = async () =>
      (await app.series('http_server_request_duration_seconds_count')).map((line) => line.split('} ')[0]);
    await burst(0, 300);
    await app.closing(300);
    const before = await shape();
    await burst(300, 2700);
    await app.closing(3000);
    expect(await shape()).toEqual(before);
    expect(before.length).toBeLessThan(20);
  });

  test('a 5xx is an error by its code; a 4xx is a success of ours', async () => {
    await start();
    for (const path of ['/fails', '/unavailable', '/refuses']) await send(`${app.url}${path}`);
    const lines = await app.closing(3);
    expect(lines.map(({ level, status, http_status, error_type }) => [level, status, http_status, error_type])).toEqual(
      [
        ['ERROR', 'error', 500, '500'],
        ['ERROR', 'error', 503, '503'],
        ['INFO', 'success', 409, undefined],
      ],
    );
    const count = (route: string, status: number, error?: string) =>
      app.value(`http_server_request_duration_seconds_count${httpLabels({ route, status, ...(error && { error }) })}`);
    expect(await count('/fails', 500, '500')).toBe(1);
    expect(await count('/unavailable', 503, '503')).toBe(1);
    expect(await count('/refuses', 409)).toBe(1);
    const spans = await app.spans(3);
    expect(spans.map((span) => [span.status, span.attributes['error.type']])).toEqual([
      [2, '500'],
      [2, '503'],
      [0, undefined],
    ]);
  });

  describe('bodies', () => {
    test('are measured in bytes, both ways, with their length told or in chunks', async () => {
      await start();
      const body = JSON.stringify({ text: 'é'.repeat(500) });
      await send(`${app.url}/echo`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      await send(`${app.url}/echo`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        body: [body.slice(0, 5), body.slice(5, 300), body.slice(300)],
      });
      const lines = await app.closing(2);
      const bytes = Buffer.byteLength(body);
      expect(lines.map(({ request_bytes }) => request_bytes)).toEqual([bytes, bytes]);
      const labels = httpLabels({ method: 'POST', route: '/echo', status: 200 });
      expect(await app.value(size('request', labels))).toBe(2 * bytes);
      expect(await app.value(size('response', labels))).toBe(2 * '{"length":511}'.length);
    });

    test.each([
      ['/text', 5],
      ['/file', 1006],
      ['/nothing', 0],
      ['/encoded', 5],
    ])('%s is %i bytes', async (path, bytes) => {
      await start();
      const { status } = await send(`${app.url}${path}`);
      await app.closing(1);
      expect(await app.value(size('response', httpLabels({ route: path, status })))).toBe(bytes);
    });

    test('HEAD and 304 send none, whatever was written', async () => {
      await start();
      expect(await send(`${app.url}/items/1`, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
      expect(await send(`${app.url}/not-modified`)).toMatchObject({ status: 304, body: '' });
      expect((await app.closing(2)).map(({ response_bytes }) => response_bytes)).toEqual([0, 0]);
      const labels = httpLabels({ method: 'HEAD', route: '/items/:id', status: 200 });
      expect(await app.value(size('response', labels))).toBe(0);
    });
  });

  describe('a connection', () => {
    const get = (path: string, id: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`;

    test('that is kept alive carries requests of their own', async () => {
      await start();
      const client = await openRaw(app.port);
      for (const id of ['one', 'two', 'three']) {
        client.write(get(`/items/${id}`, id));
        await client.until(`{"id":"${id}"}`);
      }
      client.socket.destroy();
      const lines = await app.closing(3);
      expect(lines.map(({ request_id, status }) => [request_id, status])).toEqual([
        ['one', 'success'],
        ['two', 'success'],
        ['three', 'success'],
      ]);
      expect(client.received().match(/x-request-id: \w+/g)).toEqual([
        'x-request-id: one',
        'x-request-id: two',
        'x-request-id: three',
      ]);
    });

    test('that ends while requests wait in its pipeline leaves none of them open', async () => {
      await start();
      const client = await openRaw(app.port);
      client.write(get('/waits', 'one') + get('/items/2', 'two') + get('/none', 'three'));
      await waitFor(() => expect(app.obs.http.gate.size).toBe(3));
      client.socket.destroy();
      const lines = await app.closing(3);
      expect(lines.map(({ request_id, status, http_status }) => [request_id, status, http_status]).sort()).toEqual([
        ['one', 'cancelled', 499],
        ['three', 'cancelled', 499],
        ['two', 'cancelled', 499],
      ]);
      expect(app.obs.http.gate.size).toBe(0);
      expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0);
    });

    test('with pipelined requests answers each in its turn', async () => {
      await start();
      const client = await openRaw(app.port);
      client.write(get('/items/1', 'one') + get('/none', 'two') + get('/file', 'three'));
      await client.until('xyz');
      client.socket.destroy();
      const lines = await app.closing(3);
      expect(lines.map(({ request_id, route, http_status }) => [request_id, route, http_status]).sort()).toEqual([
        ['one', '/items/:id', 200],
        ['three', '/file', 200],
        ['two', '__unmatched__', 404],
      ]);
      await waitFor(async () =>
        expect(await app.value('http_server_active_requests{http_request_method="GET",url_scheme="http"}')).toBe(0),
      );
    });
  });
}

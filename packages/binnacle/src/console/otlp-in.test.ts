/** The receiver over real sockets, by the specification of OTLP over HTTP. */
import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import {
  decodeResponse,
  decodeStatus,
  encodeRequest,
  type Plain,
  type Signal,
  toMessage,
} from '../../test/otlp/definitions.ts';
import { openPage, type PageEvents } from '../../test/otlp/page-events.ts';
import { createStandalone, type Standalone } from './standalone.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'GET /a' };
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'py' } }] };
const REQUESTS = {
  trace: { resourceSpans: [{ resource, scopeSpans: [{ spans: [SPAN] }] }] },
  logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }] }] }] },
  metrics: {
    resourceMetrics: [
      {
        resource,
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'calls',
                sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ asInt: '3', attributes: [] }] },
              },
            ],
          },
        ],
      },
    ],
  },
} as const;
const PATHS = { trace: '/v1/traces', logs: '/v1/logs', metrics: '/v1/metrics' } as const;
const SIGNALS = Object.keys(PATHS) as Signal[];

let standalone: Standalone | undefined;
let page: PageEvents | undefined;
afterEach(() => {
  page?.close();
  standalone?.close();
  standalone = page = undefined;
});

async function start(token?: string): Promise<string> {
  standalone = createStandalone({ version: '1', token });
  standalone.server.listen(0, '127.0.0.1');
  await once(standalone.server, 'listening');
  return `http://127.0.0.1:${(standalone.server.address() as AddressInfo).port}`;
}

const bodyOf = (signal: Signal, type: string, request: Plain = REQUESTS[signal]): Uint8Array<ArrayBuffer> =>
  type === JSON_TYPE
    ? new Uint8Array(Buffer.from(JSON.stringify(request)))
    : new Uint8Array(encodeRequest(signal, toMessage(request) as Plain));

function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  type = PROTOBUF,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
}

/** A `Status`, in whichever encoding it came. */
async function statusOf(response: Response): Promise<Plain> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.headers.get('content-type') === PROTOBUF ? decodeStatus(bytes) : JSON.parse(bytes.toString());
}

describe('takes', () => {
  test.each(SIGNALS.flatMap((signal) => [PROTOBUF, JSON_TYPE].map((type) => [signal, type] as const)))(
    '%s as %s, in every coding, and answers alike',
    async (signal, type) => {
      const url = await start();
      const body = bodyOf(signal, type);
      const codings: [string, Uint8Array<ArrayBuffer>][] = [
        ['', body],
        ['identity', body],
        ['gzip', new Uint8Array(gzipSync(body))],
        ['x-gzip', new Uint8Array(gzipSync(body))],
        ['deflate', new Uint8Array(deflateSync(body))],
        ['deflate', new Uint8Array(deflateRawSync(body))],
      ];
      for (const [coding, bytes] of codings) {
        const headers: Record<string, string> = coding === '' ? {} : { 'content-encoding': coding };
        const response = await post(url + PATHS[signal], bytes, `${type}; charset=utf-8`, headers);
        expect([coding, response.status, response.headers.get('content-type')]).toEqual([coding, 200, type]);
        const answer = Buffer.from(await response.arrayBuffer());
        expect(type === JSON_TYPE ? JSON.parse(answer.toString()) : decodeResponse(signal, answer)).toEqual({});
      }
      page = await openPage(url);
      await page.until(({ spans, logs, metrics }) => spans.length + logs.length === 6 || metrics.size === 1);
      if (signal === 'trace') expect(page.spans[0]).toMatchObject({ ...SPAN, service: 'py' });
      if (signal === 'logs') expect(page.logs[0]).toMatchObject({ message: 'hello', service: 'py', level: 'INFO' });
      if (signal === 'metrics') expect([...page.metrics]).toEqual([['calls_total{service_name="py"}', [3]]]);
    },
  );

  test('a request that says nothing', async () => {
    const url = await start();
    for (const signal of SIGNALS) {
      expect((await post(url + PATHS[signal], '')).status).toBe(200);
      expect((await post(url + PATHS[signal], '{}', JSON_TYPE)).status).toBe(200);
    }
  });

  test.each([PROTOBUF, JSON_TYPE])('what it can of a request in %s, and says what not', async (type) => {
    const url = await start();
    const spans = [SPAN, { ...SPAN, spanId: '' }, { name: 'b' }];
    const request = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
    const response = await post(`${url}/v1/traces`, bodyOf('trace', type, request), type);
    expect(response.status).toBe(200);
    const bytes = Buffer.from(await response.arrayBuffer());
    const { partialSuccess } = (type === JSON_TYPE ? JSON.parse(bytes.toString()) : decodeResponse('trace', bytes)) as {
      partialSuccess: Plain;
    };
    // JSON has 64-bit integers as text.
    expect(partialSuccess).toEqual({
      rejectedSpans: type === JSON_TYPE ? '2' : 2,
      errorMessage: expect.stringContaining('needs a trace id'),
    });
    const points = [{ asInt: '-1' }, { asInt: '1' }];
    const metrics = [{ name: 'calls', sum: { isMonotonic: true, dataPoints: points } }];
    const second = await post(
      `${url}/v1/metrics`,
      bodyOf('metrics', type, { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
      type,
    );
    const said = Buffer.from(await second.arrayBuffer());
    expect(type === JSON_TYPE ? JSON.parse(said.toString()) : decodeResponse('metrics', said)).toEqual({
      partialSuccess: { rejectedDataPoints: type === JSON_TYPE ? '1' : 1, errorMessage: 'a count below 0' },
    });
  });
});

describe('refuses', () => {
  test.each([PROTOBUF, JSON_TYPE])('what is no %s, by a status in it', async (type) => {
    const url = await start();
    const broken = type === JSON_TYPE ? '{"resourceSpans":1}' : new Uint8Array([0x0a, 0x7f]);
    const response = await post(`${url}/v1/traces`, broken, type);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, type]);
    expect(await statusOf(response)).toEqual({
      code: 3,
      message: expect.stringMatching(/^this is no OTLP: /),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [{ field: 'body', description: expect.stringMatching(/^this is no OTLP: /) }],
        },
      ],
    });
  });

  test('a request with one broken part as a whole', async () => {
    const url = await start();
    const body = Buffer.concat([bodyOf('trace', PROTOBUF), Buffer.from([0x0a, 0x7f])]);
    expect((await post(`${url}/v1/traces`, new Uint8Array(body))).status).toBe(400);
    expect((await post(`${url}/v1/logs`, bodyOf('logs', PROTOBUF))).status).toBe(200);
    page = await openPage(url);
    await page.until(({ logs }) => logs.length === 1);
    expect(page.spans).toEqual([]);
  });

  test.each([
    ['GET', '/v1/traces', {}, 405],
    ['PUT', '/v1/traces', { 'content-type': PROTOBUF }, 405],
    ['POST', '/v1/traces', { 'content-type': 'text/plain' }, 415],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, 'content-encoding': 'br' }, 415],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, 'content-encoding': 'gzip, gzip' }, 415],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }, 400],
    ['POST', '/v1/profiles', { 'content-type': PROTOBUF }, 404],
    ['POST', '/v1/traces/', { 'content-type': PROTOBUF }, 404],
    ['POST', '/', { 'content-type': PROTOBUF }, 404],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, origin: 'https://evil.example' }, 403],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, origin: 'null' }, 403],
    ['POST', '/v1/traces', { 'content-type': PROTOBUF, 'x-forwarded-for': '1.2.3.4' }, 403],
    ['OPTIONS', '/v1/traces', { origin: 'https://localhost.evil.example' }, 403],
  ])('%s %s with %j: %d', async (method, path, headers, status) => {
    const url = await start();
    const response = await fetch(url + path, {
      method,
      headers: headers as Record<string, string>,
      ...(method !== 'GET' && method !== 'OPTIONS' && { body: 'no gzip' }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
    if (status === 405) expect(response.headers.get('allow')).toBe('POST, OPTIONS');
    if (status === 415)
      expect(response.headers.get('accept-encoding')).toBe('content-encoding' in headers ? 'gzip, deflate' : null);
    const said = await statusOf(response);
    if (path.startsWith('/v1/')) expect(said.message).toEqual(expect.any(String));
  });

  test('another name than this machine’s own: a site that has its name led here', async () => {
    const url = new URL(await start());
    const [response] = await once(
      requestHttp({
        port: url.port,
        method: 'POST',
        path: '/v1/traces',
        headers: { host: 'evil.example', 'content-type': PROTOBUF },
      }).end(),
      'response',
    );
    expect(response.statusCode).toBe(403);
    response.resume();
  });
});

describe('bounds', () => {
  const MiB = 1024 * 1024;

  test('a bomb is refused, whatever it is packed in', async () => {
    const url = await start();
    const bomb = Buffer.alloc(300 * MiB);
    for (const [coding, bytes] of [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateSync(bomb)],
    ] as const) {
      expect(bytes.length).toBeLessThan(MiB);
      const response = await post(`${url}/v1/traces`, new Uint8Array(bytes), PROTOBUF, { 'content-encoding': coding });
      expect([response.status, (await statusOf(response)).message]).toEqual([413, expect.stringContaining('20 MiB')]);
    }
  });

  test('a body that is too large is refused when it was sent, and the connection lives', async () => {
    const url = await start();
    const response = await post(`${url}/v1/traces`, new Uint8Array(21 * MiB));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'keep-alive']);
    expect((await post(`${url}/v1/traces`, bodyOf('trace', PROTOBUF))).status).toBe(200);
  });

  test('a body without end is cut off', async () => {
    const url = new URL(await start());
    const socket = connect(Number(url.port), '127.0.0.1');
    let said = '';
    socket.on('data', (bytes) => {
      said += bytes;
    });
    socket.on('error', () => {});
    socket.write(
      `POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${JSON_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MiB, 0x20), Buffer.from('\r\n')]);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let sent = 0;
    while (!socket.destroyed && sent < 400) {
      sent += 1;
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    }
    expect(socket.destroyed).toBe(true);
    expect(sent).toBeLessThan(200);
    expect(said).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  });

  test('more than may be held at once is asked to come again', async () => {
    const url = await start();
    const piece = new Uint8Array(19 * MiB);
    // They hold what they have sent, and do not end.
    const holders = await Promise.all([1, 2, 3].map(() => hold(url, piece)));
    const response = await post(`${url}/v1/traces`, new Uint8Array(15 * MiB));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await statusOf(response)).code).toBe(14);
    for (const holder of holders) holder.destroy();
    await retried(async () => (await post(`${url}/v1/traces`, new Uint8Array(15 * MiB))).status === 400);
  });

  test('a sender that goes away in the middle does no harm', async () => {
    const url = await start();
    const holder = await hold(url, new Uint8Array(1000));
    holder.destroy();
    expect((await post(`${url}/v1/traces`, bodyOf('trace', PROTOBUF))).status).toBe(200);
  });
});

async function hold(url: string, piece: Uint8Array) {
  const { port } = new URL(url);
  const request = requestHttp({ port, method: 'POST', path: '/v1/traces', headers: { 'content-type': PROTOBUF } });
  request.on('error', () => {});
  await new Promise((resolve) => request.write(piece, resolve));
  return request;
}

async function retried(ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await ready())) {
    if (performance.now() > deadline) throw new Error('not within 10 s');
    await sleep(20);
  }
}

describe('browsers on this machine', () => {
  test.each(['http://localhost:5173', 'https://127.0.0.1', 'http://[::1]:3000'])('%s may send', async (origin) => {
    const url = await start();
    const preflight = await fetch(`${url}/v1/traces`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-a',
      },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,x-a',
      vary: 'Origin',
    });
    const sent = await post(`${url}/v1/traces`, bodyOf('trace', JSON_TYPE), JSON_TYPE, { origin });
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
  });
});

describe('with a token', () => {
  const TOKEN = 'let-me-in-1';

  test('senders bear it, and so do pages', async () => {
    const url = await start(TOKEN);
    const send = (headers: Record<string, string>) =>
      post(`${url}/v1/traces`, bodyOf('trace', PROTOBUF), PROTOBUF, headers);
    const refused = await send({});
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await statusOf(refused)).message).toContain('Bearer%20');
    expect((await send({ authorization: 'Bearer wrong' })).status).toBe(401);
    const authorization = `Bearer ${TOKEN}`;
    // From elsewhere, through a proxy, it is as good.
    expect((await send({ authorization, 'x-forwarded-for': '1.2.3.4' })).status).toBe(200);
    await expect(openPage(url)).rejects.toThrow('401');
    page = await openPage(url, { authorization });
    await page.until(({ spans }) => spans.length === 1);
  });

  test('wrong ones are tried a few times a minute', async () => {
    const url = await start(TOKEN);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const response = await post(`${url}/v1/traces`, '', PROTOBUF, { authorization: `Bearer wrong-${i}` });
      statuses.push(response.status);
    }
    expect([statuses.slice(0, 10), statuses.slice(10)]).toEqual([new Array(10).fill(401), [429, 429]]);
  });
});

test('whoever speaks HTTP/2, as gRPC does, is told of once', async () => {
  const told: string[] = [];
  standalone = createStandalone({ version: '1', token: undefined, onGrpc: () => void told.push('') });
  standalone.server.listen(0, '127.0.0.1');
  await once(standalone.server, 'listening');
  const { port } = standalone.server.address() as AddressInfo;
  for (let i = 0; i < 2; i += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  }
  expect(told).toHaveLength(1);
});

test('hostile texts arrive as text', async () => {
  const url = await start();
  const planes = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0xfffd)).join('');
  const hostile = `<script>alert(1)</script>\u001b[31m\u0000\u2028\n\n data: {}\nevent: x ${planes}`;
  const attributes = [
    { key: hostile, value: { stringValue: hostile } },
    { key: '__proto__', value: { stringValue: hostile } },
    { key: 'long', value: { stringValue: 'x'.repeat(1_000_000) } },
  ];
  const status = { code: 2, message: hostile };
  const events = [{ name: 'exception', timeUnixNano: '1', attributes }];
  const spans = [{ ...SPAN, name: hostile, attributes, events, status }];
  const logRecords = [{ body: { stringValue: hostile + 'x'.repeat(1_000_000) }, attributes }];
  const about = { attributes: [{ key: 'service.name', value: { stringValue: hostile } }] };
  for (const type of [PROTOBUF, JSON_TYPE]) {
    const trace = { resourceSpans: [{ resource: about, scopeSpans: [{ scope: { name: hostile }, spans }] }] };
    const logs = { resourceLogs: [{ resource: about, scopeLogs: [{ scope: { name: hostile }, logRecords }] }] };
    expect((await post(`${url}/v1/traces`, bodyOf('trace', type, trace), type)).status).toBe(200);
    expect((await post(`${url}/v1/logs`, bodyOf('logs', type, logs), type)).status).toBe(200);
  }
  page = await openPage(url);
  await page.until(({ spans: told, logs }) => told.length === 2 && logs.length === 2);
  for (const one of page.spans) {
    expect([one.name, one.service, one.scope, one.statusMessage]).toEqual([hostile, hostile, hostile, hostile]);
    expect(Object.entries(one.attributes).slice(0, 2)).toEqual([
      [hostile, hostile],
      ['__proto__', hostile],
    ]);
    expect(one.attributes['binnacle.truncated']).toBe(true);
  }
  for (const one of page.logs) {
    expect(one.message.startsWith(hostile)).toBe(true);
    expect(one.message.length).toBeLessThan(40_000);
  }
  expect(page.events.map(({ name }) => name).filter((name) => name === 'x')).toEqual([]);
});

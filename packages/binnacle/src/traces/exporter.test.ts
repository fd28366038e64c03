import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DiagLogLevel, diag, SpanKind } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test } from 'vitest';
import type { OtlpSettings } from '../settings-otel.ts';
import { printableEndpoint } from './cause.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createOtlpExporter } from './exporter.ts';
import { type Answer, type Receiver, startReceiver } from './testing-otlp.test-helper.ts';
import { createMemoryFaults, createMemoryRecorder, finishedSpan, otelSettings } from './testing-spans.test-helper.ts';
import { type ExportClock, realClock, setUnrefTimer } from './timer.ts';
import { USER_AGENT } from './user-agent.ts';

/** Room for the first attempt and three more, after 1, 1.5 and 2.25 s. */
const TIMEOUT_MS = 7500;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Pauses between attempts take no time but are counted as if they did; the deadline takes its own. */
function hasty(onPause: (ms: number) => void = () => {}): ExportClock {
  let now = 0;
  return {
    now: () => now,
    wall: () => 0,
    setTimer(run, ms) {
      if (ms >= TIMEOUT_MS) return setUnrefTimer(run, ms);
      onPause(ms);
      now += ms;
      return setUnrefTimer(run, 0);
    },
  };
}

async function receiver(answer?: Answer, port?: number, host?: string): Promise<Receiver> {
  const started = await startReceiver(answer, port, host);
  closers.push(() => started.close());
  return started;
}

/** A TCP server that does what it is told with each connection. */
async function tcp(
  onConnection: (socket: Socket) => void,
): Promise<{ url: string; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, server, sockets };
}

function settingsFor(url: string, overrides: Partial<OtlpSettings> = {}): OtlpSettings {
  return { ...otelSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }).otlp, timeoutMs: TIMEOUT_MS, ...overrides };
}

function otlp(url: string, overrides: Partial<OtlpSettings> = {}, clock: ExportClock = hasty()): SpanExporter {
  const exporter = createOtlpExporter({ settings: settingsFor(url, overrides), clock, random: () => 0.5 });
  closers.push(() => exporter.shutdown());
  return exporter;
}

function send(exporter: SpanExporter, spans: ReadableSpan[] = [finishedSpan('one')]): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export(spans, resolve));
}

async function causeOf(exporter: SpanExporter): Promise<string | undefined> {
  return (await send(exporter)).error?.message;
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const { server } = await tcp(() => {});
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('what is sent', () => {
  test.each([
    ['http/protobuf', 'application/x-protobuf', 'gzip'],
    ['http/protobuf', 'application/x-protobuf', 'none'],
    ['http/json', 'application/json', 'gzip'],
    ['http/json', 'application/json', 'none'],
  ] as const)('%s as %s, compression %s', async (protocol, contentType, compression) => {
    const { url, requests } = await receiver();
    const exporter = otlp(url, { protocol, compression, headers: { authorization: 'Bearer x', 'x-team': 'a b' } });
    expect(await send(exporter, [finishedSpan('one'), finishedSpan('two')])).toEqual({
      code: ExportResultCode.SUCCESS,
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.path).toBe('/v1/traces');
    expect(requests[0]?.headers).toMatchObject({
      'content-type': contentType,
      authorization: 'Bearer x',
      'x-team': 'a b',
    });
    expect(requests[0]?.headers['user-agent']).toBe(USER_AGENT);
    expect(requests[0]?.headers['content-encoding']).toBe(compression === 'gzip' ? 'gzip' : undefined);
    expect(requests[0]?.spans.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(requests[0]?.spans[0]).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      kind: SpanKind.INTERNAL + 1,
      startNanos: 1_700_000_000_000_000_000n,
      endNanos: 1_700_000_001_500_000_000n,
      scope: 'test',
    });
    expect(requests[0]?.spans[0]?.attributes).toMatchObject({
      'a.string': 'x',
      'a.number': 7,
      'a.ratio': 0.5,
      'a.flag': true,
    });
  });

  test("headers that the body decides are the body's, whatever the settings say", async () => {
    const { url, requests } = await receiver();
    const headers = {
      'Content-Type': 'text/plain',
      'Content-Length': '3',
      'User-Agent': 'mine',
      'content-encoding': 'br',
    };
    expect((await send(otlp(url, { headers }))).code).toBe(ExportResultCode.SUCCESS);
    expect(requests[0]?.spans).toHaveLength(1);
    expect(requests[0]?.headers['user-agent']).toBe('mine');
  });

  test('a header that cannot be sent fails by its code, without its value', async () => {
    const { url } = await receiver();
    expect(await causeOf(otlp(url, { headers: { authorization: 'a\nsecret' } }))).toBe('ERR_INVALID_CHAR');
  });

  test('to an IPv6 address', async () => {
    const { url, requests } = await receiver(undefined, 0, '::1');
    expect((await send(otlp(url))).code).toBe(ExportResultCode.SUCCESS);
    expect(requests).toHaveLength(1);
  });

  test('nothing after shutdown', async () => {
    const server = await receiver();
    const exporter = otlp(server.url);
    await exporter.shutdown();
    expect(await causeOf(exporter)).toBe('closed');
    expect(server.connections).toBe(0);
  });

  test('to any path, with a query, over one connection', async () => {
    const server = await receiver();
    const exporter = otlp(`http://127.0.0.1:${server.port}/tenant/otlp?key=1`);
    await send(exporter);
    await send(exporter);
    expect(server.requests.map(({ path }) => path)).toEqual(['/tenant/otlp?key=1', '/tenant/otlp?key=1']);
    expect(server.connections).toBe(1);
  });

  test("the process's own OTEL_EXPORTER_OTLP_* neither matter nor speak", async () => {
    const said: unknown[] = [];
    const say = (...words: unknown[]): void => void said.push(words);
    diag.setLogger({ error: say, warn: say, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN);
    const wrong = {
      OTEL_EXPORTER_OTLP_HEADERS: 'x-secret=1',
      OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'brotli',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/does/not/exist',
    };
    Object.assign(process.env, wrong);
    closers.push(() => {
      for (const name of Object.keys(wrong)) delete process.env[name];
      diag.disable();
    });
    const { url, requests } = await receiver();
    expect((await send(otlp(url))).code).toBe(ExportResultCode.SUCCESS);
    expect(requests[0]?.headers['x-secret']).toBeUndefined();
    expect(process.env.OTEL_EXPORTER_OTLP_HEADERS).toBe('x-secret=1');
    expect(said).toEqual([]);
  });
});

describe('retries', () => {
  test.each([429, 502, 503, 504])('after HTTP %d', async (status) => {
    const { url, requests } = await receiver((res, _, index) => res.writeHead(index < 2 ? status : 200).end());
    expect((await send(otlp(url))).code).toBe(ExportResultCode.SUCCESS);
    expect(requests).toHaveLength(3);
  });

  test('after as long as Retry-After says', async () => {
    const pauses: number[] = [];
    const { url } = await receiver((res, _, index) => {
      res.writeHead(index === 0 ? 503 : 200, { 'retry-after': '2' }).end();
    });
    const exporter = otlp(
      url,
      {},
      hasty((ms) => pauses.push(ms)),
    );
    expect((await send(exporter)).code).toBe(ExportResultCode.SUCCESS);
    expect(pauses).toEqual([2000]);
  });

  test('not where they would come too late', async () => {
    const { url, requests } = await receiver((res) => res.writeHead(503, { 'retry-after': '60' }).end());
    expect(await causeOf(otlp(url))).toBe('HTTP 503');
    expect(requests).toHaveLength(1);
  });

  test.each([400, 401, 404, 413, 500, 301])('not after HTTP %d', async (status) => {
    const { url, requests } = await receiver((res) => res.writeHead(status).end('a text that nobody wants to log'));
    expect(await causeOf(otlp(url))).toBe(`HTTP ${status}`);
    expect(requests).toHaveLength(1);
  });

  test('at once after a kept connection that was closed as it was used again', async () => {
    const pauses: number[] = [];
    const server = await receiver((res, _, index, socket) => {
      if (index === 1) socket.resetAndDestroy();
      else res.writeHead(200).end();
    });
    const clock = hasty((ms) => pauses.push(ms));
    const exporter = otlp(server.url, {}, clock);
    for (let i = 0; i < 2; i++) expect((await send(exporter)).code).toBe(ExportResultCode.SUCCESS);
    expect([server.requests.length, server.connections, pauses]).toEqual([3, 2, []]);
  });

  test('after a connection that was reset', async () => {
    const { url, requests } = await receiver((res, _, index, socket) => {
      if (index === 0) socket.resetAndDestroy();
      else res.writeHead(200).end();
    });
    expect((await send(otlp(url))).code).toBe(ExportResultCode.SUCCESS);
    expect(requests).toHaveLength(2);
  });
});

describe('failures are told by their code', () => {
  test('refused', async () => {
    expect(await causeOf(otlp(`http://127.0.0.1:${await closedPort()}/v1/traces`))).toBe('ECONNREFUSED');
  });

  test('refused on every address of a name', async () => {
    expect(await causeOf(otlp(`http://localhost:${await closedPort()}/v1/traces`))).toBe('ECONNREFUSED');
  });

  test('reset each time', async () => {
    const { url } = await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await causeOf(otlp(url))).toBe('ECONNRESET');
  });

  test('no such name', async () => {
    expect(await causeOf(otlp('http://nowhere.invalid:4318/v1/traces'))).toMatch(/^(ENOTFOUND|EAI_AGAIN|timeout)$/);
  });

  test('an answer that is no HTTP', async () => {
    const { url } = await tcp((socket) => socket.once('data', () => socket.end('hello\r\n\r\n')));
    expect(await causeOf(otlp(url))).toBe('HPE_INVALID_CONSTANT');
  });
});

describe('the deadline', () => {
  test('ends an export that is never answered, and its connection', async () => {
    const { url, sockets } = await tcp((socket) => socket.resume());
    const exporter = otlp(url, { timeoutMs: 150 }, realClock);
    const startedAt = performance.now();
    expect(await causeOf(exporter)).toBe('timeout');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await Promise.all(sockets.map((socket) => socket.destroyed || once(socket, 'close')));
  });

  test('counts retries in, so that a slow refusal does not add up', async () => {
    const { url } = await receiver(
      (res) => void setTimeout(() => res.writeHead(503, { 'retry-after': '0' }).end(), 60),
    );
    const startedAt = performance.now();
    expect(await causeOf(otlp(url, { timeoutMs: 200 }, realClock))).toMatch(/^(timeout|HTTP 503)$/);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test('up while another attempt is under way, it tells why the last one failed', async () => {
    const { url, requests } = await receiver((res, _, index) => {
      if (index === 0) res.writeHead(503, { 'retry-after': '0' }).end();
    });
    expect(await causeOf(otlp(url, { timeoutMs: 300 }, realClock))).toBe('HTTP 503');
    expect(requests).toHaveLength(2);
  });

  test('an answer that comes slowly is waited for, on a reused connection too', async () => {
    const { url, requests } = await receiver((res) => void setTimeout(() => res.writeHead(200).end(), 80));
    const exporter = otlp(url, {}, realClock);
    for (let i = 0; i < 2; i++) expect((await send(exporter)).code).toBe(ExportResultCode.SUCCESS);
    expect(requests).toHaveLength(2);
  });

  test('after one that timed out the next succeeds', async () => {
    const { url } = await receiver((res, _, index) => {
      if (index > 0) res.writeHead(200).end();
    });
    const exporter = otlp(url, { timeoutMs: 150 }, realClock);
    expect(await causeOf(exporter)).toBe('timeout');
    expect((await send(exporter)).code).toBe(ExportResultCode.SUCCESS);
  });

  test('cut short between two attempts it tells why the first one failed', async () => {
    const server = await receiver((res) => res.writeHead(503).end());
    let pausing = (): void => {};
    const paused = new Promise<void>((resolve) => {
      pausing = resolve;
    });
    const exporter = otlp(
      server.url,
      {},
      {
        now: () => 0,
        wall: () => 0,
        setTimer(run, ms) {
          if (ms < TIMEOUT_MS) pausing();
          return setUnrefTimer(run, 60_000);
        },
      },
    );
    const cause = causeOf(exporter);
    await paused;
    await exporter.shutdown();
    expect(await cause).toBe('HTTP 503');
    expect(server.requests).toHaveLength(1);
  });

  test('an export whose time is up before it is sent is not sent', async () => {
    const server = await receiver();
    const exporter = otlp(server.url, {}, realClock);
    const cause = causeOf(exporter);
    await exporter.shutdown();
    expect(await cause).toBe('timeout');
    // Time enough for the first, had it gone on.
    expect((await send(otlp(server.url))).code).toBe(ExportResultCode.SUCCESS);
    expect(server.connections).toBe(1);
  });

  test('shutdown cuts the export under way', async () => {
    const { url } = await tcp(() => {});
    const exporter = otlp(url, {}, realClock);
    const cause = causeOf(exporter);
    await exporter.shutdown();
    expect(await cause).toBe('timeout');
  });
});

describe('an outage', () => {
  function deliverTo(url: string, overrides: Partial<OtlpSettings> = {}) {
    const recorder = createMemoryRecorder();
    const { faults, lines } = createMemoryFaults();
    const delivery: Delivery<ReadableSpan[]> = createDelivery({
      exporter: otlp(url, overrides),
      endpoint: printableEndpoint(url),
      timeoutMs: 5000,
      faults,
      recorder,
    });
    return { recorder, lines, delivery };
  }

  test('is one line that names endpoint and cause, its end another', async () => {
    const port = await closedPort();
    const { recorder, lines, delivery } = deliverTo(`http://user:secret@127.0.0.1:${port}/v1/traces?token=secret`);
    for (let i = 0; i < 3; i++)
      expect(await delivery.deliver([finishedSpan('a'), finishedSpan('b')])).toMatchObject({ arrived: false });
    const endpoint = `http://127.0.0.1:${port}/v1/traces`;
    expect(lines).toEqual([
      {
        level: 'WARNING',
        logger: 'otel',
        message: `Spans cannot be exported to ${endpoint}: ECONNREFUSED`,
        fields: { endpoint, cause: 'ECONNREFUSED' },
      },
    ]);
    expect(recorder.counts).toMatchObject({ exported: 0, failed: 6 });
    expect(recorder.ups).toEqual([false, false, false]);

    const { spans } = await receiver(undefined, port);
    expect(await delivery.deliver([finishedSpan('c')])).toMatchObject({ arrived: true });
    expect(spans.map(({ name }) => name)).toEqual(['c']);
    expect(lines[1]).toMatchObject({
      level: 'WARNING',
      logger: 'otel',
      message: `Spans are exported to ${endpoint} again; 6 were lost`,
    });
    expect(recorder.counts).toMatchObject({ exported: 1, failed: 6 });
    expect(recorder.ups.at(-1)).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('an exporter that throws, or never calls back, ends too', async () => {
    const recorder = createMemoryRecorder();
    const { faults, lines } = createMemoryFaults();
    const silent: SpanExporter = { export() {}, shutdown: () => Promise.reject(new Error('no')) };
    const throwing: SpanExporter = {
      export() {
        throw new TypeError('secret');
      },
      async shutdown() {},
    };
    const options = { endpoint: undefined, timeoutMs: 20, faults, recorder };
    expect(await createDelivery({ ...options, exporter: throwing }).deliver([finishedSpan('a')])).toMatchObject({
      arrived: false,
    });
    const delivery = createDelivery({ ...options, exporter: silent });
    expect(await delivery.deliver([finishedSpan('a')])).toMatchObject({ arrived: false });
    delivery.abort();
    expect(lines.map(({ fields }) => fields)).toEqual([{ cause: 'TypeError' }, { cause: 'timeout' }]);
  });
});

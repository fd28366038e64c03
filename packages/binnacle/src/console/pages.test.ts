/** Streams of open pages, over real sockets: a socket that does not read is what matters most. */
import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createHandClock } from '../testing/hand-clock.ts';
import type { ConsoleOptions } from './server.ts';
import { createStore } from './store.ts';
import { lineOf, spanOf, startConsole, type TestConsole } from './testing-console.test-helper.ts';
import type { LiveMoment, TelemetryMoment } from './wire.ts';

const DEADLINE = { timeout: 10_000, interval: 5 };

let t: TestConsole;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await t.close();
});

const start = async (options: Partial<ConsoleOptions> = {}): Promise<void> => {
  t = await startConsole(options);
};
const lines = (count: number, from = 0, more = ''): void =>
  t.store.addLogs(Array.from({ length: count }, (_, index) => lineOf(`line ${from + index}${more}`)));

/** Waits until the server has none. */
const noConnection = (): Promise<void> =>
  vi.waitFor(async () => {
    const count = await new Promise<number>((resolve) => t.server.getConnections((_, open) => resolve(open)));
    if (count > 0) throw new Error(`${count} connections`);
  });

/** A page that asks, and reads nothing until it is told to. */
async function openStuck(): Promise<{ socket: Socket; read(): string }> {
  const socket = connect({ port: Number(new URL(t.url).port), host: '127.0.0.1' });
  sockets.push(socket);
  let text = '';
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.write('GET /console/api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return {
    socket,
    read() {
      if (socket.listenerCount('data') === 0)
        socket.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
      return text;
    },
  };
}

describe('a page', () => {
  test('is told who speaks, then all that is held, oldest first, then what happens', async () => {
    await start();
    t.store.addSpans([spanOf('first'), spanOf('second')]);
    lines(3);
    t.store.addHealth({ time: 1, status: 'healthy', checks: {}, breakers: [], uptime: 5 });
    t.store.addChunks({ traceId: 'a', spanId: 'b', times: [1, 2.5] });
    const series = t.store.metrics.seriesOf({ name: 'a_total', type: 'counter', help: '' }, { x: '1' }) as number;
    t.store.metrics.record(1000, [[series, 7]]);
    const page = await t.open();
    expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ]);
    await page.until((seen) => seen.told('logs').length === 3 && seen.told('spans').length === 2);
    expect(page.events()[0]).toMatchObject({ name: 'hello' });
    expect(page.told('hello')[0]).toEqual({
      instance: t.store.instance,
      service: 'svc',
      version: '1.2.3',
      environment: 'test',
      mode: 'embedded',
      now: expect.any(Number),
      resumed: false,
    });
    expect(page.told('spans').map(({ name }) => name)).toEqual(['first', 'second']);
    expect(page.told('logs').map(({ seq, message }) => [seq, message])).toEqual([
      [0, 'line 0'],
      [1, 'line 1'],
      [2, 'line 2'],
    ]);
    await page.until((seen) => seen.told('metrics').some(({ values }) => values.length > 0));
    expect(page.told('metrics').flatMap(({ values }) => values)).toEqual([[series, 7]]);
    expect(page.told('health')).toMatchObject([{ uptime: 5 }]);
    expect(page.told('chunks')).toEqual([{ traceId: 'a', spanId: 'b', times: [1, 2.5] }]);
    lines(1, 3);
    await page.until((seen) => seen.told('logs').length === 4);
    expect(page.told('skipped')).toEqual([]);
  });

  test('is told of 60,000 records in events that are small, all of them once and in order', async () => {
    await start();
    lines(50_000, 0, ' '.repeat(150));
    t.store.addSpans(Array.from({ length: 10_000 }, (_, index) => spanOf(`span ${index}`)));
    const page = await t.open();
    await page.until((seen) => seen.told('logs').length === 50_000 && seen.told('spans').length === 10_000);
    expect(page.told('logs').map(({ seq }) => seq)).toEqual(Array.from({ length: 50_000 }, (_, index) => index));
    for (const { text, data } of page.events()) {
      expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024 + 500);
      if (Array.isArray(data)) expect(data.length).toBeLessThanOrEqual(500);
    }
  }, 60_000);

  test('is told at most five times a second, however much happens', async () => {
    const clock = createHandClock();
    await start({ clock });
    const page = await t.open();
    await page.until((seen) => seen.told('hello').length === 1);
    for (let index = 0; index < 100; index += 1) lines(1, index);
    // Nothing but its turn makes it tell.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(page.told('logs')).toEqual([]);
    await clock.advance(200);
    await page.until((seen) => seen.told('logs').length === 100);
    expect(page.events().filter(({ name }) => name === 'logs')).toHaveLength(1);
  });

  test('whose stream is silent is told that it lives', async () => {
    const clock = createHandClock();
    await start({ clock });
    const page = await t.open();
    await page.until((seen) => seen.told('hello').length === 1);
    await clock.advance(15_400);
    await page.until((seen) => seen.text().includes('\n\n:\n\n'));
  });

  test('is told what runs when that changes, and of the telemetry every two seconds', async () => {
    const clock = createHandClock();
    let total = 0;
    let asked = 0;
    const live = (): LiveMoment => {
      asked += 1;
      return { time: clock.wall(), requests: [], total };
    };
    const telemetry = (): TelemetryMoment => ({ time: clock.wall() }) as TelemetryMoment;
    await start({ clock, live, telemetry });
    await clock.advance(5000);
    expect(asked).toBe(0);
    const page = await t.open();
    await page.until((seen) => seen.told('live').length === 1 && seen.told('telemetry').length === 1);
    await clock.advance(1000);
    total = 2;
    await clock.advance(1000);
    await page.until((seen) => seen.told('telemetry').length === 2);
    expect(page.told('live').map((moment) => moment.total)).toEqual([0, 2]);
    page.close();
    await noConnection();
    const before = asked;
    await clock.advance(2000);
    expect(asked).toBe(before);
    // Nobody looks: nothing goes on.
    expect(clock.pending).toBe(0);
  });
});

describe('resuming', () => {
  test.each([
    ['by the header', (id: string) => ({ headers: { 'last-event-id': id } })],
    ['by the URL', (id: string) => ({ query: `?after=${id}` })],
  ])('%s: goes on where it was, without a record twice', async (_, how) => {
    await start();
    lines(5);
    t.store.addSpans([spanOf('a')]);
    const first = await t.open();
    await first.until((seen) => seen.told('logs').length === 5 && seen.told('spans').length === 1);
    const last = first.events().at(-1)?.id ?? '';
    first.close();
    lines(2, 5);
    const { headers, query } = how(last) as { headers?: Record<string, string>; query?: string };
    const page = await t.open(headers, query);
    await page.until((seen) => seen.told('logs').length === 2);
    expect(page.told('hello')[0]?.resumed).toBe(true);
    expect(page.told('logs').map(({ seq }) => seq)).toEqual([5, 6]);
    expect(page.told('spans')).toEqual([]);
    expect(page.told('skipped')).toEqual([]);
  });

  test('tells how much was let go meanwhile', async () => {
    await start({ store: createStore({ logs: { count: 10, bytes: 1024 * 1024 } }) });
    lines(3);
    const first = await t.open();
    await first.until((seen) => seen.told('logs').length === 3);
    const last = first.events().at(-1)?.id ?? '';
    first.close();
    lines(20, 3);
    const page = await t.open({ 'last-event-id': last });
    await page.until((seen) => seen.told('logs').length === 10 && seen.told('skipped').length === 1);
    expect(page.told('hello')[0]?.resumed).toBe(true);
    expect(page.told('skipped')).toEqual([{ signal: 'logs', count: 10 }]);
    expect(page.told('logs').map(({ seq }) => seq)[0]).toBe(13);
  });

  test.each([
    ['of another store', (id: string) => id.replace(/^\w+/, '0'.repeat(16))],
    ['of the future', (id: string) => id.replace(/\.(\d+)/, '.999')],
    ['cut', (id: string) => id.slice(0, -2)],
    ['longer', (id: string) => `${id}.1`],
    ['no number', (id: string) => id.replace(/\d+$/, 'x')],
    ['anything', () => '../../etc/passwd'],
  ])('an id that is %s begins afresh', async (_, change) => {
    await start();
    lines(2);
    const first = await t.open();
    await first.until((seen) => seen.told('logs').length === 2);
    const page = await t.open({ 'last-event-id': change(first.events().at(-1)?.id ?? '') });
    await page.until((seen) => seen.told('logs').length === 2);
    expect(page.told('hello')[0]?.resumed).toBe(false);
  });
});

describe('a page that does not read', () => {
  test('costs no more than a little memory, is told what it missed, and nobody waits for it', async () => {
    await start({ store: createStore({ logs: { count: 2000, bytes: 8 * 1024 * 1024 } }) });
    const other = await t.open();
    await other.until((seen) => seen.told('hello').length === 1);
    // The server's end of the connection.
    const asked = new Promise<Socket>((resolve) => t.server.once('request', (req) => resolve(req.socket)));
    const stuck = await openStuck();
    const served = await asked;
    let most = 0;
    for (let round = 1; round <= 10; round += 1) {
      lines(1000, 0, ' '.repeat(4000));
      await other.until((seen) => seen.told('logs').at(-1)?.seq === round * 1000 - 1);
      most = Math.max(most, served.writableLength);
    }
    // 40 MB were told to the other; of this one's no more waits than one event and what it was written behind.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(1024 * 1024);
    stuck.read();
    await vi.waitFor(() => expect(stuck.read()).toContain('"seq":9999'), DEADLINE);
    const skipped = [...stuck.read().matchAll(/event: skipped\ndata: (.*)\n/g)].map(([, data]) =>
      JSON.parse(data ?? ''),
    );
    expect(skipped.length).toBeGreaterThan(0);
    const missed = skipped.reduce((sum, { count }) => sum + count, 0);
    const told = [...stuck.read().matchAll(/"seq":\d+/g)].length;
    expect(told + missed).toBe(10_000);
  }, 60_000);

  test('for a minute is let go', async () => {
    const clock = createHandClock();
    await start({ clock });
    lines(5000, 0, ' '.repeat(3000));
    const stuck = await openStuck();
    await vi.waitFor(() => expect(clock.pending).toBeGreaterThan(0));
    await clock.advance(59_000);
    expect(stuck.socket.destroyed).toBe(false);
    await clock.advance(2000);
    stuck.read();
    await vi.waitFor(() => expect(stuck.socket.destroyed).toBe(true));
  });

  test('does not hold the end up', async () => {
    await start();
    lines(5000, 0, ' '.repeat(3000));
    const asked = new Promise<Socket>((resolve) => t.server.once('request', (req) => resolve(req.socket)));
    const stuck = await openStuck();
    const served = await asked;
    let [written, still] = [0, 0];
    await vi.waitFor(() => {
      still = served.bytesWritten === written && served.writableLength > 0 ? still + 1 : 0;
      written = served.bytesWritten;
      expect(still).toBeGreaterThan(20);
    }, DEADLINE);
    await new Promise<void>((resolve) => t.server.close(() => resolve()));
    expect(stuck.read()).toBe('');
  });
});

test('a telling that fails harms nobody, and the next one is made', async () => {
  const clock = createHandClock();
  let total = 0;
  const live = (): LiveMoment => {
    if (total === 1) throw new Error('cannot be told');
    return { time: 1, requests: [], total };
  };
  await start({ live, clock });
  const page = await t.open();
  await page.until((seen) => seen.told('live').length === 1);
  total = 1;
  // By a clock by hand, what a timer throws is thrown here.
  await clock.advance(1000);
  total = 2;
  await clock.advance(200);
  await page.until((seen) => seen.told('live').at(-1)?.total === 2);
});

describe('pages', () => {
  test("are eight at most; a place that is left is another one's", async () => {
    await start();
    const pages = await Promise.all(Array.from({ length: 8 }, () => t.open()));
    for (const page of pages) await page.until((seen) => seen.told('hello').length === 1);
    const ninth = await t.ask('/console/api/events');
    expect([ninth.status, ninth.headers['retry-after'], JSON.parse(ninth.text).error.code]).toEqual([
      503,
      '5',
      'too_many_pages',
    ]);
    pages[0]?.close();
    await vi.waitFor(async () => {
      const page = await t.open();
      expect(page.status).toBe(200);
    });
  });

  test('end when the console does, with their last words; later ones are refused', async () => {
    await start();
    const page = await t.open();
    await page.until((seen) => seen.told('hello').length === 1);
    lines(1);
    t.console.close();
    await page.ended;
    expect(page.told('logs').map(({ message }) => message)).toEqual(['line 0']);
    expect((await t.ask('/console/api/events')).status).toBe(503);
  });

  test('end when their server stops listening, which then has nobody to wait for', async () => {
    await start();
    const page = await t.open();
    await page.until((seen) => seen.told('hello').length === 1);
    await new Promise<void>((resolve) => t.server.close(() => resolve()));
    await page.ended;
  });
});

test('over HTTP/2 a page is told, and let go, as over HTTP/1.1', async () => {
  await start();
  lines(2);
  const warned: unknown[] = [];
  const onWarning = (warning: unknown): void => void warned.push(warning);
  process.on('warning', onWarning);
  const server = createHttp2Server((req, res) => {
    void t.console.answer('/console/api/events', req as never, res as never);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://localhost:${(server.address() as AddressInfo).port}`);
  const stream = client.request({ ':path': '/console/api/events' });
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await vi.waitFor(() => expect(text).toContain('"message":"line 1"'));
  expect(text).toContain('event: hello');
  const ended = once(stream, 'close');
  server.close();
  await ended;
  client.close();
  process.off('warning', onWarning);
  expect(warned).toEqual([]);
});

describe('what harms', () => {
  const planes = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x1f4a)).join('');
  const HARMFUL = [
    '</script><script>alert(1)</script>',
    '\u001b[2J\u001b]0;title\u0007\u009b31m',
    'data: forged\n\nevent: hello\ndata: {}\n\n',
    'id: 9\r\rretry: 1\r\n\r\n',
    `\u0000${planes}\u2028\u2029\ufeff\u202e`,
    'lone \ud800 and \udfff',
    '__proto__',
  ];

  test('is JSON like anything else, in a span, a line and a label', async () => {
    await start();
    for (const text of HARMFUL) {
      t.store.addSpans([spanOf(text, { attributes: { [text]: [text, { deep: text }] }, statusMessage: text })]);
      t.store.addLogs([lineOf(text, { fields: { [text]: text }, logger: text })]);
      const series = t.store.metrics.seriesOf({ name: 'a_total', type: 'counter', help: text }, { text }) as number;
      t.store.metrics.record(series, [[series, 1]]);
    }
    const page = await t.open();
    await page.until(
      (seen) => seen.told('logs').length === HARMFUL.length && seen.told('spans').length === HARMFUL.length,
    );
    expect(page.told('spans').map(({ name }) => name)).toEqual(HARMFUL);
    expect(page.told('spans').map(({ attributes }) => Object.keys(attributes)[0])).toEqual(HARMFUL);
    expect(page.told('logs').map(({ message }) => message)).toEqual(HARMFUL);
    await page.until((seen) => seen.told('metrics').flatMap(({ series = [] }) => series).length === HARMFUL.length);
    const labels = page.told('metrics').flatMap(({ series = [] }) => series.map((one) => one.labels.text));
    expect(labels).toEqual(HARMFUL);
    expect(page.told('hello')).toHaveLength(1);
  });

  test('a text of a megabyte is left out, and counted', async () => {
    await start();
    const huge = 'x'.repeat(1_000_000);
    t.store.addLogs([lineOf(huge)]);
    t.store.addSpans([spanOf('a', { attributes: { huge } })]);
    // Fits where it is held, but not, escaped, into an event.
    t.store.logs.addText(`"${'\u0001'.repeat(100_000)}"`, (bytes) => JSON.stringify({ message: bytes.toString() }));
    lines(1);
    const page = await t.open();
    await page.until((seen) => seen.told('logs').length === 1 && seen.told('skipped').length === 1);
    expect(page.told('skipped')).toEqual([{ signal: 'logs', count: 1 }]);
    expect(t.store.held().map(({ signal, evicted }) => [signal, evicted])).toEqual([
      ['spans', 1],
      ['logs', 1],
      ['metrics', 0],
    ]);
    expect(page.text().length).toBeLessThan(10_000);
  });

  test('a record that has no JSON is left out', async () => {
    await start();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    t.store.addSpans([spanOf('a', { attributes: cycle as never }), spanOf('b')]);
    const page = await t.open();
    await page.until((seen) => seen.told('spans').length === 1);
    expect(page.told('spans')[0]?.name).toBe('b');
    expect(t.store.spans.evicted).toBe(1);
  });
});

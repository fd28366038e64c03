import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModules } from '../../test/compiled.ts';
import { collectGarbage } from '../../test/garbage.ts';
import { startOtlpReceiver } from '../../test/otlp/receiver.ts';
import { createHandClock, createSignals } from '../../test/signals.ts';
import { until } from '../../test/until.ts';
import type { EndedWithLine } from '../signals.ts';
import { Backlog } from './backlog.ts';
import { createHttpServer } from './server.ts';

const COUNT =
  'http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="http",http_route="/x",http_response_status_code="200"}';

function setUp(atOnce: number) {
  const clock = createHandClock();
  const made = createSignals({ clock });
  const told: string[] = [];
  const faults: unknown[] = [];
  const closingLine = () => ({
    isEnabled: () => true,
    notes: () => '',
    write({ path, endedAt }: EndedWithLine) {
      if (path === '/broken') throw new Error('broken');
      told.push(`${path} ${endedAt}`);
    },
  });
  const signals = {
    ...made,
    closingLine,
    clock: { ...made.clock, advance: clock.advance, now: clock.now, wall: clock.wall },
  };
  const onFault = (error: unknown): void => void faults.push(error);
  const backlog = new Backlog(signals, atOnce, onFault);
  const server = createHttpServer({
    signals,
    gate: made.gate,
    excludedUrls: [],
    trustProxy: false,
    logger: 'svc',
    probes: new Set(),
    backlog,
    onFault,
  });
  const serve = (url = '/x'): WeakRef<ServerResponse> => {
    const req = Object.assign(new IncomingMessage(new Socket()), { url, method: 'GET' });
    const res = new ServerResponse(req);
    const exchange = server.begin(req, res);
    exchange.matched('/x');
    res.writeHead(200);
    res.emit('finish');
    return new WeakRef(res);
  };
  return { serve, told, faults, clock, settle: () => backlog.settle(), counted: () => made.value(COUNT) };
}

test('what ends is written down together, in its order, once so many have', async () => {
  const { serve, told, counted } = setUp(3);
  serve('/1');
  serve('/2');
  expect([told.length, await counted()]).toEqual([0, 0]);
  serve('/3');
  expect([told.map((line) => line.split(' ')[0]), await counted()]).toEqual([['/1', '/2', '/3'], 3]);
});

test('or once it is asked for, each with its own moment', () => {
  const { serve, told, settle, clock } = setUp(32);
  const start = clock.wall();
  serve('/1');
  clock.advance(4);
  serve('/2');
  settle();
  settle();
  expect(told).toEqual([`/1 ${start}`, `/2 ${start + 4}`]);
});

test('or after 10 ms, by a timer, and by the clock of what ends next', async () => {
  const { serve, told, clock } = setUp(32);
  serve('/1');
  await until(() => told.length === 1);
  serve('/2');
  clock.advance(10);
  serve('/3');
  expect(told).toHaveLength(3);
});

test('one that cannot be written is told, and costs no other', async () => {
  const { serve, told, faults, settle, counted } = setUp(32);
  for (const path of ['/1', '/broken', '/2']) serve(path);
  settle();
  expect(told.map((line) => line.split(' ')[0])).toEqual(['/1', '/2']);
  expect(faults).toEqual([new Error('broken')]);
  expect(await counted()).toBe(3);
});

test('nothing of a request is held for it', async () => {
  const { serve } = setUp(32);
  const res = serve();
  // Of the last there is more to hold, as of any that ended last.
  serve();
  await until(async () => {
    // A reference that was followed holds for the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    return res.deref() === undefined;
  });
});

describe('in a process of its own', () => {
  let folder: string;
  beforeAll(async () => {
    const compiled = await compileModules('observe.ts', 'adapters/node.ts');
    folder = compiled.folder;
    afterAll(() => compiled.remove());
  });

  /** A service that is asked `ask(n)` by itself; a line is written by each handler of an odd number. */
  const PRELUDE = `
    import { createServer, get } from 'node:http';
    import { observe } from './observe.js';
    import { observeNode } from './adapters/node.js';
    const obs = observe({ service: 'child' });
    obs.logProcessEvents();
    const server = createServer((req, res) => {
      obs.http.setRoute(req, '/x');
      const n = Number(req.url.slice(2));
      if (n % 2 === 1) obs.log.info({ n }, 'at work');
      res.end('ok');
      served(n, res);
    });
    let served = () => {};
    await observeNode(obs, server);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ask = (n) => new Promise((resolve) => get({ port: server.address().port, path: '/?' + n, agent: false }, (res) => res.resume().on('end', resolve)));
  `;
  let programs = 0;

  function start(
    program: string,
    settings: Readonly<Record<string, string>> = {},
  ): { child: ChildProcess; lines: () => Record<string, unknown>[]; err: () => string } {
    programs += 1;
    const path = join(folder, `program-${programs}.mjs`);
    writeFileSync(path, PRELUDE + program);
    const child = spawn(process.execPath, [path], { env: { PATH: process.env.PATH, LOG_FORMAT: 'json', ...settings } });
    const parts = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      parts.out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      parts.err += chunk.toString();
    });
    const lines = () =>
      parts.out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { child, lines, err: () => parts.err };
  }

  async function run(program: string, settings: Readonly<Record<string, string>> = {}) {
    const { child, lines, err } = start(program, settings);
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, lines: lines(), err: err() };
  }

  test('lines stand in the order of their moments, and a scrape knows all that has ended', async () => {
    const { lines, err } = await run(`
      await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n)));
      await new Promise((resolve) => { served = (n, res) => res.once('finish', resolve); ask(100); });
      let text = '';
      for await (const piece of obs.scrape().body) text += piece;
      console.error(text.match(/http_server_request_duration_seconds_count{.*http_route="\\/x".*/)[0].split(' ')[1]);
      process.exit(0);
    `);
    expect(err.trim()).toBe('101');
    const moments = lines.map(({ timestamp }) => Date.parse(timestamp as string));
    expect(moments).toEqual([...moments].sort((one, other) => one - other));
    const closing = lines.filter(({ message }) => message === 'Request completed');
    expect(new Set(closing.map(({ request_id: id }) => id)).size).toBe(101);
    expect(closing).toHaveLength(101);
    for (const [at, { message, request_id: id }] of lines.entries())
      if (message === 'at work')
        expect(
          lines.findIndex((line) => line.message === 'Request completed' && line.request_id === id),
        ).toBeGreaterThan(at);
  });

  test.each([
    ['process.exit()', 'process.exit(3)', 3],
    ['an uncaught exception', "throw new Error('x')", 1],
  ])('%s loses no line of what has ended', async (_, leave, status) => {
    const { code, lines } = await run(`
      served = (n, res) => { if (n === 0) res.once('finish', () => setImmediate(() => { ${leave}; })); };
      ask(0);
    `);
    expect(code).toBe(status);
    expect(lines.filter(({ message }) => message === 'Request completed')).toHaveLength(1);
  });

  test('after the end of telemetry each is written down at once', async () => {
    const { lines } = await run(`
      await obs.close();
      served = (n, res) => { if (n === 0) res.once('finish', () => setImmediate(() => process.exit(0))); };
      ask(0);
    `);
    expect(lines.filter(({ message }) => message === 'Request completed')).toHaveLength(1);
  });

  test('what is below the level leaves no line, and is counted', async () => {
    const { lines, err } = await run(
      `
      await ask(0);
      let text = '';
      for await (const piece of obs.scrape().body) text += piece;
      console.error(text.match(/http_server_request_duration_seconds_count{.*http_route="\\/x".*/)[0].split(' ')[1]);
      process.exit(0);
    `,
      { LOG_LEVEL: 'WARNING' },
    );
    expect([lines, err.trim()]).toEqual([[], '1']);
  });

  test('the end of telemetry sends the spans of what has just ended', async () => {
    const receiver = await startOtlpReceiver();
    const { code } = await run('await ask(0); await ask(1); await obs.close(); process.exit(0);', {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    const spans = receiver.requests.flatMap((request) => request.spans);
    await receiver.close();
    expect([code, spans.flatMap(({ name }) => (name === 'GET' ? [] : [name]))]).toEqual([0, ['GET /x', 'GET /x']]);
  });

  test('a line comes although nothing else happens', async () => {
    const { child, lines } = start('await ask(0);');
    await until(() => lines().some(({ message }) => message === 'Request completed'));
    child.kill('SIGKILL');
  });
});

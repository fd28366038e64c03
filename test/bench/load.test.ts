/** The load generator against a real server. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
interface Load {
  run(until: { seconds?: number; atLeast?: number; requests?: number }): Promise<Loaded>;
  runPaced(pace: { seconds: number; perSecond: number }): Promise<Loaded>;
  close(): void;
}
interface LoadModule {
  openLoad(options: { port: number; connections: number; question: unknown }): Promise<Load>;
}
const { openLoad } = await loadBench<LoadModule>('load.mjs');
const { askJson } = await loadBench<{ askJson(path: string, answer: string): unknown }>('questions.mjs');

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(statusOf: (asked: number) => number, waitMs = 0): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.statusCode = statusOf(asked);
    setTimeout(() => response.end('{"a":1}'), waitMs);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

const open = (port: number): Promise<Load> =>
  openLoad({ port, connections: 4, question: askJson('/hello', '{"a":1}') });

test('every request that is counted was asked and answered', async () => {
  const { port, asked } = await serve(() => 200);
  const load = await open(port);
  const first = await load.run({ requests: 50 });
  expect(first.requests).toBe(50);
  const second = await load.run({ seconds: 0.01, atLeast: 70 });
  load.close();
  expect(second.requests).toBeGreaterThanOrEqual(70);
  expect(asked()).toBe(first.requests + second.requests);
});

test('latencies are those of the answers, up to the longest that is waited for', async () => {
  const { port } = await serve(() => 200, 60);
  const load = await open(port);
  const { p50Ms, p99Ms } = await load.run({ requests: 12 });
  load.close();
  // A timer of Node's may come a millisecond early.
  expect(p50Ms).toBeGreaterThanOrEqual(58);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
  expect(p99Ms).toBeLessThan(10_000);
});

test('at a fixed rate as many are asked as are due, and no sooner', async () => {
  const { port, asked } = await serve(() => 200);
  const load = await open(port);
  const { requests, seconds } = await load.runPaced({ seconds: 0.5, perSecond: 200 });
  load.close();
  expect(requests).toBe(100);
  expect(asked()).toBe(100);
  // The last one is due one interval before the end.
  expect(seconds).toBeGreaterThanOrEqual(0.5 - 1 / 200);
});

test('at a fixed rate latency counts from when a request was due, not from when there was room for it', async () => {
  // Four connections of 20 ms each bear 200 requests a second.
  const { port } = await serve(() => 200, 20);
  const load = await open(port);
  const { p99Ms } = await load.runPaced({ seconds: 0.5, perSecond: 400 });
  load.close();
  expect(p99Ms).toBeGreaterThan(200);
});

test('an answer other than 200 fails the run, at full load and at a fixed rate', async () => {
  const { port } = await serve((asked) => (asked % 10 === 0 ? 503 : 200));
  const works = [
    (load: Load) => load.run({ requests: 50 }),
    (load: Load) => load.runPaced({ seconds: 1, perSecond: 100 }),
  ];
  for (const work of works) {
    const load = await open(port);
    await expect(work(load)).rejects.toThrow('otherwise than with 200');
    load.close();
  }
});

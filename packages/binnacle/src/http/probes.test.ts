import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createProbes } from './probes.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const PIECES = 64;
const PIECE = `${'x'.repeat(256 * 1024 - 1)}\n`;

async function* body(): AsyncGenerator<string> {
  for (let i = 0; i < PIECES; i += 1) yield PIECE;
}

/** A scrape that is larger than what a socket takes at once; gives both its ends. */
async function scrape(): Promise<{ res: ServerResponse; answered: Promise<void>; reader: IncomingMessage }> {
  const report = () => ({ status: 'healthy' });
  const source = () => ({ contentType: 'text/plain', body: body() });
  const probes = createProbes({ live: report, ready: report, report, scrape: source, metricsToken: undefined });
  const server = createServer().listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const asked = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const [req, res] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  const answered = probes.answer('/metrics', req, res);
  const [reader] = (await once(asked, 'response')) as [IncomingMessage];
  return { res, answered, reader };
}

test('a slow reader gets it whole, and each wait takes its listeners with it', async () => {
  const { res, answered, reader } = await scrape();
  const listening = (): number => ['drain', 'close', 'error'].reduce((sum, name) => sum + res.listenerCount(name), 0);
  const first = listening();
  let bytes = 0;
  let most = first;
  for await (const piece of reader) {
    bytes += (piece as Buffer).length;
    most = Math.max(most, listening());
  }
  await answered;
  expect(bytes).toBe(PIECES * PIECE.length);
  // One wait at a time.
  expect(most - first).toBeLessThanOrEqual(2);
  expect(listening()).toBeLessThanOrEqual(first);
});

test('a reader that goes away ends it', async () => {
  const { res, answered, reader } = await scrape();
  reader.once('error', () => {});
  await once(reader, 'readable');
  reader.destroy();
  await answered;
  expect(res.destroyed).toBe(true);
});

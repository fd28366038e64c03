import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createSignals } from '../../test/signals.ts';
import { Backlog } from './backlog.ts';
import type { Exchange } from './exchange.ts';
import { createHttpServer } from './server.ts';

function setUp() {
  const signals = createSignals();
  const server = createHttpServer({
    signals,
    gate: signals.gate,
    excludedUrls: [],
    trustProxy: false,
    logger: 'svc',
    probes: new Set(['/metrics']),
    backlog: new Backlog(signals, 1, () => {}),
    onFault: (error) => {
      throw error;
    },
  });
  const begin = (url = '/'): { exchange: Exchange; res: ServerResponse } => {
    const req = Object.assign(new IncomingMessage(new Socket()), { url, method: 'GET' });
    const res = new ServerResponse(req);
    return { exchange: server.begin(req, res), res };
  };
  return { gate: server.gate, begin };
}

test('whoever waits is told once the last one has left', async () => {
  const { gate, begin } = setUp();
  await gate.whenEmpty();
  const [first, second] = [begin(), begin()];
  let empty = false;
  const waiting = gate.whenEmpty().then(() => {
    empty = true;
  });
  first.res.emit('finish');
  await Promise.resolve();
  expect([gate.size, empty]).toEqual([1, false]);
  second.res.emit('finish');
  await waiting;
  expect(gate.size).toBe(0);
});

test('what was let in stays inside once it is closed; what comes later, and probes, are not waited for', () => {
  const { gate, begin } = setUp();
  const { exchange } = begin();
  begin('/metrics');
  expect(gate.size).toBe(1);
  gate.close();
  expect([begin().exchange.admitted, begin('/metrics').exchange.admitted]).toEqual([false, true]);
  expect([gate.closed, gate.size, exchange.admitted]).toEqual([true, 1, true]);
});

test('all that is inside is told to end, then torn down, as cancelled by the shutdown', () => {
  const { gate, begin } = setUp();
  const all = [begin(), begin()];
  gate.abortAll();
  expect(all.map(({ exchange }) => exchange.signal.reason)).toEqual(
    Array(2).fill(expect.objectContaining({ cause: 'shutdown' })),
  );
  expect(gate.size).toBe(2);
  gate.destroyAll();
  for (const { res } of all) res.emit('close');
  expect(all.map(({ exchange }) => exchange.ending)).toEqual(
    Array(2).fill({ outcome: 'cancelled', errorType: 'shutdown', durationMs: expect.any(Number) }),
  );
  expect(gate.size).toBe(0);
});

import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { collectGarbage } from '../../test/garbage.ts';
import { until } from '../../test/until.ts';
import { observeNode } from '../adapters/node.ts';
import { observe } from '../observe.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

test.each([1, 2])('%i that hear of a request’s end, which its connection brings, are within it', async (listeners) => {
  const obs = observe({ service: 'svc', destination: { write: () => {} } });
  ends.push(() => obs.close());
  const seen: unknown[] = [];
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      res.end();
      return;
    }
    const onEnd = (): void => {
      seen.push(obs.request()?.requestId);
      res.end();
    };
    for (let i = 0; i < listeners; i += 1) req.on('end', () => onEnd());
    req.resume();
  });
  observeNode(obs, server);
  const address = { port: await listen(server), host: '127.0.0.1' };
  // Of one that is answered before its end Node itself hears that.
  const [first] = (await once(get({ ...address, agent: false }), 'response')) as [IncomingMessage];
  first.resume();
  await once(first, 'close');
  const headers = { 'x-request-id': 'r1', connection: 'close' };
  const asked = request({ ...address, method: 'POST', headers });
  asked.write('a');
  await new Promise((resolve) => setTimeout(resolve, 20));
  asked.end('b');
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'close');
  expect(seen).toEqual(Array(listeners).fill('r1'));
});

test('idle connections keep neither request nor answer, but for those of the process that ended last', async () => {
  const obs = observe({ service: 'svc', destination: { write: () => {} } });
  const held: WeakRef<object>[] = [];
  const server = createServer((req, res) => {
    held.push(new WeakRef(req), new WeakRef(res));
    res.end('hello');
  });
  observeNode(obs, server);
  server.keepAliveTimeout = 60_000;
  const port = await listen(server);
  const agent = new Agent({ keepAlive: true });
  ends.push(() => obs.close());
  ends.push(() => agent.destroy());
  const ask = async (): Promise<void> => {
    const [answer] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'close');
  };
  await Promise.all([ask(), ask(), ask()]);
  await until(async () => {
    // A reference that was followed holds for the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    return held.length === 6 && held.filter((ref) => ref.deref() !== undefined).length <= 2;
  });
  // They are open, and idle.
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(3);
});

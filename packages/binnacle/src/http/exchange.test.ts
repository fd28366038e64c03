import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
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

test('idle connections keep neither request nor answer, but for those of the process that ended last', async () => {
  const obs = observe({ service: 'svc', destination: { write: () => {} } });
  const held: WeakRef<object>[] = [];
  const server = createServer((req, res) => {
    held.push(new WeakRef(req), new WeakRef(res));
    res.end('hello');
  });
  observeNode(obs, server);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true });
  ends.push(() => obs.close());
  ends.push(() => server.close());
  ends.push(() => agent.destroy());
  const { port } = server.address() as AddressInfo;
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

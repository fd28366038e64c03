import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { under } from './http-client.test-helper.ts';
import { observeNodeRedis } from './redis.ts';
import { describeRedis } from './redis-commands.test-helper.ts';

async function ready(port: number, database: number): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ socket: { host: '127.0.0.1', port }, database, name: 'test' });
  client.on('error', () => {});
  await client.connect();
  return client as ReturnType<typeof createClient>;
}

describeRedis(
  'node-redis',
  {
    observe: observeNodeRedis,
    async open(port, database) {
      const client = await ready(port, database);
      return {
        send: (command, ...args) => client.sendCommand([command, ...args]),
        transaction: () => client.multi().set('a', '1').get('a').exec(),
        close: () => client.destroy(),
      };
    },
  },
  ({ server, signals }) => {
    test('a pipeline is one call below its caller', async () => {
      const client = await ready(server().port, 0);
      const parent = await under(signals(), async (span) => {
        await client.multi().set('a', '1').get('a').execAsPipeline();
        return span.spanContext().spanId;
      });
      expect(
        signals()
          .ended()
          .map((span) => [span.name, span.parentSpanContext?.spanId]),
      ).toEqual([['PIPELINE 0', parent]]);
      expect(signals().ended()[0]?.attributes['db.operation.batch.size']).toBe(2);
      client.destroy();
    });

    test('a command that waited for the connection has its own parent', async () => {
      const client = createClient({ socket: { host: '127.0.0.1', port: server().port } });
      const opening = under(signals(), () => client.connect());
      const parent = await under(signals(), async (span) => {
        await client.get('a');
        return span.spanContext().spanId;
      });
      await opening;
      expect(
        signals()
          .ended()
          .map((span) => [span.name, span.parentSpanContext?.spanId]),
      ).toEqual([['GET 0', parent]]);
      client.destroy();
    });

    test('a closed client is an error by its class', async () => {
      const client = await ready(server().port, 0);
      client.destroy();
      await expect(client.get('a')).rejects.toThrow();
      expect(signals().ended()[0]?.attributes['error.type']).toBe('ClientClosedError');
    });
  },
);

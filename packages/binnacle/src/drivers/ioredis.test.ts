import { tracingChannel } from 'node:diagnostics_channel';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createSignals } from '../../test/signals.ts';
import { under } from './http-client.test-helper.ts';
import { observeIoredis } from './ioredis.ts';
import { describeRedis } from './redis-commands.test-helper.ts';

async function ready(port: number, db: number): Promise<Redis> {
  const redis = new Redis({ host: '127.0.0.1', port, db, lazyConnect: true, connectionName: 'test' });
  await redis.connect();
  return redis;
}

describeRedis(
  'ioredis',
  {
    observe: observeIoredis,
    async open(port, database) {
      const redis = await ready(port, database);
      return {
        send: (command, ...args) => redis.call(command, ...args),
        transaction: () => redis.multi().set('a', '1').get('a').exec(),
        close: () => redis.disconnect(),
      };
    },
  },
  ({ server, signals }) => {
    test('the commands of a pipeline are one call each, below its caller', async () => {
      const redis = await ready(server().port, 0);
      const parent = await under(signals(), async (span) => {
        await redis.pipeline().set('a', '1').get('a').exec();
        return span.spanContext().spanId;
      });
      expect(
        signals()
          .ended()
          .map((span) => [span.name, span.parentSpanContext?.spanId]),
      ).toEqual([
        ['SET 0', parent],
        ['GET 0', parent],
      ]);
      redis.disconnect();
    });

    test('a command that waited for the connection belongs to nobody, rather than to who opened it', async () => {
      const redis = new Redis({ host: '127.0.0.1', port: server().port, lazyConnect: true });
      const [first, second] = await Promise.all([
        under(signals(), () => redis.set('a', '1')),
        under(signals(), () => redis.get('a')),
      ]);
      expect([first, second]).toEqual(['OK', '1']);
      expect(
        signals()
          .ended()
          .map((span) => [span.name, span.parentSpanContext]),
      ).toEqual([
        ['SET 0', undefined],
        ['GET 0', undefined],
      ]);
      // Once it is there, each has its own parent, on a connection that the first one opened.
      await under(signals(), () => redis.get('a'));
      expect(signals().ended().at(-1)?.parentSpanContext).toBeDefined();
      redis.disconnect();
    });

    test('a reconnect leaves nothing', async () => {
      const redis = await under(signals(), () => ready(server().port, 1));
      const again = new Promise((resolve) => redis.once('ready', resolve));
      redis.disconnect(true);
      await again;
      expect(signals().ended()).toEqual([]);
      redis.disconnect();
    });

    test('what a listener of a connection does under a span of its own belongs to that', async () => {
      const [subscriber, redis] = await Promise.all([ready(server().port, 0), ready(server().port, 0)]);
      await under(signals(), () => subscriber.subscribe('news'));
      const heard = new Promise<string>((resolve) => {
        subscriber.once('message', () => {
          resolve(under(signals(), (span) => redis.get('a').then(() => span.spanContext().spanId)));
        });
      });
      await redis.publish('news', 'x');
      const parent = await heard;
      expect(signals().ended().at(-1)?.name).toBe('GET 0');
      expect(signals().ended().at(-1)?.parentSpanContext?.spanId).toBe(parent);
      subscriber.disconnect();
      redis.disconnect();
    });

    test('a script is its command', async () => {
      const redis = await ready(server().port, 0);
      await redis.eval('return ARGV[1]', 0, 'secret');
      expect(signals().ended()[0]?.attributes).toMatchObject({
        'db.operation.name': 'EVAL',
        'db.query.text': 'EVAL ? ? ?',
      });
      redis.disconnect();
    });
  },
);

test('messages of another shape hurt nobody', async () => {
  const signals = createSignals();
  const stop = observeIoredis(signals);
  for (const message of [{}, { command: 7 }, { command: 'drop\ntable', args: 'x', database: 'x', serverPort: NaN }]) {
    await tracingChannel('ioredis:command').tracePromise(async () => {}, message);
  }
  expect(signals.ended().map(({ attributes }) => attributes)).toEqual([
    { 'db.system.name': 'redis', 'db.operation.name': '_OTHER', 'db.query.text': '_OTHER' },
  ]);
  stop();
});

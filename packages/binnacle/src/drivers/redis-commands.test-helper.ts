/** What is true of every client of Redis, told of a real server. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type RedisServer,
  skipsRedis,
  startRedis,
  WITHOUT_REDIS,
} from '../../../../apps/fit-check/test/servers/redis.ts';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';
import type { Signals } from '../signals.ts';
import { under } from './http-client.test-helper.ts';

/** A client under test. */
export interface TestClient {
  /** Sends one command. */
  send(command: string, ...args: string[]): Promise<unknown>;
  /** Sends two commands in a transaction. */
  transaction(): Promise<unknown>;
  close(): void;
}

export interface RedisCase {
  readonly observe: (signals: Signals) => () => void;
  readonly open: (port: number, database: number) => Promise<TestClient>;
}

export interface RedisFixture {
  readonly server: () => RedisServer;
  readonly signals: () => TestSignals;
  /** Connected to database 2. */
  readonly client: () => TestClient;
  readonly stop: () => void;
  /** How many calls there were of a command, with an ending. */
  readonly count: (operation: string, errorType?: string) => Promise<number | undefined>;
}

const DURATION = 'db_client_operation_duration_seconds_count';

/** Runs what is common, and `more` with a server that is started and signals of the test. */
export function describeRedis(name: string, { observe, open }: RedisCase, more: (fixture: RedisFixture) => void): void {
  describe.skipIf(skipsRedis())(`${name} (${WITHOUT_REDIS})`, () => {
    let server: RedisServer;
    let signals: TestSignals;
    let stop: () => void;
    let client: TestClient;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server.close());
    beforeEach(async () => {
      signals = createSignals();
      stop = observe(signals);
      client = await open(server.port, 2);
    });
    afterEach(() => {
      client.close();
      stop();
    });
    const fixture: RedisFixture = {
      server: () => server,
      signals: () => signals,
      client: () => client,
      stop: () => stop(),
      count(operation, errorType) {
        const labels = `db_system_name="redis",db_operation_name="${operation}"`;
        return signals.value(`${DURATION}{${labels}${errorType === undefined ? '' : `,error_type="${errorType}"`}}`);
      },
    };
    testCommands(fixture);
    testContexts(fixture, open);
    more(fixture);
  });
}

function testCommands({ server, signals, client, count }: RedisFixture): void {
  test('a command is a client span below its caller, without keys and values', async () => {
    const parent = await under(signals(), async (span) => {
      await client().send('set', 'secret-key', 'secret-value');
      return span;
    });
    const [span, ...others] = signals().ended();
    expect(others).toEqual([]);
    expect(span?.name).toBe('SET 2');
    expect(span?.kind).toBe(SpanKind.CLIENT);
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(span?.attributes).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'SET',
      'db.namespace': '2',
      'db.query.text': 'SET ? ?',
      'server.address': '127.0.0.1',
      'server.port': server().port,
    });
    expect(await count('SET')).toBe(1);
    expect(
      JSON.stringify(
        signals()
          .ended()
          .map(({ attributes, status }) => ({ attributes, status })),
      ),
    ).not.toContain('secret');
  });

  test('many arguments are ten marks', async () => {
    await client().send('DEL', ...Array.from({ length: 11 }, (_, index) => `key-${index}`));
    expect(signals().ended()[0]?.attributes['db.query.text']).toBe('DEL ? ? ? ? ? ? ? ? ? ? …');
  });

  test('an answer that is an error is told by its first word alone', async () => {
    await client().send('SET', 'secret-key', 'text');
    await expect(client().send('LPUSH', 'secret-key', 'secret-value')).rejects.toThrow('WRONGTYPE');
    const span = signals().ended().at(-1);
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span?.attributes).toMatchObject({ 'error.type': 'WRONGTYPE', 'db.response.status_code': 'WRONGTYPE' });
    expect(span?.events).toEqual([]);
    expect(await count('LPUSH', 'WRONGTYPE')).toBe(1);
  });

  test('a transaction is one call below its caller', async () => {
    const parent = await under(signals(), async (span) => {
      await client().transaction();
      return span;
    });
    const [span, ...others] = signals().ended();
    expect(others).toEqual([]);
    expect(span?.name).toBe('MULTI 2');
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(span?.attributes).toMatchObject({ 'db.operation.name': 'MULTI', 'db.operation.batch.size': 2 });
    expect(span?.attributes).not.toHaveProperty('db.query.text');
    expect(await count('MULTI')).toBe(1);
  });
}

function testContexts({ server, signals, client, count, stop }: RedisFixture, open: RedisCase['open']): void {
  test('the handshake leaves nothing; a command without a request does', async () => {
    expect(signals().ended()).toEqual([]);
    await client().send('GET', 'key');
    expect(
      signals()
        .ended()
        .map((span) => [span.name, span.parentSpanContext]),
    ).toEqual([['GET 2', undefined]]);
  });

  test('a client that a request opens leaves nothing of its handshake either', async () => {
    await under(signals(), async () => (await open(server().port, 3)).close());
    expect(signals().ended()).toEqual([]);
  });

  test('a PING belongs to the request that sends it, and else to nobody', async () => {
    await client().send('PING');
    expect(signals().ended()).toEqual([]);
    await under(signals(), () => client().send('PING'));
    expect(
      signals()
        .ended()
        .map(({ name }) => name),
    ).toEqual(['PING 2']);
  });

  test('nothing is told where tracing is suppressed', async () => {
    await runInScope({ otel: suppressTracing(ROOT_CONTEXT) }, () => client().send('GET', 'key'));
    expect(signals().ended()).toEqual([]);
    expect(await count('GET')).toBeUndefined();
  });

  test('200 commands at once each have their own parent', async () => {
    const parents = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        under(signals(), async (span) => {
          if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
          await client().send('GET', `key-${index}`);
          return span.spanContext().spanId;
        }),
      ),
    );
    expect(
      new Set(
        signals()
          .ended()
          .map((span) => span.parentSpanContext?.spanId),
      ),
    ).toEqual(new Set(parents));
    expect(signals().ended()).toHaveLength(200);
    expect(await count('GET')).toBe(200);
  });

  test('what ends it, ends it', async () => {
    stop();
    await client().send('GET', 'key');
    expect(signals().ended()).toEqual([]);
  });
}

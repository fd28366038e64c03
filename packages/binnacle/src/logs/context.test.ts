import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as later, setImmediate as soon } from 'node:timers/promises';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { bindToScope, runInScope, runWith, type Scope } from '../context.ts';
import { createFaults } from '../faults.ts';
import { parseCaller } from './caller.ts';
import { createLogs } from './logger.ts';

const ids = { request_id: 'req-1', session_id: 'log-test-123', phase: 'connecting' };
const scope: Scope = {
  request: { requestId: 'req-1', sessionId: 'log-test-123' },
  otel: ROOT_CONTEXT,
  phase: 'connecting',
};

function open({ caller = false } = {}) {
  const raw: string[] = [];
  const counts = { withoutContext: 0 };
  const logs = createLogs({
    settings: { level: 'INFO', levels: {}, format: 'json', file: undefined, caller },
    service: 's',
    version: '1',
    environment: 'test',
    faults: createFaults(),
    onDropped: () => {},
    onWithoutContext: () => {
      counts.withoutContext += 1;
    },
    destination: { write: (line) => raw.push(line) },
  });
  const lines = (): Record<string, unknown>[] => raw.map((line) => JSON.parse(line));
  return { ...logs, counts, lines, last: () => lines().at(-1) ?? {} };
}

describe('context', () => {
  test('is carried through timers, promises, streams and bound emitters', async () => {
    const logs = open();
    const emitter = new EventEmitter();
    await runInScope(scope, async () => {
      setTimeout(() => logs.log.info('timer'), 1);
      process.nextTick(() => logs.log.info('tick'));
      queueMicrotask(() => logs.log.info('microtask'));
      await soon();
      logs.log.info('awaited');
      bindToScope(emitter).on('event', () => logs.log.info('emitter'));
      const stream = new PassThrough();
      stream.on('data', () => logs.log.info('stream'));
      await Promise.all([pipeline([Buffer.from('a')], stream), once(stream, 'end')]);
      await later(2);
    });
    emitter.emit('event');
    expect(new Set(logs.lines().map((line) => line.message))).toEqual(
      new Set(['timer', 'tick', 'microtask', 'awaited', 'emitter', 'stream']),
    );
    for (const line of logs.lines()) expect(line).toMatchObject(ids);
    expect(logs.counts.withoutContext).toBe(0);
  });

  test('keeps concurrent requests apart, and tells what is learnt late', async () => {
    const logs = open();
    const work = async (id: string): Promise<void> => {
      const request = { requestId: id } as { requestId: string; userId?: string };
      await runInScope({ request, otel: ROOT_CONTEXT }, async () => {
        await soon();
        request.userId = `user-${id}`;
        await runWith({ phase: `phase-${id}` }, async () => {
          await later(1);
          logs.log.info({ id }, 'x');
        });
      });
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => work(String(i))));
    expect(logs.lines()).toHaveLength(50);
    for (const line of logs.lines())
      expect(line).toMatchObject({ request_id: line.id, user_id: `user-${line.id}`, phase: `phase-${line.id}` });
  });
});

describe('the caller', () => {
  test('is the code that wrote the line', () => {
    const logs = open({ caller: true });
    function writesALine(): void {
      logs.log.info('x');
    }
    writesALine();
    expect(logs.last()).toMatchObject({ module: 'context.test', function: 'writesALine', line: expect.any(Number) });
    logs.log.fatal('x');
    expect(logs.last().module).toBe('context.test');
    logs.write('INFO', 'x', 'y');
    expect(logs.last().module).toBe('context.test');
    logs.log.info({ line: 'own' }, 'x');
    expect(logs.last()).toMatchObject({ line: 'own', module: 'context.test' });
  });

  test.each([
    ['    at Server.handle [as onrequest] (/srv/app/src/my.server.js:10:5)', 'my.server', 'Server.handle', 10],
    ['    at file:///srv/app/main.mjs?v=2:7:1', 'main', '<anonymous>', 7],
    ['    at async run (C:\\srv\\app\\run.ts:3:1)', 'run', 'run', 3],
  ])('%s', (frame, module, name, line) => {
    const stack = `Error\n    at LOG (/srv/node_modules/pino/lib/tools.js:1:1)\n    at node:internal/x:1:1\n${frame}`;
    expect(parseCaller(stack)).toEqual({ module, function: name, line });
  });

  test('may be unknown', () => {
    expect(parseCaller('Error\n    at new Promise (<anonymous>)')).toBeUndefined();
  });
});

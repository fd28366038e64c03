/** Lines as the logger writes them, and what the console makes of them. */
import { describe, expect, test } from 'vitest';
import { createFaults } from '../faults.ts';
import { createLogs } from '../logs/logger.ts';
import { readLine } from './lines.ts';
import type { LogRecord } from './wire.ts';

function logsTo(lines: string[], format: 'text' | 'json' = 'json') {
  return createLogs({
    settings: { level: 'TRACE', levels: {}, format, file: undefined, caller: false },
    service: 'svc',
    version: '1.2.3',
    environment: 'test',
    faults: createFaults(),
    onDropped: () => {},
    onWithoutContext: () => {},
    watch: (line) => void lines.push(line),
    destination: { write: () => {} },
  });
}

const read = (line: string): Omit<LogRecord, 'seq'> => JSON.parse(readLine(Buffer.from(line)) ?? '');

describe('a line', () => {
  test('is a record of its own fields, as the log left them', () => {
    const lines: string[] = [];
    const before = Date.now();
    const logs = logsTo(lines);
    logs.logger('llm').warn({ password: 'hunter2', list: [1, { a: 'b' }], duration_ms: 5 }, 'Asked');
    const record = read(lines[0] as string);
    expect(record).toEqual({
      time: expect.any(Number),
      level: 'WARNING',
      logger: 'llm',
      message: 'Asked',
      service: 'svc',
      fields: { duration_ms: 5, password: '[REDACTED]', list: [1, { a: 'b' }] },
    });
    expect(record.time).toBeGreaterThanOrEqual(before);
  });

  test('is JSON in text logs too', () => {
    const lines: string[] = [];
    logsTo(lines, 'text').log.error(new Error('broken'), 'It failed');
    expect(read(lines[0] as string)).toMatchObject({
      level: 'ERROR',
      message: 'It failed',
      fields: { exception: { type: 'Error', message: 'broken' } },
    });
  });

  test('has its ids, and all levels their names', () => {
    const lines: string[] = [];
    const logs = logsTo(lines);
    for (const level of ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const)
      logs.write(level, 'a', 'b', { trace_id: 'c', span_id: 'd', request_id: 'e' });
    expect(lines.map(read)).toMatchObject(
      ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'].map((level) => ({
        level,
        traceId: 'c',
        spanId: 'd',
        fields: { request_id: 'e' },
      })),
    );
  });

  test("of a level of the host's own is INFO, and says so", () => {
    const line = JSON.stringify({ timestamp: '2026-01-01T00:00:00.000Z', level: 'NOTICE', logger: 'a', message: 'b' });
    expect(read(line)).toMatchObject({ level: 'INFO', service: '', fields: { level: 'NOTICE' } });
  });

  test('keeps a field by any name', () => {
    expect(read('{"message":"a","__proto__":{"b":1},"constructor":2}').fields).toEqual(
      JSON.parse('{"level":null,"__proto__":{"b":1},"constructor":2}'),
    );
  });
});

test('a destination that is watched writes the same, and the closing line is watched too', () => {
  const [written, lines]: [string[], string[]] = [[], []];
  const settings = { level: 'INFO', levels: {}, format: 'json', file: undefined, caller: false } as const;
  const logs = createLogs({
    settings,
    service: 'svc',
    version: '1',
    environment: 'test',
    faults: createFaults(),
    onDropped: () => {},
    onWithoutContext: () => {},
    watch: (line) => void lines.push(line),
    destination: { write: (line) => void written.push(line) },
  });
  logs.log.info('one');
  logs.log.debug('below the level');
  const kind = { method: 'GET', scheme: 'http', protocol: '1.1', route: '/x', isMatched: true, sentStatus: 200 };
  const compiled = logs.closingLine?.('INFO', 'svc', { ...kind, outcome: 'success', errorType: '', httpStatus: 200 });
  compiled?.write({
    endedAt: Date.now(),
    notes: '',
    request: { requestId: 'r' },
    path: '/x',
    ids: undefined,
    durationMs: 1,
    firstByteMs: 1,
    requestBytes: 0,
    responseBytes: 0,
    streamEvents: undefined,
    longestGapMs: undefined,
  });
  expect(lines).toHaveLength(2);
  expect(written).toEqual(lines);
  expect(read(lines[1] as string)).toMatchObject({ message: 'Request completed', fields: { route: '/x' } });
});

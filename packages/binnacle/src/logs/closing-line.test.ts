/** A compiled closing line is, to the byte, the one that the logger puts together. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runInScope } from '../context.ts';
import { roundMs } from '../duration.ts';
import { closingFields } from '../endings.ts';
import { createFaults } from '../faults.ts';
import type { CompiledLine, EndedRequest, RequestKind } from '../signals.ts';
import { createLogs } from './logger.ts';

function setUp(level: 'INFO' | 'WARNING' = 'INFO', caller = false) {
  const lines: string[] = [];
  const at = { ms: 1_700_000_000_123 };
  const logs = createLogs({
    settings: { level, levels: {}, format: 'json', file: undefined, caller },
    service: 'svc',
    version: '1.2.3',
    environment: 'test "quoted"',
    faults: createFaults(),
    onDropped() {},
    onWithoutContext() {},
    destination: { write: (line) => void lines.push(line) },
    clock: { wall: () => at.ms },
  });
  return { logs, lines, at };
}

type Noted = Readonly<Record<string, unknown>> | undefined;

/** As the http room writes one: false where the line is left to the logger. */
function write(line: CompiledLine | undefined, request: EndedRequest, noted: Noted, endedAt: number): boolean {
  const notes = line?.notes(request, noted);
  if (notes === undefined) return false;
  if (line?.isEnabled()) line.write({ ...request, endedAt, notes });
  return true;
}

const KIND: RequestKind = {
  method: 'GET',
  scheme: 'http',
  protocol: '1.1',
  route: '/items/:id',
  isMatched: true,
  sentStatus: 200,
  httpStatus: 200,
  outcome: 'success',
  errorType: '',
};
const ids = fc.record({
  traceId: fc.constantFrom('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
  spanId: fc.constant('b7ad6b7169203331'),
  traceFlags: fc.constantFrom(0, 1),
});
/** As subjects note it, and as anybody else might; whole numbers as names come first in any object, and so in the logger's line. */
function noted(): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.constantFrom('cache', 'breakers', 'input_tokens', 'api_key', 'level', 'message', 'url', '__proto__');
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(undefined, Number.NaN, 12n, new Error('x'), new Map([['things', 'hit']]), () => 1),
    fc.record({ things: fc.constantFrom('hit', 'miss'), password: fc.string() }),
    fc.constantFrom('Bearer abcdefghijk', 'https://a:b@host/x?y=z', '\u2028"\\'),
  );
  return fc.dictionary(
    fc.oneof(
      name,
      fc.string({ maxLength: 12 }).filter((text) => !/^[a-z_]+$|^\d+$/.test(text)),
    ),
    value,
    { maxKeys: 6 },
  );
}

const ms = fc.double({ min: 0, max: 1e7, noNaN: true });
const ended: fc.Arbitrary<EndedRequest> = fc.record({
  request: fc.record({
    requestId: fc.stringMatching(/^[\x21\x23-\x26\x28-\x7e]{1,128}$/),
    ip: fc.constantFrom(undefined, '127.0.0.1', '::1', 'fe80::1%eth0'),
  }),
  path: fc.constant('/items/7'),
  ids: fc.option(ids, { nil: undefined }),
  durationMs: ms.map(roundMs),
  firstByteMs: fc.option(ms, { nil: undefined }),
  requestBytes: fc.nat(),
  responseBytes: fc.nat(),
  streamEvents: fc.option(fc.nat(), { nil: undefined }),
  longestGapMs: ms.map(roundMs),
});
const kind: fc.Arbitrary<RequestKind> = fc.record({
  method: fc.constant(KIND.method),
  scheme: fc.constant(KIND.scheme),
  protocol: fc.constant(KIND.protocol),
  isMatched: fc.constant(KIND.isMatched),
  sentStatus: fc.constant(KIND.sentStatus),
  route: fc.constantFrom('/items/:id', '__unmatched__', '/ä/"quoted"\\', '/?password=x&token=y', '/a\nb'),
  outcome: fc.constantFrom('success' as const, 'error' as const, 'cancelled' as const),
  errorType: fc.constantFrom('', '500', 'client_disconnect'),
  httpStatus: fc.constantFrom(undefined, 200, 499),
});

/** The same as the http room puts it together. */
function fieldsOf(of: RequestKind, request: EndedRequest, noted: Noted): Record<string, unknown> {
  const own = {
    duration_ms: request.durationMs,
    status: of.outcome,
    ...(of.httpStatus !== undefined && { http_status: of.httpStatus }),
    method: of.method,
    route: of.route,
    ...(of.errorType !== '' && { error_type: of.errorType }),
    ...(request.firstByteMs !== undefined && { first_byte_ms: roundMs(request.firstByteMs) }),
    request_bytes: request.requestBytes,
    response_bytes: request.responseBytes,
    ...(request.streamEvents !== undefined && {
      stream_events: request.streamEvents,
      longest_gap_ms: request.longestGapMs,
    }),
  };
  return closingFields(own, noted ?? {});
}

test('it is the same line', () => {
  fc.assert(
    fc.property(kind, ended, fc.option(noted(), { nil: undefined }), (of, request, noted) => {
      const { logs, lines, at } = setUp();
      expect(write(logs.closingLine?.('INFO', 'svc', of), request, noted, at.ms)).toBe(true);
      runInScope({ request: request.request, otel: ROOT_CONTEXT, ids: request.ids }, () =>
        logs.write('INFO', 'svc', 'Request completed', fieldsOf(of, request, noted)),
      );
      expect(lines[0]).toBe(lines[1]);
    }),
    { numRuns: 500 },
  );
});

test('of one kind each says its own sizes, whatever the one before was', () => {
  const size = fc.nat({ max: 2 });
  const sizes = fc.array(fc.tuple(size, size), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(ended, sizes, (request, all) => {
      const { logs, lines } = setUp();
      const line = logs.closingLine?.('INFO', 'svc', KIND);
      for (const [requestBytes, responseBytes] of all)
        write(line, { ...request, requestBytes, responseBytes }, undefined, 0);
      const told = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
      expect(told.map(({ request_bytes, response_bytes }) => [request_bytes, response_bytes])).toEqual(all);
    }),
  );
});

describe('it is left to the logger', () => {
  const request: EndedRequest = {
    request: { requestId: 'r1' },
    path: '/',
    ids: undefined,
    durationMs: 1,
    firstByteMs: undefined,
    requestBytes: 0,
    responseBytes: 0,
    streamEvents: undefined,
    longestGapMs: undefined,
  };

  test.each([
    ['a name that stands elsewhere', { request_id: 'x' }],
    ['one that it has already', { status: 'x' }],
    ['an error', { err: new Error('x') }],
    ['a request', { req: { method: 'GET', url: '/' } }],
    ['far too many', Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, i]))],
  ])('with %s noted', (_, noted) => {
    const { logs, lines } = setUp();
    expect(write(logs.closingLine?.('INFO', 'svc', KIND), request, noted, 0)).toBe(false);
    expect(lines).toEqual([]);
  });

  test('with a session, with a user, and where the logger says more', () => {
    const { logs, lines } = setUp();
    const line = logs.closingLine?.('INFO', 'svc', KIND);
    expect(write(line, { ...request, request: { requestId: 'r1', sessionId: 's' } }, undefined, 0)).toBe(false);
    expect(write(line, { ...request, request: { requestId: 'r1', userId: 'u' } }, undefined, 0)).toBe(false);
    logs.log.setBindings({ region: 'eu' });
    expect(write(line, request, undefined, 0)).toBe(false);
    expect(lines).toEqual([]);
  });

  test('where each line says who called', () => {
    expect(setUp('INFO', true).logs.closingLine).toBeUndefined();
  });

  test('and nothing is written below the level, which may change', () => {
    const { logs, lines } = setUp('WARNING');
    const line = logs.closingLine?.('INFO', 'svc', KIND);
    expect([write(line, request, undefined, 0), lines.length]).toEqual([true, 0]);
    logs.log.level = 'info';
    expect([write(line, request, undefined, 0), lines.length]).toEqual([true, 1]);
  });
});

test('each says its own moment, those of one millisecond the same', () => {
  const { logs, lines } = setUp();
  const line = logs.closingLine?.('INFO', 'svc', KIND);
  const [one] = fc.sample(ended, 1);
  for (const ms of [0, 0, 1, 1000]) write(line, one as EndedRequest, undefined, 1_700_000_000_123 + ms);
  const said = lines.map((text) => (JSON.parse(text) as { timestamp: string }).timestamp);
  expect(said.map((text) => Date.parse(text) - 1_700_000_000_123)).toEqual([0, 0, 1, 1000]);
});

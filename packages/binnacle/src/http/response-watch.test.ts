import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createHandClock } from '../../test/signals.ts';
import { watchResponse } from './response-watch.ts';

function setUp(contentType?: string, isHead = false) {
  const clock = createHandClock();
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  if (contentType !== undefined) res.setHeader('Content-Type', contentType);
  return { res, clock, watch: watchResponse(res, isHead, clock.now, 'r1') };
}

/** The head as it was put together. */
const headOf = (res: ServerResponse): string => String((res as unknown as { _header: string })._header);

test('the first byte is the first write, end or flush of the headers', () => {
  for (const open of [
    (res: ServerResponse) => res.write('x'),
    (res: ServerResponse) => res.end(),
    (res: ServerResponse) => res.flushHeaders(),
  ]) {
    const { res, clock, watch } = setUp();
    res.writeHead(200);
    expect(watch.firstByteAt).toBeUndefined();
    clock.advance(5);
    open(res);
    clock.advance(5);
    res.end();
    expect(watch.firstByteAt).toBe(1005);
  }
});

test('bytes are counted by encoding, with callbacks in any place', () => {
  const { res, watch } = setUp();
  res.write('é');
  res.write('é', () => {});
  res.write('é', 'latin1');
  res.write('6162', 'hex', () => {});
  res.write(new Uint8Array(3));
  res.end('xyz', () => {});
  expect(watch.bytes).toBe(2 + 2 + 1 + 2 + 3 + 3);
});

test('an answer to HEAD, and one without a body, has no bytes', () => {
  const head = setUp(undefined, true);
  head.res.end('body');
  const none = setUp();
  none.res.statusCode = 204;
  none.res.end('body');
  expect([head.watch.bytes, none.watch.bytes]).toEqual([0, 0]);
});

test('the longest gap is between headers, events and the end, heartbeats aside', () => {
  const { res, clock, watch } = setUp('text/event-stream');
  expect(watch.events).toBeUndefined();
  res.flushHeaders();
  clock.advance(300);
  res.write(': ping\n\n');
  clock.advance(100);
  res.write('data: 1\n\n');
  expect(watch.longestGap(clock.now())).toBe(400);
  clock.advance(50);
  res.write('data: 2\n\ndata: 3\n\n');
  clock.advance(900);
  expect([watch.events, watch.longestGap(clock.now())]).toEqual([3, 900]);
});

test('the type of the answer decides, and what is compressed cannot be read', () => {
  const of = (type: string | undefined, encoding?: string): number | undefined => {
    const { res, watch } = setUp(type);
    if (encoding !== undefined) res.setHeader('content-encoding', encoding);
    res.end('data: 1\n\n');
    return watch.events;
  };
  expect(of('text/event-stream')).toBe(1);
  expect(of('Text/Event-Stream; charset=utf-8')).toBe(1);
  expect(of('text/event-stream', 'gzip')).toBeUndefined();
  expect(of('application/json')).toBeUndefined();
  expect(of(undefined)).toBeUndefined();
});

describe('headers that are given to writeHead', () => {
  const NDJSON = { 'Content-Type': 'application/x-ndjson' };

  test.each<[string, (res: ServerResponse) => void]>([
    ['alone', (res) => res.writeHead(200, NDJSON)],
    ['with a reason', (res) => res.writeHead(200, 'Fine', NDJSON)],
    ['as a list', (res) => res.writeHead(200, ['content-type', 'application/x-ndjson'])],
    ['after one was set', (res) => res.setHeader('x-more', '1').writeHead(200, NDJSON)],
    [
      'set before, of writeHead only the code',
      (res) => res.setHeader('content-type', 'application/jsonl').writeHead(200),
    ],
  ])('are seen: %s', (_, write) => {
    const { res, watch } = setUp();
    write(res);
    res.end('1\n2');
    expect(watch.events).toBe(2);
    expect(headOf(res)).toMatch(/^x-request-id: r1\r$/m);
  });

  test('a content encoding makes its bytes unreadable', () => {
    const { res, watch } = setUp();
    res.writeHead(200, { ...NDJSON, 'Content-Encoding': 'gzip' });
    res.end('1\n2');
    expect(watch.events).toBeUndefined();
  });

  test.each<[string, (res: ServerResponse) => void]>([
    ['given', (res) => res.writeHead(200, { 'X-Request-Id': 'own' })],
    ['set', (res) => res.setHeader('X-Request-Id', 'own').writeHead(200)],
    ['set, with others given', (res) => res.setHeader('X-Request-Id', 'own').writeHead(200, NDJSON)],
  ])('an id of the answer’s own stays, and stands there once: %s', (_, write) => {
    const { res } = setUp();
    write(res);
    res.end();
    expect(
      headOf(res)
        .match(/^x-request-id: .*\r$/gim)
        ?.map((line) => line.toLowerCase()),
    ).toEqual(['x-request-id: own\r']);
  });

  test('are left as they are', () => {
    const headers = Object.freeze({ 'content-type': 'text/plain' });
    for (let i = 0; i < 2; i += 1) setUp().res.writeHead(200, headers).end();
    expect(headers).toEqual({ 'content-type': 'text/plain' });
  });

  test('reach what wraps the method beneath as the object they were', () => {
    const res = new ServerResponse(new IncomingMessage(new Socket()));
    const given: unknown[] = [];
    const own = res.writeHead;
    res.writeHead = ((...args: Parameters<typeof own>) => {
      given.push(...args);
      return own.apply(res, args);
    }) as typeof own;
    watchResponse(res, false, createHandClock().now, 'r1');
    res.writeHead(200, NDJSON);
    expect(given).toEqual([200, { 'x-request-id': 'r1', ...NDJSON }]);
    expect(headOf(res)).toContain('x-request-id: r1\r\n');
  });
});

test('destroy is seen, and still destroys', () => {
  const { res, watch } = setUp();
  expect(watch.destroyed).toBe(false);
  expect(res.destroy()).toBe(res);
  expect([watch.destroyed, res.destroyed]).toEqual([true, true]);
  const gone = setUp();
  gone.res.req.socket.destroy();
  gone.res.destroy();
  expect(gone.watch.destroyed).toBe(false);
});

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createHandClock } from '../../test/signals.ts';
import { watchResponse } from './response-watch.ts';

function setUp(contentType?: string, isHead = false) {
  const clock = createHandClock();
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  if (contentType !== undefined) res.setHeader('Content-Type', contentType);
  return { res, clock, watch: watchResponse(res, isHead, clock.now) };
}

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

test('headers that are given to writeHead are seen', () => {
  const { res, watch } = setUp();
  res.setHeader('x-request-id', 'r');
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  res.end('1\n2');
  expect(watch.events).toBe(2);
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

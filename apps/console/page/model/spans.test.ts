import { describe, expect, it } from 'vitest';
import { span } from '../test/records.ts';
import { nearestRequest, SPAN_LIMIT, Spans } from './spans.ts';

describe('spans', () => {
  it('are traces, the newest first, each with its root, whenever that comes', () => {
    const spans = new Spans();
    spans.add([span({ spanId: 'b', parentSpanId: 'a', start: 5, duration: 2, status: 'error', service: 'two' })], 10);
    expect(spans.trace('t1')?.root?.spanId).toBe('b');
    spans.add([span({ spanId: 'a', parentSpanId: 'elsewhere', duration: 20, kind: 'server' })], 10);
    spans.add([span({ traceId: 't2', spanId: 'x', start: 9 })], 10);
    expect(spans.trace('t1')).toMatchObject({
      root: { spanId: 'a' },
      start: 0,
      duration: 20,
      errors: 1,
      services: ['two', 'one'],
      kinds: { request: 1, internal: 1 },
    });
    expect(spans.traces().map(({ id }) => id)).toEqual(['t2', 't1']);
    expect(spans.find('t1', 'b')?.service).toBe('two');
    expect(spans.find('t1', 'x')).toBeUndefined();
    expect(spans.trace('none')).toBeUndefined();
  });

  it('of services whose clocks differ are as long as they are drawn', () => {
    const spans = new Spans();
    spans.add([span({ spanId: 'a', start: 5000, duration: 100 })], 1);
    spans.add([span({ spanId: 'b', parentSpanId: 'a', start: 100, duration: 40, service: 'two' })], 1);
    expect(spans.trace('t1')).toMatchObject({ start: 5000, duration: 100 });
  });

  it('are bounded by count and size, and leave nothing behind', () => {
    const spans = new Spans();
    const one = (at: number) => span({ traceId: `t${at}`, spanId: `s${at}` });
    for (let at = 0; at < SPAN_LIMIT + 500; at += 100)
      spans.add(
        Array.from({ length: 100 }, (_, more) => one(at + more)),
        1000,
      );
    expect(spans.count).toBe(SPAN_LIMIT);
    expect(spans.traces().length).toBe(SPAN_LIMIT);
    expect(spans.trace('t499')).toBeUndefined();
    expect(spans.trace('t500')).toBeDefined();
    spans.add([one(1_000_000)], 48 * 1024 * 1024);
    expect(spans.traces().map(({ id }) => id)).toEqual(['t1000000']);
    spans.clear();
    expect([spans.count, spans.size, spans.traces().length]).toEqual([0, 0, 0]);
  });

  it('keep a trace while one of its spans is held', () => {
    const spans = new Spans();
    spans.add([span({ spanId: 'a' })], 1);
    for (let at = 0; at < SPAN_LIMIT - 1; at += 1) spans.add([span({ traceId: `o${at}`, spanId: 'o' })], 1);
    spans.add([span({ spanId: 'b', start: 3 })], 1);
    expect(spans.trace('t1')?.spans.map(({ spanId }) => spanId)).toEqual(['b']);
  });

  it('hold the times of chunks by span, at most a thousand', () => {
    const spans = new Spans();
    spans.addChunks(Array.from({ length: 1200 }, (_, at) => ({ traceId: 't1', spanId: `s${at}`, times: [at] })));
    expect(spans.chunksOf({ traceId: 't1', spanId: 's1199' })).toEqual([1199]);
    expect(spans.chunksOf({ traceId: 't1', spanId: 's199' })).toBeUndefined();
  });
});

describe('the request nearest to a point of a plot', () => {
  const at = (spanId: string, end: number, duration: number, route = '/a') =>
    span({ spanId, kind: 'server', start: end - duration, duration, attributes: { 'http.route': route } });
  const all = [
    at('early', 1000, 50),
    at('fits', 60_000, 2000),
    at('near', 61_000, 4),
    { ...at('no request', 60_000, 2000), kind: 'client' as const },
  ];
  const any = (): boolean => true;

  it('is near in time and in value', () => {
    expect(nearestRequest(all, 60_500, 1900, any)?.spanId).toBe('fits');
    expect(nearestRequest(all, 60_900, 5, any)?.spanId).toBe('near');
    expect(nearestRequest(all, 900, undefined, any)?.spanId).toBe('early');
    expect(nearestRequest(all, 60_000, 1, () => false)).toBeUndefined();
  });
});

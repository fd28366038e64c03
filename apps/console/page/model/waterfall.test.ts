import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { span } from '../test/records.ts';
import { selfTimes } from './self-time.ts';
import { layOut, ticks } from './waterfall.ts';

const shape = (spans: Parameters<typeof layOut>[0], closed?: ReadonlySet<string>): string[] =>
  layOut(spans, closed).rows.map(({ span: { spanId }, depth }) => `${' '.repeat(depth)}${spanId}`);

describe('a waterfall', () => {
  it('has children below their parents, by their start, whatever the order in which they came', () => {
    const spans = [
      span({ spanId: 'c', parentSpanId: 'a', start: 6, duration: 2 }),
      span({ spanId: 'd', parentSpanId: 'b', start: 3, duration: 1 }),
      span({ spanId: 'b', parentSpanId: 'a', start: 2, duration: 3 }),
      span({ spanId: 'a', start: 0, duration: 10 }),
    ];
    expect(shape(spans)).toEqual(['a', ' b', '  d', ' c']);
    expect(layOut(spans)).toMatchObject({ start: 0, end: 10 });
    // Some clocks tick once a millisecond: what ended first is told first.
    const ties = ['x', 'y', 'z'].map((spanId, at) => span({ spanId, start: 5, duration: at + 1 }));
    expect(shape(ties)).toEqual(['x', 'y', 'z']);
    expect(shape(spans, new Set(['b']))).toEqual(['a', ' b', ' c']);
    expect(shape(spans, new Set(['a']))).toEqual(['a']);
  });

  it('puts one whose parent is not here at the top, and says so', () => {
    const { rows } = layOut([span({ spanId: 'a' }), span({ spanId: 'b', parentSpanId: 'gone', start: 5 })]);
    expect(rows.map(({ span: { spanId }, depth, orphan }) => [spanId, depth, orphan])).toEqual([
      ['a', 0, false],
      ['b', 0, true],
    ]);
  });

  it('unties circles, and shows what has the same id twice', () => {
    expect(
      shape([span({ spanId: 'a', parentSpanId: 'b' }), span({ spanId: 'b', parentSpanId: 'a', start: 1 })]),
    ).toEqual(['a', ' b']);
    expect(shape([span({ spanId: 'a', parentSpanId: 'a' })])).toEqual(['a']);
    expect(shape([span({ spanId: 'a' }), span({ spanId: 'a', start: 1 })])).toEqual(['a', 'a']);
  });

  it('moves a span of another service whose clock differs, and all of that service below it', () => {
    const parent = span({ spanId: 'a', start: 1000, duration: 100 });
    const child = span({ spanId: 'b', parentSpanId: 'a', service: 'two', start: 400, duration: 40 });
    const below = span({ spanId: 'c', parentSpanId: 'b', service: 'two', start: 410, duration: 10 });
    const { rows, start, end } = layOut([parent, child, below]);
    expect(rows.map((row) => [row.start, row.shift])).toEqual([
      [1000, 0],
      [1030, 630],
      [1040, 630],
    ]);
    expect([start, end]).toEqual([1000, 1100]);
    // One within its parent, or of the same service, is where it says.
    expect(layOut([parent, { ...child, start: 1010 }]).rows[1]?.shift).toBe(0);
    expect(layOut([parent, { ...child, service: 'one' }]).rows[1]?.shift).toBe(0);
    // One that outlives its parent is no matter of clocks, unless it begins before it.
    expect(layOut([parent, { ...child, start: 1010, duration: 400 }]).rows[1]?.shift).toBe(0);
    expect(layOut([parent, { ...child, start: 990, duration: 400 }]).rows[1]?.shift).toBe(10);
  });

  it('shows each span once, whatever they say of each other', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const some = fc.record({
      spanId: id,
      parentSpanId: fc.option(id, { nil: undefined }),
      start: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      duration: fc.double({ min: 0, max: 1e6, noNaN: true }),
      service: fc.constantFrom('one', 'two'),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 14 }), (all) => {
        const spans = all.map((one) => span(one));
        const { rows, start, end } = layOut(spans);
        expect(new Set(rows.map((row) => row.span))).toEqual(new Set(spans));
        expect(rows.length).toBe(spans.length);
        for (const [at, row] of rows.entries()) {
          expect(row.depth).toBeLessThanOrEqual(at === 0 ? 0 : (rows[at - 1]?.depth ?? 0) + 1);
          expect(row.start).toBeGreaterThanOrEqual(start);
          expect(row.start + row.span.duration).toBeLessThanOrEqual(end + 1e-6);
        }
        const shares = selfTimes({ rows });
        expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('bears a chain of 10,000, and as many children of one', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      span({ spanId: `${at}`, parentSpanId: at === 0 ? undefined : `${at - 1}`, start: at }),
    );
    expect(layOut(chain.toReversed()).rows.at(-1)?.depth).toBe(9999);
    const flat = chain.map((one, at) => ({ ...one, parentSpanId: at === 0 ? undefined : '0' }));
    expect(layOut(flat).rows.length).toBe(10_000);
    expect(layOut([]).rows).toEqual([]);
  });
});

describe('own time', () => {
  it('is what children do not cover, where they run at once too', () => {
    const spans = [
      span({ spanId: 'a', kind: 'server', start: 0, duration: 100 }),
      span({
        spanId: 'b',
        parentSpanId: 'a',
        start: 10,
        duration: 40,
        attributes: { 'gen_ai.operation.name': 'chat' },
      }),
      span({ spanId: 'c', parentSpanId: 'a', start: 30, duration: 40, attributes: { 'db.system.name': 'redis' } }),
      // What outlives its parent covers of it what is in it.
      span({ spanId: 'd', parentSpanId: 'a', start: 90, duration: 40, attributes: { 'db.system.name': 'postgresql' } }),
    ];
    expect(selfTimes(layOut(spans)).map(({ kind, ms }) => [kind, ms])).toEqual([
      ['ai', 40],
      ['redis', 40],
      ['database', 40],
      ['request', 30],
    ]);
  });
});

it('an axis has round steps', () => {
  expect(ticks(1000, 4)).toEqual([0, 500, 1000]);
  expect(ticks(7, 4)).toEqual([0, 2, 4, 6]);
  for (const length of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(ticks(length)).toEqual([0]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (length) => {
      expect(ticks(length, 5).length).toBeLessThanOrEqual(6);
    }),
  );
});

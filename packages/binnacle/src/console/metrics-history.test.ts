import { describe, expect, test } from 'vitest';
import { MetricsHistory } from './metrics-history.ts';
import type { MetricFamily, MetricsUpdate } from './wire.ts';

const MINUTE = 60_000;
const START = 1_700_000_040_000;
const counter = (name: string): MetricFamily => ({ name, type: 'counter', help: 'Counted.' });
const histogram: MetricFamily = { name: 'h_seconds', type: 'histogram', help: 'Times.', bounds: [1, 2] };

const create = (bounds = { series: 2000, bytes: 16 * 1024 * 1024 }): MetricsHistory => new MetricsHistory(bounds);
/** The number of a series, which must fit. */
const seriesIn = (history: MetricsHistory, family = counter('a_total'), labels = {}): number =>
  history.seriesOf(family, labels) as number;

/** All that a reader is told from where it stands. */
function told(history: MetricsHistory, cursor = history.begin()): MetricsUpdate[] {
  const updates: MetricsUpdate[] = [];
  for (;;) {
    const update = history.next(cursor);
    if (update === undefined) return updates;
    updates.push(update);
  }
}

/** The points of one series. */
const pointsOf = (updates: readonly MetricsUpdate[], id: number): [number, number][] =>
  updates.flatMap(({ time, values }) =>
    values.filter(([series]) => series === id).map((value) => [time, value[1] as number] as [number, number]),
  );

describe('a moment', () => {
  test('holds what changed, after the names that it needs', () => {
    const history = create();
    const [a, b] = [seriesIn(history), seriesIn(history, histogram, { route: '/x' })];
    history.record(START, [
      [a, 1],
      [b, 0.5, 1, 1, 1],
    ]);
    history.record(START + 2000, [
      [a, 1],
      [b, 2, 2, 1, 2],
    ]);
    history.record(START + 4000, [
      [a, 3],
      [b, 2, 2, 1, 2],
    ]);
    const [names, ...moments] = told(history);
    expect(names?.families).toEqual([counter('a_total'), histogram]);
    expect(names?.series).toEqual([
      { id: a, family: 'a_total', labels: {} },
      { id: b, family: 'h_seconds', labels: { route: '/x' } },
    ]);
    expect(moments.map(({ values }) => values)).toEqual([
      [
        [a, 1],
        [b, 0.5, 1, 1, 1],
      ],
      [[b, 2, 2, 1, 2]],
      [[a, 3]],
    ]);
  });

  test('leaves out what is no number, or of another length, or of no series', () => {
    const history = create();
    const id = seriesIn(history);
    history.record(START, [[id, Number.NaN], [id, Number.POSITIVE_INFINITY], [id], [id, 1, 2], [99, 1], []]);
    expect(told(history).flatMap(({ values }) => values)).toEqual([]);
    history.record(START + 1, [[id, 7]]);
    expect(pointsOf(told(history), id)).toEqual([[START + 1, 7]]);
  });

  test('has its exemplars, of series that there are', () => {
    const history = create();
    const id = seriesIn(history, histogram);
    const exemplar = { series: id, value: 0.5, time: START, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    history.record(START, [[id, 0.5, 1, 1, 1]], [exemplar, { ...exemplar, series: 5 }]);
    expect(told(history).at(-1)?.exemplars).toEqual([exemplar]);
  });

  test('is one with that of its time; and one with those that a clock which was set back had told of', () => {
    const history = create();
    const [a, b] = [seriesIn(history), seriesIn(history, counter('b_total'))];
    history.record(START, [[a, 1]]);
    history.record(START, [[b, 1]]);
    expect(history.moments).toBe(1);
    history.record(START + 2000, [[a, 2]]);
    const cursor = history.begin();
    told(history, cursor);
    history.record(START - MINUTE, [[a, 3]]);
    expect(history.moments).toBe(1);
    // A reader that was told all is told what is new.
    expect(told(history, cursor)).toEqual([
      {
        time: START - MINUTE,
        values: [
          [b, 1],
          [a, 3],
        ],
      },
    ]);
  });
});

describe('thins with age', () => {
  /** An hour and ten minutes of one counter that counts each moment, and one that counted once. */
  const history = create();
  const [busy, still] = [seriesIn(history), seriesIn(history, counter('still_total'))];
  const moments = (70 * MINUTE) / 2000;
  let now = START;
  for (let index = 0; index < moments; index += 1) {
    now = START + index * 2000;
    history.record(now, [[busy, index], ...(index === 0 ? [[still, 1]] : [])]);
  }
  const points = pointsOf(told(history), busy);
  const ages = points.map(([time]) => now - time);
  const gaps = points.slice(1).map(([time], index) => time - (points[index] as [number, number])[0]);
  const between = (from: number, to: number): number[] =>
    gaps.filter((_, index) => (ages[index] as number) < to && (ages[index + 1] as number) >= from);

  test('2 s for 5 minutes, 10 s to 20 minutes, 60 s to the hour', () => {
    expect(new Set(between(0, 5 * MINUTE))).toEqual(new Set([2000]));
    expect(new Set(between(5 * MINUTE + 10_000, 20 * MINUTE))).toEqual(new Set([10_000]));
    expect(new Set(between(20 * MINUTE + MINUTE, 60 * MINUTE))).toEqual(new Set([MINUTE]));
    expect(points.length).toBeLessThan(150 + 90 + 40 + 10);
    expect(points.length).toBe(history.moments);
  });

  test('a point says what was so at its time, and none is older than the hour but the first', () => {
    for (const [time, value] of points) expect(value).toBe((time - START) / 2000);
    expect(ages[1]).toBeLessThan(60 * MINUTE);
    expect(ages[0]).toBeGreaterThanOrEqual(60 * MINUTE);
  });

  test('what has not changed since is still known, at the beginning', () => {
    expect(pointsOf(told(history), still)).toEqual([[points[0]?.[0], 1]]);
  });

  test('what was put together since a reader was told is told it whole, and not twice', () => {
    const own = create();
    const id = seriesIn(own);
    const cursor = own.begin();
    const seen: [number, number][] = [];
    for (let index = 0; index < moments; index += 1) {
      own.record(START + index * 2000, [[id, index]]);
      // Every ten minutes.
      if (index % 300 === 299) seen.push(...pointsOf(told(own, cursor), id));
    }
    for (const [time, value] of seen) expect(value).toBe((time - START) / 2000);
    const times = seen.map(([time]) => time);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(seen.at(-1)?.[1]).toBe(moments - 1);
  });
});

describe('bounds', () => {
  test('series: further ones are left out, and counted; those that there are stay', () => {
    const history = create({ series: 3, bytes: 1024 * 1024 });
    const ids = ['a', 'b', 'c', 'd', 'e'].map((x) => history.seriesOf(counter('x_total'), { x }));
    expect(ids).toEqual([0, 1, 2, undefined, undefined]);
    expect(history.seriesOf(counter('x_total'), { x: 'b' })).toBe(1);
    expect([history.count, history.evicted]).toEqual([3, 2]);
  });

  test('bytes: the oldest moments become one, and no value of now is lost', () => {
    const bounds = { series: 200, bytes: 100_000 };
    const history = create(bounds);
    const ids = Array.from({ length: 100 }, (_, x) => seriesIn(history, counter('x_total'), { x: String(x) }));
    for (let round = 0; round < 500; round += 1) {
      history.record(
        START + round * 2000,
        ids.map((id) => [id, round]),
      );
      expect(history.bytes).toBeLessThanOrEqual(bounds.bytes);
    }
    expect(history.evicted).toBeGreaterThan(0);
    expect(history.moments).toBeGreaterThan(10);
    const updates = told(history);
    for (const id of ids) expect(pointsOf(updates, id).at(-1)?.[1]).toBe(499);
  });

  test('a series that is too large, or whose family is another by the same name, is left out', () => {
    const history = create({ series: 100, bytes: 1_000_000 });
    expect(history.seriesOf(counter('x_total'), { x: 'y'.repeat(1_000_000) })).toBeUndefined();
    const bounds = Array.from({ length: 2000 }, (_, index) => index);
    expect(history.seriesOf({ ...histogram, bounds }, {})).toBeUndefined();
    expect(history.seriesOf(histogram, {})).toBe(0);
    expect(history.seriesOf({ ...histogram, bounds: [1, 3] }, {})).toBeUndefined();
    expect(history.seriesOf({ ...histogram, bounds: [1, 3] }, { x: '1' })).toBeUndefined();
    expect(history.seriesOf({ ...histogram, type: 'gauge' }, {})).toBeUndefined();
    expect([history.count, history.evicted]).toEqual([1, 5]);
  });

  test('an update is small: names and values come in parts, each series once', () => {
    const history = create();
    const bounds = Array.from({ length: 50 }, (_, index) => index);
    const ids = Array.from({ length: 1200 }, (_, x) =>
      seriesIn(history, { ...histogram, bounds }, { x: String(x), text: 'z'.repeat(50) }),
    );
    history.record(
      START,
      ids.map((id) => [id, 1, 1, ...bounds.map(() => 1)]),
    );
    const updates = told(history);
    expect(Math.max(...updates.map((update) => JSON.stringify(update).length))).toBeLessThan(256 * 1024);
    expect(updates.flatMap(({ series = [] }) => series.map(({ id }) => id))).toEqual(ids);
    expect(updates.flatMap(({ values }) => values.map(([id]) => id))).toEqual(ids);
  });

  test('labels in any order are one series', () => {
    const history = create();
    expect(history.seriesOf(counter('x_total'), { a: '1', b: '2' })).toBe(0);
    expect(history.seriesOf(counter('x_total'), { b: '2', a: '1' })).toBe(0);
    // No value can look like two.
    expect(history.seriesOf(counter('x_total'), { a: '1","b":"2' })).toBe(1);
  });
});

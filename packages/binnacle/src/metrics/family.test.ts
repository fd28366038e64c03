import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Family, type FamilyOptions, OTHER, writeLabels } from './family.ts';

const make = (options: Partial<FamilyOptions> = {}) =>
  new Family({
    kind: 'counter',
    name: 'jobs_total',
    help: 'Jobs.',
    labels: ['queue', 'state'],
    maxSeries: 3,
    onFold: () => {},
    ...options,
  });

const written = (family: Family) => [...family.cells()].map(({ labels, value }) => `${labels} ${value}`);

describe('the budget', () => {
  test('new label sets past it share one series, each look-up is counted, and the known ones go on', () => {
    const onFold = vi.fn();
    const family = make({ onFold });
    for (const queue of ['a', 'b', 'c', 'd', 'e', 'd']) family.bind({ queue, state: 'ok' }).inc();
    family.bind({ queue: 'a', state: 'ok' }).inc();
    expect(written(family)).toEqual([
      'queue="a",state="ok" 2',
      'queue="b",state="ok" 1',
      'queue="c",state="ok" 1',
      'queue="_other",state="_other" 3',
    ]);
    expect(onFold).toHaveBeenCalledTimes(3);
    expect(family.size).toBe(4);
  });

  test('a label set that a caller named _other is the folded one, not a second of that name', () => {
    const family = make({ maxSeries: 1 });
    const mine = family.bind({ queue: OTHER, state: OTHER });
    expect(family.bind({ queue: 'a', state: 'ok' })).toBe(mine);
    expect(family.size).toBe(1);

    const later = make({ maxSeries: 1 });
    later.bind({ queue: 'a', state: 'ok' });
    const folded = later.bind({ queue: 'b', state: 'ok' });
    expect(later.bind({ queue: OTHER, state: OTHER })).toBe(folded);
    expect(later.size).toBe(2);
  });

  test('a metric without labels has its one series whatever the budget', () => {
    const family = make({ labels: [], maxSeries: 1 });
    expect(family.bind({})).toBe(family.bind({}));
    expect(family.size).toBe(1);
  });
});

describe('a label set', () => {
  test('is one series however it is written: order, extra keys, numbers, absent as empty', () => {
    const family = make();
    const one = family.bind({ queue: '1', state: '' });
    expect(family.bind({ state: '', queue: 1 })).toBe(one);
    expect(family.bind({ queue: 1 } as never)).toBe(one);
    expect(family.bind({ queue: '1', state: null, more: 'x' } as never)).toBe(one);
    expect(family.size).toBe(1);
  });

  test('is told apart from every other, whatever characters are in its values', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: (pair) => JSON.stringify(pair) }),
        (pairs) => {
          const family = make({ maxSeries: 1000 });
          const cells = new Set(pairs.map(([queue, state]) => family.bind({ queue, state })));
          expect(cells.size).toBe(pairs.length);
        },
      ),
    );
  });

  test('with values that have no text is recorded rather than thrown about', () => {
    const family = make();
    expect(() => family.bind({ queue: Object.create(null), state: Symbol('x') } as never).inc()).not.toThrow();
  });

  test('is written escaped, and an empty value is an absent label', () => {
    expect(writeLabels(['a', 'b', 'c', 'd'], { a: 'x"\\\ny', b: '', c: 7, d: false })).toBe(
      'a="x\\"\\\\\\ny",c="7",d="false"',
    );
    expect(writeLabels(['a'], {})).toBe('');
  });
});

describe('values', () => {
  const wrong = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '5' as never, null as never];

  test('a counter ignores what is negative or no number', () => {
    const cell = make({ labels: [] }).bind({});
    for (const value of [...wrong, -1]) cell.inc(value);
    cell.set(9);
    cell.observe(9);
    expect(cell.value).toBe(0);
    cell.inc();
    cell.inc(0.5);
    expect(cell.value).toBe(1.5);
  });

  test('a gauge goes both ways, adds no nonsense, and may be set to NaN and infinities', () => {
    const cell = make({ kind: 'gauge', name: 'depth', labels: [] }).bind({});
    for (const value of wrong) cell.inc(value);
    cell.set('5' as never);
    expect(cell.value).toBe(0);
    cell.set(3);
    cell.dec();
    cell.inc(-4);
    expect(cell.value).toBe(-2);
    cell.set(Number.NaN);
    expect(cell.value).toBeNaN();
  });

  test('a histogram counts a value at its bound into that bucket, and ignores what is no number', () => {
    const cell = make({ kind: 'histogram', name: 'time_seconds', labels: [], buckets: [1, 2] }).bind({});
    for (const value of [...wrong, 1, 1.5, 2, 3, -1]) cell.observe(value);
    expect([...cell.counts]).toEqual([2, 2, 1]);
    expect(cell.sum).toBe(6.5);
  });
});

test.each<[string, Partial<FamilyOptions>, RegExp]>([
  ['a name with a dash', { name: 'fit-check_total' }, /metric "fit-check_total": a name is letters/],
  ['a name that starts with a digit', { name: '1_total' }, /metric "1_total": a name is letters/],
  ['no name', { name: undefined as never }, /metric "undefined": a name is letters/],
  ['a counter without _total', { name: 'jobs' }, /metric jobs: the name of a counter ends in "_total"/],
  ['no help', { help: undefined as never }, /metric jobs_total: help must be a text/],
  ['a label with a dot', { labels: ['a.b'] }, /metric jobs_total: label "a.b"/],
  ['a reserved label', { labels: ['__name__'] }, /metric jobs_total: label "__name__"/],
  ['le on a histogram', { kind: 'histogram', name: 'h', labels: ['le'], buckets: [1] }, /metric h: label "le"/],
  ['a label twice', { labels: ['a', 'a'] }, /metric jobs_total: a label is named twice/],
  ['no buckets', { kind: 'histogram', name: 'h', labels: [] }, /metric h: buckets must be finite/],
  ['buckets out of order', { kind: 'histogram', name: 'h', labels: [], buckets: [1, 1] }, /metric h: buckets must be/],
  ['an infinite bucket', { kind: 'histogram', name: 'h', labels: [], buckets: [1, Infinity] }, /metric h: buckets/],
  ['no budget', { maxSeries: 0 }, /metric jobs_total: maxSeries must be at least 1/],
  ['a budget that is no number', { maxSeries: Number.NaN }, /metric jobs_total: maxSeries must be at least 1/],
])('%s throws where it is written', (_, options, message) => {
  expect(() => make(options)).toThrow(message);
  expect(() => make(options)).toThrow(TypeError);
});

test('what a definition was made from may change afterwards without changing it', () => {
  const buckets = [1, 2];
  const family = make({ kind: 'histogram', name: 'h', labels: [], buckets });
  buckets.length = 0;
  const cell = family.bind({});
  cell.observe(1);
  expect(family.buckets).toEqual([1, 2]);
  expect([...cell.counts]).toEqual([1, 0, 0]);
});

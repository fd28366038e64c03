import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { type Carrier, runInScope } from '../context.ts';
import { createCaches } from './cache.ts';

async function counted({ scrape, value }: TestSignals, cache: string) {
  await scrape();
  const requests = (result: string) => value(`cache_requests_total{cache="${cache}",result="${result}"}`);
  return [await requests('hit'), await requests('miss'), await requests('error')];
}

test('the series of a cache exist at 0 before it is asked', async () => {
  const signals = createSignals();
  createCaches(signals)('c', new Map<string, string>());
  expect(await counted(signals, 'c')).toEqual([0, 0, 0]);
  expect(await signals.value('cache_evictions_total{cache="c"}')).toBe(0);
});

describe('look-ups', () => {
  test('of a sync store stay sync; undefined and null are misses, other falsy values are hits', async () => {
    const signals = createSignals();
    const store = new Map<string, unknown>([
      ['zero', 0],
      ['empty', ''],
      ['no', false],
      ['null', null],
    ]);
    const cache = createCaches(signals)('c', store);
    const look = (key: string) => cache.get(key as never);
    expect(['zero', 'empty', 'no', 'null', 'none'].map(look)).toEqual([0, '', false, null, undefined]);
    expect(await counted(signals, 'c')).toEqual([3, 2, 0]);
  });

  test('of an async store are counted when they settle', async () => {
    const signals = createSignals();
    const cache = createCaches(signals)('c', {
      get: async (key: string): Promise<string | null> => (key === 'a' ? 'x' : null),
      set: async (_key: string, _value: string) => 'OK',
    });
    const asked = cache.get('a');
    expect(asked).toBeInstanceOf(Promise);
    expect(await counted(signals, 'c')).toEqual([1, 0, 0]);
    expect(await asked).toBe('x');
    expect(await cache.get('b')).toBeNull();
    expect(await cache.set('a', 'y')).toBe('OK');
    expect(await counted(signals, 'c')).toEqual([1, 1, 0]);
  });

  test('that fail, at once or later, are errors and fail as the store did', async () => {
    const signals = createSignals();
    const failure = new Error('down');
    const thrown = (): never => {
      throw failure;
    };
    const sync = createCaches(signals)('sync', { get: thrown, set: thrown });
    const later = createCaches(signals)('later', {
      get: () => Promise.reject(failure),
      set: () => Promise.reject(failure),
    });
    expect(() => sync.get()).toThrow(failure);
    expect(() => sync.set()).toThrow(failure);
    await expect(later.get()).rejects.toBe(failure);
    await expect(later.set()).rejects.toBe(failure);
    expect(await counted(signals, 'sync')).toEqual([0, 0, 1]);
    expect(await counted(signals, 'later')).toEqual([0, 0, 1]);
  });
});

test("the store's own methods keep their this", () => {
  class Own {
    #values = new Map<string, number>();
    get(key: string): number | undefined {
      return this.#values.get(key);
    }
    set(key: string, value: number): void {
      this.#values.set(key, value);
    }
  }
  const cache = createCaches(createSignals())('c', new Own());
  cache.set('a', 1);
  expect(cache.get('a')).toBe(1);
});

test('evictions are counted by the store, entries are read at each scrape', async () => {
  const signals = createSignals();
  const store = new Map<string, number>();
  const cache = createCaches(signals)('c', (evicted) => ({
    get: (key: string) => store.get(key),
    set(key: string, value: number) {
      store.set(key, value);
      const [oldest] = store.keys();
      if (store.size > 2 && oldest !== undefined && store.delete(oldest)) evicted();
    },
    get size() {
      return store.size;
    },
  }));
  expect(await signals.value('cache_entries{cache="c"}')).toBe(0);
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1);
  expect(await signals.value('cache_entries{cache="c"}')).toBe(2);
  expect(await signals.value('cache_evictions_total{cache="c"}')).toBe(2);
});

test('the closing line tells the last result of each cache', async () => {
  const caches = createCaches(createSignals());
  const one = caches('one', new Map<string, number>([['a', 1]]));
  const two = caches('two', { get: async (): Promise<undefined> => undefined, set: () => {} });
  const carrier: Carrier = { signal: new AbortController().signal, closing: {}, declare() {}, whenSettled() {} };
  await runInScope({ request: { requestId: 'r', carrier }, otel: ROOT_CONTEXT }, async () => {
    one.get('b');
    one.get('a');
    await two.get();
  });
  expect(carrier.closing).toEqual({ cache: { one: 'hit', two: 'miss' } });
});

test('each look-up is a span, and what the store asks of others is its child', async () => {
  const signals = createSignals();
  const store = {
    async get(key: string): Promise<string | undefined> {
      await null;
      signals.tracer.startSpan('GET').end();
      if (key === 'broken') throw new TypeError('no');
      return key === 'there' ? 'value' : undefined;
    },
    set(): void {},
  };
  const cache = createCaches(signals)('c', store);
  for (const key of ['there', 'missing', 'broken']) await cache.get(key).catch(() => {});
  const spans = signals.ended();
  const lookUps = spans.filter(({ name }) => name === 'cache c');
  expect(lookUps.map(({ attributes, status }) => [attributes, status.code])).toEqual([
    [{ 'binnacle.cache.name': 'c', 'binnacle.cache.result': 'hit' }, 0],
    [{ 'binnacle.cache.name': 'c', 'binnacle.cache.result': 'miss' }, 0],
    [{ 'binnacle.cache.name': 'c', 'binnacle.cache.result': 'error', 'error.type': 'TypeError' }, 2],
  ]);
  const children = spans.filter(({ name }) => name === 'GET');
  expect(children.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    lookUps.map((span) => span.spanContext().spanId),
  );
});

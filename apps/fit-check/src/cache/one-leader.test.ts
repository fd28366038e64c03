import { describe, expect, test } from 'vitest';
import { createLock } from './lock.ts';
import { createMemory } from './memory.ts';
import { createOneLeader } from './one-leader.ts';
import type { Lead } from './single-flight.ts';
import { createClock, createRedisDouble, settled } from './testing.test-helper.ts';
import { createTiered, type Entry } from './tiered.ts';

interface Value {
  readonly text: string;
}

function setUp() {
  const clock = createClock();
  const redis = createRedisDouble(clock);
  const told: string[] = [];
  const instance = (name: string) => {
    const memory = createMemory<Entry<Value>>({ entries: 10, ttlMs: 60_000, clock, evicted: () => {} });
    const accepts = (value: unknown): value is Value => typeof value === 'object' && value !== null;
    const cache = createTiered<Value>({ name: 'c', ttlMs: 60_000, memory, redis, clock, accepts });
    const leader = createOneLeader<Value>({ cache: { peek: cache.get }, lock: createLock({ redis, clock }), clock });
    let leads: Lead<Value>[] = [];
    return {
      enter(signal = new AbortController().signal) {
        leader.enter('q', { signal, patienceMs: () => 30_000 }).then(
          (turn) => {
            if (turn.kind === 'lead') leads.push(turn);
            told.push(turn.kind === 'lead' ? `${name} leads` : `${name} got ${turn.value.text}`);
          },
          (error: unknown) => told.push(`${name} left: ${(error as Error).message}`),
        );
      },
      async land(text?: string) {
        if (text !== undefined) await cache.set('q', { text });
        for (const lead of leads) lead.land(text === undefined ? undefined : { text });
        leads = [];
        await settled();
      },
    };
  };
  return { clock, redis, told, one: instance('one'), other: instance('other') };
}

describe('across instances', () => {
  test('one leads; the others find what it kept', async () => {
    const { clock, told, one, other } = setUp();
    for (const each of [one, other, one, other]) each.enter();
    await clock.advance(20_000);
    expect(told).toEqual(['one leads']);
    await one.land('found');
    await clock.advance(300);
    expect(told).toEqual(['one leads', 'one got found', 'other got found', 'other got found']);
  });

  test('a leader that fails is followed at once in its own process, and then elsewhere', async () => {
    const { clock, told, one, other } = setUp();
    for (const each of [one, other, one]) each.enter();
    await clock.advance(500);
    await one.land();
    await clock.advance(300);
    expect(told.filter((line) => line.endsWith('leads'))).toHaveLength(2);
    await one.land();
    await clock.advance(300);
    await other.land();
    await clock.advance(300);
    expect([...told].sort()).toEqual(['one leads', 'one leads', 'other leads']);
  });

  test('a leader that was killed is followed when its lock ends', async () => {
    const { clock, told, redis, one, other } = setUp();
    one.enter();
    await clock.advance(100);
    // Nothing more is heard of it: its renewals stop.
    const { run } = redis;
    redis.run = async () => 0;
    other.enter();
    await clock.advance(4500);
    expect(told).toEqual(['one leads']);
    await clock.advance(1000);
    expect(told).toEqual(['one leads', 'other leads']);
    redis.run = run;
  });

  test('a leader that takes too long is not waited for any longer', async () => {
    const { clock, told, one, other } = setUp();
    one.enter();
    await clock.advance(100);
    other.enter();
    await clock.advance(29_000);
    expect(told).toEqual(['one leads']);
    await clock.advance(2000);
    expect(told).toEqual(['one leads', 'other leads']);
  });

  test('one who waits may leave, and touches nobody', async () => {
    const { clock, told, one, other } = setUp();
    const leaving = new AbortController();
    one.enter();
    await clock.advance(100);
    other.enter(leaving.signal);
    other.enter();
    await clock.advance(1000);
    leaving.abort(new Error('gone'));
    await clock.advance(300);
    await one.land('found');
    await clock.advance(300);
    expect(told).toEqual(['one leads', 'other left: gone', 'other got found']);
  });
});

describe('without Redis', () => {
  test('each instance goes alone at once, one leader each', async () => {
    const { clock, told, redis, one, other } = setUp();
    redis.failing = true;
    for (const each of [one, other, one]) each.enter();
    await settled();
    expect(told).toEqual(['one leads', 'other leads']);
    await one.land('found');
    await clock.advance(0);
    expect(told).toEqual(['one leads', 'other leads', 'one got found']);
  });

  test('an outage in the middle of a wait ends the wait', async () => {
    const { clock, told, redis, one, other } = setUp();
    one.enter();
    await clock.advance(100);
    other.enter();
    await clock.advance(500);
    redis.failing = true;
    await clock.advance(300);
    expect(told).toEqual(['one leads', 'other leads']);
  });

  test('a lock is not needed where no instance shares', async () => {
    const leader = createOneLeader<Value>({ cache: { peek: async () => undefined }, clock: createClock() });
    const { signal } = new AbortController();
    expect((await leader.enter('q', { signal, patienceMs: () => 10 })).kind).toBe('lead');
  });
});

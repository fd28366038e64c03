import { describe, expect, test } from 'vitest';
import type { CallLimits } from '../limits.ts';
import { createFlights, createSharedWork, type Flight } from './single-flight.ts';
import { createClock, settled } from './testing.test-helper.ts';

function setUp() {
  const clock = createClock();
  const flights = createFlights<string>(clock);
  const told: string[] = [];
  const leads = new Map<string, Flight<string>>();
  const enter = (who: string, signal = new AbortController().signal, patienceMs = 1000): void =>
    void flights.enter('q', { signal, patienceMs: () => patienceMs }).then(
      (turn) => {
        if (turn.kind === 'lead') leads.set(who, turn);
        told.push(turn.kind === 'lead' ? `${who} leads` : `${who} got ${turn.value}`);
      },
      (error: unknown) => told.push(`${who} left: ${(error as Error).message}`),
    );
  return { clock, flights, told, leads, enter };
}

describe('those who want the same', () => {
  test('one leads, the others get what it finds', async () => {
    const { flights, told, leads, enter, clock } = setUp();
    for (const who of ['a', 'b', 'c']) enter(who);
    await settled();
    expect(told).toEqual(['a leads']);
    leads.get('a')?.land('found');
    await settled();
    expect(told).toEqual(['a leads', 'b got found', 'c got found']);
    expect(flights.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test('a leader that finds nothing is followed by the next, one at a time', async () => {
    const { told, leads, enter } = setUp();
    for (const who of ['a', 'b', 'c']) enter(who);
    await settled();
    leads.get('a')?.land();
    await settled();
    expect(told).toEqual(['a leads', 'b leads']);
    leads.get('b')?.land('found');
    leads.get('a')?.land('too late');
    await settled();
    expect(told).toEqual(['a leads', 'b leads', 'c got found']);
  });

  test('one who goes away touches nobody', async () => {
    const { told, leads, enter } = setUp();
    const leaving = new AbortController();
    enter('a');
    enter('b', leaving.signal);
    enter('c');
    await settled();
    leaving.abort(new Error('gone'));
    await settled();
    leads.get('a')?.land('found');
    await settled();
    expect(told).toEqual(['a leads', 'b left: gone', 'c got found']);
  });

  test('a leader that takes too long is given up by one of them; whoever lands first serves the rest', async () => {
    const { clock, told, leads, enter, flights } = setUp();
    for (const who of ['a', 'b', 'c']) enter(who);
    await clock.advance(999);
    expect(told).toEqual(['a leads']);
    await clock.advance(1);
    expect(told).toEqual(['a leads', 'b leads']);
    leads.get('a')?.land('found after all');
    await settled();
    expect(told).toEqual(['a leads', 'b leads', 'c got found after all']);
    leads.get('b')?.land('found too');
    expect(flights.size).toBe(0);
  });

  test('how long they wait counts from when the lead really begins', async () => {
    const { clock, told, leads, enter } = setUp();
    enter('a');
    enter('b');
    await clock.advance(900);
    leads.get('a')?.begin();
    await clock.advance(999);
    expect(told).toEqual(['a leads']);
    await clock.advance(1);
    expect(told).toEqual(['a leads', 'b leads']);
  });

  test('different keys do not wait for each other', async () => {
    const { flights } = setUp();
    const { signal } = new AbortController();
    const turns = await Promise.all(['x', 'y'].map((key) => flights.enter(key, { signal, patienceMs: () => 1000 })));
    expect(turns.map(({ kind }) => kind)).toEqual(['lead', 'lead']);
    expect(flights.size).toBe(2);
  });
});

describe('shared work', () => {
  function caller(remaining = 1000): CallLimits & { abort(): void } {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      remainingMs: () => remaining,
      abort: () => controller.abort(new Error('gone')),
    };
  }

  function work() {
    const share = createSharedWork<string>();
    const runs: { limits: CallLimits; resolve(value: string): void; reject(error: Error): void }[] = [];
    const join = (limits: CallLimits): Promise<string> =>
      share(
        'q',
        limits,
        (together) =>
          new Promise((resolve, reject) => {
            runs.push({ limits: together, resolve, reject });
            together.signal.addEventListener('abort', () => reject(together.signal.reason));
          }),
      );
    return { runs, join };
  }

  test('is done once for all who ask while it runs, and again for who asks later', async () => {
    const { runs, join } = work();
    const both = [join(caller()), join(caller())];
    runs[0]?.resolve('found');
    expect(await Promise.all(both)).toEqual(['found', 'found']);
    void join(caller());
    expect(runs).toHaveLength(2);
  });

  test('fails for all of them', async () => {
    const { runs, join } = work();
    const both = [join(caller()), join(caller())];
    runs[0]?.reject(new Error('no'));
    for (const each of both) await expect(each).rejects.toThrow('no');
  });

  test('goes on without who began it, and ends with the last who wants it', async () => {
    const { runs, join } = work();
    const [first, second] = [caller(), caller()];
    const began = join(first);
    const joined = join(second);
    first.abort();
    await expect(began).rejects.toThrow('gone');
    expect(runs[0]?.limits.signal.aborted).toBe(false);
    second.abort();
    await expect(joined).rejects.toThrow('gone');
    expect(runs[0]?.limits.signal.aborted).toBe(true);
    void join(caller());
    expect(runs).toHaveLength(2);
  });

  test('may take as long as any of them has left', async () => {
    const { runs, join } = work();
    void join(caller(100));
    void join(caller(700));
    expect(runs[0]?.limits.remainingMs()).toBe(700);
  });
});

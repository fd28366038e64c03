import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { createFaults } from '../faults.ts';
import { createRegistry } from './registry.ts';
import { measure, timed } from './timing.ts';

function setUp() {
  const registry = createRegistry({ namespace: '', faults: createFaults() });
  const bare = registry.histogram({ name: 'bare_seconds', help: 'Bare.' });
  const labelled = registry.histogram({ name: 'labelled_seconds', help: 'Labelled.', labels: ['source'] });
  const count = async (name: string): Promise<number> => {
    let text = '';
    for await (const chunk of registry.scrape('prometheus')) text += chunk;
    return Number(new RegExp(`^${name}_count\\S* (\\d+)$`, 'm').exec(text)?.[1]);
  };
  return { bare, labelled, count };
}

describe('timed', () => {
  test("keeps a sync result sync, and the function's this, name and length", async () => {
    const { labelled, count } = setUp();
    const add = timed(labelled, { source: 'a' }, function add(this: { base: number }, a: number, b: number) {
      return this.base + a + b;
    });
    expectTypeOf(add).toEqualTypeOf<(this: { base: number }, a: number, b: number) => number>();
    expect(add.call({ base: 1 }, 2, 3)).toBe(6);
    expect([add.name, add.length]).toEqual(['add', 2]);
    expect(await count('labelled_seconds')).toBe(1);
  });

  test('observes a promise when it settles, and hands on what it was', async () => {
    const { bare, count } = setUp();
    let finish = (_: string): void => {};
    const work = timed(
      bare,
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    expectTypeOf(work).toEqualTypeOf<() => Promise<string>>();
    const running = work();
    expect(running).toBeInstanceOf(Promise);
    expect(await count('bare_seconds')).toBe(0);
    finish('done');
    expect(await running).toBe('done');
    expect(await count('bare_seconds')).toBe(1);
  });

  test('observes failures too, sync and async, and hands on the same error', async () => {
    const { bare, count } = setUp();
    const error = new Error('no');
    const sync = timed(bare, () => {
      throw error;
    });
    const rejected = timed(bare, async () => Promise.reject(error));
    expect(sync).toThrow(error);
    await expect(rejected()).rejects.toBe(error);
    expect(await count('bare_seconds')).toBe(2);
  });

  test('runs a lazy thenable once', async () => {
    const { bare, count } = setUp();
    // biome-ignore lint/suspicious/noThenProperty: query builders are such objects
    const query = { then: vi.fn((resolve: (rows: number) => void) => resolve(3)) };
    expect(await timed(bare, () => query)()).toBe(3);
    expect(query.then).toHaveBeenCalledTimes(1);
    expect(await count('bare_seconds')).toBe(1);
  });

  test('keeps generics and optional parameters, and wants the labels of its histogram', () => {
    const { bare, labelled } = setUp();
    const same = timed(bare, <T>(value: T, _times?: number): T => value);
    expectTypeOf(same('x')).toEqualTypeOf<string>();
    expect(same('x')).toBe('x');
    const wrong = [
      // @ts-expect-error a label that the histogram does not have
      () => timed(labelled, { sauce: 'a' }, () => 1),
      // @ts-expect-error labels are left out
      () => timed(labelled, () => 1),
      // @ts-expect-error nothing to call
      () => timed(bare, 'x'),
    ];
    expect(wrong).toHaveLength(3);
  });
});

describe('measure', () => {
  test('runs until it is stopped, then stands still', () => {
    let now = 1000;
    const time = measure({ now: () => now });
    expect(time.durationMs).toBe(0.001);
    now += 450.12345;
    expect([time.durationMs, time.seconds]).toEqual([450.123, 0.450123]);
    expect(time.stop()).toBe(450.123);
    now += 1000;
    expect([time.durationMs, time.stop()]).toEqual([450.123, 450.123]);
  });

  test('stops at the end of the block that holds it', () => {
    let now = 0;
    const time = measure({ now: () => now });
    now = 5;
    time[Symbol.dispose]();
    now = 50;
    expect(time.durationMs).toBe(5);
  });

  test("by the process's own clock it is above 0 and never goes back", () => {
    const time = measure();
    const readings = Array.from({ length: 1000 }, () => time.durationMs);
    expect(Math.min(...readings)).toBeGreaterThan(0);
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
  });
});

import { describe, expect, test, vi } from 'vitest';
import { createHandClock } from './hand-clock.ts';

describe('a clock by hand', () => {
  test('moves at once where no timer is due', () => {
    const clock = createHandClock();
    const wall = clock.wall();
    void clock.advance(250);
    expect([clock.now(), clock.wall() - wall]).toEqual([250, 250]);
  });

  test('runs what is due in order, each at its own time, and no other', async () => {
    const clock = createHandClock();
    const told: [string, number][] = [];
    const tell = (name: string) => (): void => void told.push([name, clock.now()]);
    clock.setTimer(tell('late'), 20);
    clock.setTimer(tell('never'), 31);
    clock.setTimer(tell('early'), 10);
    const cancel = clock.setTimer(tell('cancelled'), 15);
    clock.setTimer(() => clock.setTimer(tell('from a timer'), 5), 25);
    cancel();
    await clock.advance(30);
    expect(told).toEqual([
      ['early', 10],
      ['late', 20],
      ['from a timer', 30],
    ]);
    expect([clock.now(), clock.pending]).toEqual([30, 1]);
  });

  test('lets promises that are ready come before a timer', async () => {
    const clock = createHandClock();
    let settled = false;
    let seen: boolean | undefined;
    clock.setTimer(() => {
      seen = settled;
    }, 1);
    void Promise.resolve()
      .then(() => {})
      .then(() => {
        settled = true;
      });
    await clock.advance(1);
    expect(seen).toBe(true);
  });

  test('needs no timers of Node.js that a test may have replaced', async () => {
    vi.useFakeTimers();
    try {
      const clock = createHandClock();
      const run = vi.fn();
      clock.setTimer(run, 5);
      await clock.advance(5);
      expect(run).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  test('goes neither back nor nowhere', async () => {
    const clock = createHandClock();
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(clock.advance(ms)).rejects.toBeInstanceOf(RangeError);
    expect(clock.now()).toBe(0);
  });
});

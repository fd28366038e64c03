import { expect, test } from 'vitest';
import { LATE, waitFor } from './clock.ts';
import { createClock } from './testing.test-helper.ts';

test('a wait ends with the promise, its time, or the signal, and leaves no timer', async () => {
  const clock = createClock();
  const { signal } = new AbortController();
  await expect(waitFor(clock, { ms: 50, signal }, Promise.resolve('here'))).resolves.toBe('here');
  await expect(waitFor(clock, { ms: 50, signal }, Promise.reject(new Error('no')))).rejects.toThrow('no');
  const late = waitFor(clock, { ms: 50, signal }, new Promise(() => {}));
  await clock.advance(50);
  await expect(late).resolves.toBe(LATE);
  const leaving = new AbortController();
  const left = waitFor(clock, { ms: 50, signal: leaving.signal });
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await expect(waitFor(clock, { ms: 50, signal: leaving.signal })).rejects.toThrow('gone');
  expect(clock.timers).toBe(0);
});

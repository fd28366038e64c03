import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { limitTime } from './time-limit.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

test('aborts when the time is up, whatever garbage is collected meanwhile', async () => {
  const reason = aborted(limitTime(new AbortController().signal, 50).signal);
  for (let i = 0; i < 3; i += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await reason).toMatchObject({ name: 'TimeoutError' });
});

test('aborts with the outer signal, by its reason, before or later', () => {
  const outer = new AbortController();
  const limit = limitTime(outer.signal, 60_000);
  outer.abort(new Error('gone'));
  expect(limit.signal.reason).toBe(outer.signal.reason);
  expect(limitTime(outer.signal, 60_000).signal.reason).toBe(outer.signal.reason);
  limit.end();
});

test('nothing follows once it has ended', async () => {
  const outer = new AbortController();
  const limit = limitTime(outer.signal, 1);
  limit.end();
  outer.abort();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(limit.signal.aborted).toBe(false);
});

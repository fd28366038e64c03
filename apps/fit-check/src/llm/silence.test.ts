import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSilenceLimit } from './silence.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('aborts with a TimeoutError after too long a silence, counted from the last sign of life', () => {
  const limit = createSilenceLimit(new AbortController().signal, 100);
  vi.advanceTimersByTime(99);
  limit.heard();
  vi.advanceTimersByTime(99);
  expect(limit.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError' });
});

it('follows the outer signal, with its reason', () => {
  const outer = new AbortController();
  const limit = createSilenceLimit(outer.signal, 100);
  outer.abort(new Error('gone'));
  expect(limit.signal.reason).toMatchObject({ message: 'gone' });
  expect(createSilenceLimit(outer.signal, 100).signal.aborted).toBe(true);
});

it('watches no longer once it is ended', () => {
  const outer = new AbortController();
  const limit = createSilenceLimit(outer.signal, 100);
  limit.end();
  vi.advanceTimersByTime(1000);
  outer.abort();
  expect(limit.signal.aborted).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isTransient, type RetryOptions, retrying } from './retry.ts';

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const options = (more: Partial<RetryOptions> = {}): RetryOptions => ({
  retries: 2,
  pauseMs: 1,
  signal: new AbortController().signal,
  remainingMs: () => 1000,
  retryable: () => true,
  ...more,
});

function failing(
  times: number,
  error: unknown = new Error('no'),
): { attempt: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    attempt: async () => {
      calls += 1;
      if (calls <= times) throw error;
      return 'yes';
    },
  };
}

describe('retrying', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 3],
  ])('after %i failures it succeeds at attempt %i', async (failures, attempts) => {
    const { attempt, calls } = failing(failures);
    expect(await retrying(options(), attempt)).toBe('yes');
    expect(calls()).toBe(attempts);
  });

  it('throws the last error once the retries are used up', async () => {
    const { attempt, calls } = failing(9);
    await expect(retrying(options(), attempt)).rejects.toThrow('no');
    expect(calls()).toBe(3);
  });

  it('does not repeat what is final', async () => {
    const { attempt, calls } = failing(9);
    await expect(retrying(options({ retryable: () => false }), attempt)).rejects.toThrow('no');
    expect(calls()).toBe(1);
  });

  it('begins no pause that does not fit into what remains', async () => {
    const { attempt, calls } = failing(9);
    await expect(retrying(options({ pauseMs: 50, remainingMs: () => 40 }), attempt)).rejects.toThrow('no');
    expect(calls()).toBe(1);
  });

  it('heeds Retry-After', async () => {
    const error = Object.assign(new Error('busy'), { status: 503, headers: new Headers({ 'retry-after': '2' }) });
    const { attempt, calls } = failing(9, error);
    await expect(retrying(options({ remainingMs: () => 1999 }), attempt)).rejects.toThrow('busy');
    expect(calls()).toBe(1);
  });

  it('an abort ends a pause at once, with the error that led to it', async () => {
    const controller = new AbortController();
    const { attempt, calls } = failing(9);
    const running = retrying(
      options({ pauseMs: 60_000, remainingMs: () => 120_000, signal: controller.signal }),
      attempt,
    );
    controller.abort();
    await expect(running).rejects.toThrow('no');
    expect(calls()).toBe(1);
  });
});

describe('isTransient', () => {
  it.each([
    [{ status: 429 }, true],
    [{ status: 408 }, true],
    [{ status: 500 }, true],
    [{ status: 503 }, true],
    [{ status: 400 }, false],
    [{ status: 401 }, false],
    [{ status: 404 }, false],
    [{ code: 'ECONNREFUSED' }, true],
    [new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }), true],
    [new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }) }), true],
    [new TypeError('not a function'), false],
    [new SyntaxError('Unexpected token'), false],
    [new DOMException('late', 'TimeoutError'), false],
    ['text', false],
    [null, false],
  ])('%o: %s', (error, transient) => {
    expect(isTransient(error)).toBe(transient);
  });
});

import { ROOT_CONTEXT } from '@opentelemetry/api';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { type Carrier, currentRequest, type Ending, type Outcome, type RequestInHand, runInScope } from '../context.ts';
import { createSessions, type RunSession, type Session } from './session.ts';

function setUp(): { signals: TestSignals; session: RunSession } {
  const signals = createSignals();
  return { signals, session: createSessions(signals, 'svc') };
}

/** A carrier by hand, as an HTTP exchange is one. */
function createCarrier() {
  const controller = new AbortController();
  const declared: [Outcome, string | undefined][] = [];
  const listeners: ((ending: Ending) => void)[] = [];
  const carrier: Carrier = {
    signal: controller.signal,
    closing: {},
    declare: (outcome, errorType) => void declared.push([outcome, errorType]),
    whenSettled: (listener) => void listeners.push(listener),
  };
  const settle = (ending: Ending): void => {
    for (const listener of listeners.splice(0)) listener(ending);
  };
  return { carrier, controller, declared, settle };
}

const never = (): Promise<never> => new Promise(() => {});
const statuses = ['success', 'error', 'timeout', 'cancelled'];

async function counts(signals: TestSignals): Promise<Record<string, number | undefined>> {
  const rows = statuses.map(async (status) => [status, await signals.value(`requests_total{status="${status}"}`)]);
  return Object.fromEntries(await Promise.all(rows));
}

afterEach(() => void vi.useRealTimers());

describe('outside of HTTP', () => {
  test('a success: one ending in metrics, the closing line and settled', async () => {
    const { signals, session } = setUp();
    let held: Session | undefined;
    const value = await session({ id: 's1', fields: { query_length: 7 } }, async (running) => {
      held = running;
      expect(await signals.value('active_sessions')).toBe(1);
      expect(currentRequest()).toMatchObject({ requestId: 's1', sessionId: 's1' });
      signals.clock.advance(1500);
      await running.phase('connecting', () => signals.clock.advance(250));
      await running.phase('verdict', () => signals.clock.advance(100));
      await running.phase('verdict', () => signals.clock.advance(50));
      running.note({ provider: 'embedded', status: 'no', duration_ms: -1 });
      return 42;
    });
    expect(value).toBe(42);
    expect(await held?.settled).toEqual({ outcome: 'success', errorType: '', durationMs: 1900 });
    expect(await signals.value('active_sessions')).toBe(0);
    expect(await counts(signals)).toEqual({ success: 1 });
    expect(await signals.value('request_duration_seconds_sum')).toBe(1.9);
    const [first] = signals.lines;
    const last = signals.lines.at(-1);
    expect([first?.message, first?.fields]).toEqual(['[s1] Request started', { query_length: 7 }]);
    expect([last?.level, last?.logger, last?.message]).toEqual(['INFO', 'svc', '[s1] Request completed']);
    expect(last?.fields).toEqual({
      duration_ms: 1900,
      status: 'success',
      provider: 'embedded',
      phases: { connecting: 250, verdict: 150 },
    });
    expect(last?.scope?.phase).toBeUndefined();
    expect(signals.lines.filter(({ message }) => message.endsWith('Request completed'))).toHaveLength(1);
  });

  test.each([
    ['error', new TypeError('broken'), 'ERROR'],
    ['cancelled', new DOMException('left', 'AbortError'), 'INFO'],
    ['timeout', new DOMException('slow', 'TimeoutError'), 'WARNING'],
  ])('%s: what is thrown is thrown on', async (outcome, error, level) => {
    const { signals, session } = setUp();
    for (const work of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ])
      await expect(session({ id: 's' }, work)).rejects.toBe(error);
    expect(await counts(signals)).toEqual({ [outcome]: 2 });
    expect(await signals.value('active_sessions')).toBe(0);
    const closing = signals.lines.filter(({ message }) => message === '[s] Request completed');
    expect(closing.map((line) => [line.level, line.fields.status])).toEqual([
      [level, outcome],
      [level, outcome],
    ]);
  });

  test('a session within it waits for its ending, and writes no closing line of its own', async () => {
    const { signals, session } = setUp();
    let inner: Session | undefined;
    await session({ id: 'outer' }, async () => {
      await session({ id: 'inner' }, (running) => {
        inner = running;
      });
      expect(await signals.value('active_sessions')).toBe(2);
      signals.clock.advance(5);
    });
    expect(await inner?.settled).toMatchObject({ outcome: 'success', durationMs: 5 });
    expect(await counts(signals)).toEqual({ success: 2 });
    expect(signals.lines.filter(({ message }) => message.endsWith('Request completed'))).toHaveLength(1);
  });

  test('many at once are kept apart', async () => {
    const { signals, session } = setUp();
    const ids = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const seen = await Promise.all(
      ids.map((id) =>
        session({ id }, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return currentRequest()?.sessionId;
        }),
      ),
    );
    expect(seen).toEqual(ids);
    expect(await counts(signals)).toEqual({ success: 100 });
  });
});

describe('the time limit', () => {
  test('ends work that does not heed its signal, as a timeout, at once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { signals, session } = setUp();
    let held: Session | undefined;
    const running = session({ id: 's', timeoutMs: 1000 }, (given) => {
      held = given;
      return never();
    });
    const outcome = expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    vi.advanceTimersByTime(999);
    expect(held?.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(held?.signal.aborted).toBe(true);
    await outcome;
    expect(await held?.settled).toMatchObject({ outcome: 'timeout' });
    expect(await counts(signals)).toEqual({ timeout: 1 });
    expect(await signals.value('active_sessions')).toBe(0);
  });

  test('leaves no timer behind a session that ended in time, and does not abort it later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { session } = setUp();
    const signal = await session({ id: 's', timeoutMs: 1000 }, ({ signal }) => signal);
    vi.advanceTimersByTime(500); // What the spans' exporter waits for.
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5000);
    expect(signal.aborted).toBe(false);
  });

  test('late failures of work that was given up are nobody else’s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { session } = setUp();
    let fail: ((error: Error) => void) | undefined;
    const running = session({ id: 's', timeoutMs: 10 }, () => new Promise((_, reject) => (fail = reject)));
    vi.advanceTimersByTime(10);
    await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    fail?.(new Error('late')); // An unhandled rejection would fail the run.
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('within an exchange', () => {
  function carried() {
    const hand = createCarrier();
    const request: RequestInHand = { requestId: 'r1', carrier: hand.carrier };
    const run = <T>(work: () => T): T => runInScope({ request, otel: ROOT_CONTEXT }, work);
    return { ...setUp(), ...hand, request, run };
  }

  test('declares its outcome and takes the ending of the exchange', async () => {
    const { signals, session, run, settle, declared, request, carrier } = carried();
    let held: Session | undefined;
    await run(() =>
      session({ id: 's' }, async (running) => {
        held = running;
        await running.phase('p', () => signals.clock.advance(3));
      }),
    );
    expect(declared).toEqual([['success', undefined]]);
    expect(request.sessionId).toBe('s');
    expect(carrier.closing).toEqual({ phases: { p: 3 } });
    expect(await signals.value('active_sessions')).toBe(1);
    settle({ outcome: 'cancelled', errorType: 'client_disconnect', httpStatus: 499, durationMs: 7 });
    expect(await held?.settled).toMatchObject({ outcome: 'cancelled', httpStatus: 499 });
    expect(await counts(signals)).toEqual({ cancelled: 1 });
    expect(await signals.value('active_sessions')).toBe(0);
    expect(await signals.value('request_duration_seconds_sum')).toBe(0.007);
    expect(signals.lines.some(({ message }) => message.includes('Request completed'))).toBe(false);
  });

  test('a client that went away ends it as cancelled, whatever its work throws', async () => {
    const { session, run, controller, declared } = carried();
    const running = run(() =>
      session({ id: 's', timeoutMs: 60_000 }, ({ signal }) => {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new TypeError('torn'))));
      }),
    );
    controller.abort(new DOMException('gone', 'AbortError'));
    await expect(running).rejects.toThrow();
    expect(declared).toEqual([['cancelled', undefined]]);
  });

  test('one that had gone before it began runs, aborted', async () => {
    const { session, run, controller, declared } = carried();
    controller.abort(new DOMException('gone', 'AbortError'));
    let seen: boolean | undefined;
    const running = run(() =>
      session({ id: 's', timeoutMs: 60_000 }, ({ signal }) => {
        seen = signal.aborted;
        return never();
      }),
    );
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect([seen, declared]).toEqual([true, [['cancelled', undefined]]]);
  });

  test('its signal still tells of the client once its own work is done: a stream may outlast it', async () => {
    for (const timeoutMs of [undefined, 60_000]) {
      const { session, run, controller } = carried();
      const signal = await run(() =>
        session({ id: 's', ...(timeoutMs && { timeoutMs }) }, (running) => running.signal),
      );
      controller.abort();
      expect(signal.aborted).toBe(true);
    }
  });
});

test('what remains of the time shrinks with the clock, and is endless without a limit', async () => {
  const { signals, session } = setUp();
  await session({ id: 's1', timeoutMs: 60_000 }, (running) => {
    expect(running.remainingMs()).toBe(60_000);
    signals.clock.advance(59_000);
    expect(running.remainingMs()).toBe(1000);
    signals.clock.advance(5000);
    expect(running.remainingMs()).toBe(0);
  });
  await session({ id: 's2' }, (running) => expect(running.remainingMs()).toBe(Number.POSITIVE_INFINITY));
});

describe('a session of its own', () => {
  test('is one trace: its phases are children of its span, and its lines carry it', async () => {
    const { signals, session } = setUp();
    await session({ id: 'job' }, async (running) => {
      await running.phase('a', () => {});
      await running.phase('b', () => {});
    });
    const spans = signals.ended();
    expect(spans.map(({ name }) => name)).toEqual(['phase a', 'phase b', 'session']);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    const root = spans[2]?.spanContext().spanId;
    expect(spans.slice(0, 2).map((span) => span.parentSpanContext?.spanId)).toEqual([root, root]);
  });

  test('is waited for by a shutdown, and told to end when that runs out of time', async () => {
    const { signals, session } = setUp();
    const running = session({ id: 'job' }, () => never());
    expect(signals.gate.size).toBe(1);
    signals.gate.abortAll();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await signals.gate.whenEmpty();
    expect(await counts(signals)).toMatchObject({ cancelled: 1 });
    expect(signals.lines.at(-1)).toMatchObject({
      message: '[job] Request completed',
      fields: { status: 'cancelled', error_type: 'shutdown' },
    });
  });

  test('a limit that is endless is none, and one beyond what a timer holds is the longest', async () => {
    const { session } = setUp();
    for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 40]) {
      expect(
        await session(
          { id: 's', timeoutMs },
          async () => new Promise((resolve) => setTimeout(() => resolve('done'), 5)),
        ),
      ).toBe('done');
    }
  });
});

test('a session within a session gives its place back', async () => {
  const { signals, session } = setUp();
  await session({ id: 'outer' }, async () => {
    await session({ id: 'inner' }, () => expect(currentRequest()?.sessionId).toBe('inner'));
    expect(currentRequest()?.sessionId).toBe('outer');
  });
  expect(
    signals.lines.filter(({ message }) => message.includes('Request completed')).map(({ message }) => message),
  ).toEqual(['[outer] Request completed']);
});

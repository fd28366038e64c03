import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test, vi } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { type Carrier, runInScope } from '../context.ts';
import { type Breaker, BreakerOpenError, type BreakerOptions, createBreaker } from './breaker.ts';
import { createBreakerRecord } from './breaker-record.ts';

const failure = new Error('down');
const left = new DOMException('left', 'AbortError');
const ok = async (): Promise<string> => 'ok';
const fail = (): Promise<never> => Promise.reject(failure);
const cancel = (): Promise<never> => Promise.reject(left);

function setUp(options: BreakerOptions = { failures: 2, openMs: 1000 }) {
  const signals = createSignals();
  const breaker = createBreaker('llm', signals, options);
  const { advance } = signals.clock;
  const open = async (): Promise<void> => {
    for (let i = 0; i < (options.failures ?? 5); i += 1) await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('open');
  };
  return { signals, breaker, advance, open };
}

/** A call that is settled by hand. */
function held() {
  let settle: { resolve(value: string): void; reject(error: unknown): void } | undefined;
  const call = (): Promise<string> => new Promise((resolve, reject) => (settle = { resolve, reject }));
  return { call, resolve: () => settle?.resolve('ok'), reject: (error: unknown) => settle?.reject(error) };
}

async function calls({ value }: TestSignals): Promise<Record<string, number>> {
  const outcomes = ['success', 'failure', 'timeout', 'rejected', 'cancelled'];
  const rows = outcomes.map(async (outcome) => [
    outcome,
    await value(`circuit_breaker_calls_total{service="llm",outcome="${outcome}"}`),
  ]);
  return Object.fromEntries((await Promise.all(rows)).filter(([, count]) => count !== 0));
}

async function moves({ value }: TestSignals): Promise<(number | undefined)[]> {
  const pairs = [
    ['closed', 'open'],
    ['open', 'half_open'],
    ['half_open', 'closed'],
    ['half_open', 'open'],
  ];
  return Promise.all(
    pairs.map(([from, to]) => value(`circuit_breaker_transitions_total{service="llm",from="${from}",to="${to}"}`)),
  );
}

const state = ({ value }: TestSignals) => value('circuit_breaker_state{service="llm"}');

test('its series exist at 0 from the start', async () => {
  const { signals } = setUp();
  expect(await calls(signals)).toEqual({});
  expect(await moves(signals)).toEqual([0, 0, 0, 0]);
  expect(await state(signals)).toBe(0);
  expect(await signals.value('circuit_breaker_open_seconds_total{service="llm"}')).toBe(0);
});

describe('calls', () => {
  test('pass through, and what they throw is thrown', async () => {
    const { signals, breaker } = setUp({});
    expect(await breaker.run(ok)).toBe('ok');
    await expect(breaker.run(fail)).rejects.toBe(failure);
    await expect(
      breaker.run(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    await expect(breaker.run(() => Promise.reject(undefined))).rejects.toBeUndefined();
    expect(await calls(signals)).toEqual({ success: 1, failure: 3 });
  });

  test('failures in a row open it; a success between them starts the count again', async () => {
    const { signals, breaker } = setUp();
    for (const call of [fail, ok, fail]) await breaker.run(call).catch(() => {});
    expect(breaker.state).toBe('closed');
    await breaker.run(fail).catch(() => {});
    expect([breaker.state, await state(signals), await moves(signals)]).toEqual(['open', 1, [1, 0, 0, 0]]);
    expect(signals.lines.at(-1)).toMatchObject({
      level: 'WARNING',
      logger: 'breaker',
      message: 'Circuit breaker llm: closed -> open',
      fields: { breaker: 'llm', from: 'closed', to: 'open' },
    });
  });

  test('are rejected while it is open, without being made', async () => {
    const { signals, breaker, advance, open } = setUp();
    await open();
    const call = vi.fn(ok);
    advance(999);
    const rejected = breaker.run(call);
    await expect(rejected).rejects.toBeInstanceOf(BreakerOpenError);
    await expect(rejected).rejects.toMatchObject({ code: 'breaker_open', service: 'llm' });
    await expect(
      breaker
        .stream(async function* () {
          yield 1;
        })
        .next(),
    ).rejects.toBeInstanceOf(BreakerOpenError);
    expect(call).not.toHaveBeenCalled();
    expect(await calls(signals)).toEqual({ failure: 2, rejected: 2 });
  });

  test('that were cancelled are no failures', async () => {
    const { signals, breaker } = setUp();
    for (let i = 0; i < 10; i += 1) await breaker.run(cancel).catch(() => {});
    expect(breaker.state).toBe('closed');
    for (const call of [fail, cancel, fail]) await breaker.run(call).catch(() => {});
    expect(breaker.state).toBe('open');
    expect(await calls(signals)).toEqual({ cancelled: 11, failure: 2 });
  });

  test('that ran out of time are failures, told as timeouts', async () => {
    const { signals, breaker } = setUp();
    const slow = new DOMException('slow', 'TimeoutError');
    for (let i = 0; i < 2; i += 1) await expect(breaker.run(() => Promise.reject(slow))).rejects.toBe(slow);
    expect(breaker.state).toBe('open');
    expect(await calls(signals)).toEqual({ timeout: 2 });
  });

  test('the signal in hand tells what an error means, and the closing line what became of the breaker', async () => {
    const { signals, breaker } = setUp();
    const carrier: Carrier = { signal: AbortSignal.abort(), closing: {}, declare() {}, whenSettled() {} };
    await runInScope({ request: { requestId: 'r', carrier }, otel: ROOT_CONTEXT }, () =>
      breaker.run(fail).catch(() => {}),
    );
    expect(await calls(signals)).toEqual({ cancelled: 1 });
    expect(carrier.closing).toEqual({ breakers: { llm: 'closed' } });
  });
});

describe('the probe', () => {
  test('closes it again', async () => {
    const { signals, breaker, advance, open } = setUp();
    await open();
    advance(1000);
    const probe = held();
    const running = breaker.run(probe.call);
    expect([breaker.state, await state(signals)]).toEqual(['half_open', 2]);
    await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
    probe.resolve();
    expect(await running).toBe('ok');
    expect([breaker.state, await state(signals), await moves(signals)]).toEqual(['closed', 0, [1, 1, 1, 0]]);
    expect(await breaker.run(ok)).toBe('ok');
    expect(await calls(signals)).toEqual({ failure: 2, rejected: 1, success: 2 });
  });

  test('that fails opens it for the whole time again', async () => {
    const { signals, breaker, advance, open } = setUp();
    await open();
    for (let round = 1; round <= 3; round += 1) {
      advance(1000);
      await expect(breaker.run(fail)).rejects.toBe(failure);
      expect([breaker.state, await moves(signals)]).toEqual(['open', [1, round, 0, round]]);
      advance(999);
      await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
    }
  });

  test('that was cancelled proves nothing: the next call probes at once', async () => {
    const { signals, breaker, advance, open } = setUp();
    await open();
    advance(1000);
    for (let i = 0; i < 3; i += 1) {
      await expect(breaker.run(cancel)).rejects.toBe(left);
      expect(breaker.state).toBe('open');
    }
    await expect(breaker.run(fail)).rejects.toBe(failure);
    await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
    advance(1000);
    await expect(breaker.run(cancel)).rejects.toBe(left);
    expect(await breaker.run(ok)).toBe('ok');
    expect(breaker.state).toBe('closed');
    expect(await calls(signals)).toEqual({ failure: 3, cancelled: 4, rejected: 1, success: 1 });
  });

  test('is not taken by a call that was rejected while another one probed', async () => {
    const { breaker, advance, open } = setUp();
    await open();
    advance(1000);
    const probe = held();
    const running = breaker.run(probe.call);
    await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
    probe.reject(left);
    await expect(running).rejects.toBe(left);
    expect(await breaker.run(ok)).toBe('ok');
    expect(breaker.state).toBe('closed');
  });

  test('is not settled by calls that were let in before the breaker opened', async () => {
    const { signals, breaker, advance, open } = setUp();
    const [late, later] = [held(), held()];
    const early = [breaker.run(late.call), breaker.run(later.call)];
    await open();
    advance(1000);
    const probe = held();
    const running = breaker.run(probe.call);
    later.reject(failure);
    late.resolve();
    await Promise.allSettled(early);
    expect(breaker.state).toBe('half_open');
    probe.resolve();
    await running;
    expect([breaker.state, await calls(signals)]).toEqual(['closed', { failure: 3, success: 2 }]);
  });

  test('once closed, it takes as many failures as at first to open it', async () => {
    const { breaker, advance, open } = setUp();
    await open();
    advance(1000);
    await breaker.run(ok);
    await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('closed');
    await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('open');
  });
});

describe('streamed calls', () => {
  async function* items(count: number, error?: unknown): AsyncGenerator<number> {
    for (let i = 0; i < count; i += 1) yield i;
    if (error !== undefined) throw error;
  }
  const read = async (breaker: Breaker, source: AsyncIterable<number>, most = Number.POSITIVE_INFINITY) => {
    const seen: number[] = [];
    for await (const item of breaker.stream(() => source)) {
      seen.push(item);
      if (seen.length >= most) break;
    }
    return seen;
  };

  test('settle at their end, not at their first item', async () => {
    const { signals, breaker, advance, open } = setUp();
    await open();
    advance(1000);
    const stream = breaker.stream(() => items(2));
    expect(await stream.next()).toEqual({ done: false, value: 0 });
    expect(breaker.state).toBe('half_open');
    expect(await calls(signals)).toEqual({ failure: 2 });
    await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
    expect([await stream.next(), await stream.next()]).toEqual([
      { done: false, value: 1 },
      { done: true, value: undefined },
    ]);
    expect(breaker.state).toBe('closed');
    expect(await calls(signals)).toEqual({ failure: 2, rejected: 1, success: 1 });
  });

  test('that fail half-way are failures', async () => {
    const { signals, breaker } = setUp();
    for (let i = 0; i < 2; i += 1) await expect(read(breaker, items(3, failure))).rejects.toBe(failure);
    expect(breaker.state).toBe('open');
    expect(await calls(signals)).toEqual({ failure: 2 });
  });

  test('that cannot be opened are failures', async () => {
    const { signals, breaker } = setUp();
    const broken = (): AsyncIterable<number> => {
      throw failure;
    };
    await expect(breaker.stream(broken).next()).rejects.toBe(failure);
    expect(await calls(signals)).toEqual({ failure: 1 });
  });

  test('whose reader leaves are cancelled, and their source is closed', async () => {
    const { signals, breaker } = setUp();
    let closed = 0;
    const source = async function* (): AsyncGenerator<number> {
      try {
        yield* items(5);
      } finally {
        closed += 1;
      }
    };
    for (let i = 0; i < 5; i += 1) expect(await read(breaker, source(), 2)).toEqual([0, 1]);
    expect([closed, breaker.state]).toEqual([5, 'closed']);
    expect(await calls(signals)).toEqual({ cancelled: 5 });
  });

  test('that are never read are no calls', async () => {
    const { signals, breaker } = setUp();
    const stream = breaker.stream(() => items(1));
    await stream.return(undefined);
    expect(await calls(signals)).toEqual({});
  });
});

test('the time it was open is counted by the clock, at each scrape and when it ends', async () => {
  const { signals, breaker, advance, open } = setUp();
  const seconds = () => signals.value('circuit_breaker_open_seconds_total{service="llm"}');
  advance(5000);
  expect(await seconds()).toBe(0);
  await open();
  advance(400);
  expect(await seconds()).toBeCloseTo(0.4);
  advance(600);
  const probe = held();
  const running = breaker.run(probe.call);
  advance(250); // half open is not open
  expect(await seconds()).toBeCloseTo(1);
  probe.reject(failure);
  await running.catch(() => {});
  advance(100);
  expect(await seconds()).toBeCloseTo(1.1);
});

test("a user's own breaker is told by its states", async () => {
  const signals = createSignals();
  const record = createBreakerRecord('llm', signals);
  record.moved('closed');
  record.moved('open');
  record.moved('open');
  signals.clock.advance(2000);
  record.moved('half_open');
  record.moved('closed');
  record.moved('half_open');
  expect(record.state).toBe('half_open');
  expect(await moves(signals)).toEqual([1, 1, 1, 0]);
  expect(await state(signals)).toBe(2);
  expect(await signals.value('circuit_breaker_open_seconds_total{service="llm"}')).toBe(2);
});

test('unless told otherwise 5 failures open it for 30 seconds', async () => {
  const { breaker, advance, open } = setUp({});
  await open();
  advance(29_999);
  await expect(breaker.run(ok)).rejects.toBeInstanceOf(BreakerOpenError);
  advance(1);
  expect(await breaker.run(ok)).toBe('ok');
});

describe('spans', () => {
  const told = (signals: TestSignals) =>
    signals
      .ended()
      .map(({ name, attributes }) => [
        name,
        attributes['binnacle.breaker.state'],
        attributes['binnacle.breaker.outcome'],
        attributes['error.type'],
      ]);

  test('each call has one, with the state that it met; a refused one too', async () => {
    const { signals, breaker, open } = setUp({ failures: 1, openMs: 1000 });
    await breaker.run(ok);
    await breaker.run(cancel).catch(() => {});
    await open();
    await breaker.run(ok).catch(() => {});
    expect(told(signals)).toEqual([
      ['breaker llm', 'closed', 'success', undefined],
      ['breaker llm', 'closed', 'cancelled', 'cancelled'],
      ['breaker llm', 'closed', 'failure', 'Error'],
      ['breaker llm', 'open', 'rejected', 'breaker_open'],
    ]);
    expect(signals.ended().map(({ status }) => status.code)).toEqual([0, 0, 2, 2]);
  });

  test('what a call starts is its child, in every step of a stream too', async () => {
    const { signals, breaker } = setUp();
    const inside = (name: string): void => signals.tracer.startSpan(name).end();
    await breaker.run(async () => {
      await null;
      inside('call');
    });
    const stream = breaker.stream(async function* () {
      for (const name of ['first', 'second']) {
        inside(name);
        yield name;
      }
    });
    for await (const _ of stream) inside('reader');
    const spans = signals.ended();
    const idOf = (n: number): string | undefined =>
      spans.filter(({ name }) => name === 'breaker llm')[n]?.spanContext().spanId;
    const parents = Object.fromEntries(spans.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId]));
    expect(parents).toMatchObject({ call: idOf(0), first: idOf(1), second: idOf(1), reader: undefined });
  });
});

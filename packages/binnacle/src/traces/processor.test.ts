import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test } from 'vitest';
import { currentRequest, currentScope, runInScope } from '../context.ts';
import type { BatchSettings } from '../settings-otel.ts';
import type { Arrival } from './delivery.ts';
import { type BatchProcessor, createBatchProcessor } from './processor.ts';
import { SPAN_BOUNDS, SpanQueue } from './span-queue.ts';
import { createHandTimer, createMemoryRecorder, finishedSpan, settled } from './testing-spans.test-helper.ts';

const batch: BatchSettings = {
  scheduledDelayMs: 5000,
  exportTimeoutMs: 30_000,
  maxQueueSize: 10,
  maxExportBatchSize: 4,
};

function setUp(overrides: Partial<BatchSettings> = {}, answer: 'at once' | 'by hand' = 'at once') {
  const timer = createHandTimer();
  const recorder = createMemoryRecorder();
  const sent: string[][] = [];
  const waiting: ((arrival: Arrival) => void)[] = [];
  const state = { mostAtOnce: 0, aborted: 0 };
  const processor: BatchProcessor = createBatchProcessor({
    batch: { ...batch, ...overrides },
    store: new SpanQueue({ ...batch, ...overrides }),
    recorder,
    setTimer: timer.setTimer,
    deliver(spans) {
      sent.push(spans.map(({ name }) => name));
      if (answer === 'at once') return Promise.resolve({ arrived: true });
      return new Promise((resolve) => {
        waiting.push(resolve);
        state.mostAtOnce = Math.max(state.mostAtOnce, waiting.length);
      });
    },
    drop: (count) => recorder.result('dropped', count),
    abort() {
      state.aborted += 1;
      waiting.shift()?.({ arrived: false });
    },
  });
  const end = (count: number, from = 0): void => {
    for (let i = from; i < from + count; i++) processor.onEnd(finishedSpan(`s${i}`));
  };
  const reply = async (arrived: boolean, retryAfterMs?: number): Promise<void> => {
    waiting.shift()?.({ arrived, retryAfterMs });
    await settled();
  };
  return { timer, recorder, sent, state, processor, end, reply };
}

describe('when batches leave', () => {
  test('a part of one after the delay, a full one at once', async () => {
    const { timer, sent, end } = setUp();
    end(2);
    await timer.advance(4999);
    expect(sent).toEqual([]);
    await timer.advance(1);
    expect(sent).toEqual([['s0', 's1']]);
    end(4, 2);
    await timer.advance(0);
    expect(sent).toEqual([
      ['s0', 's1'],
      ['s2', 's3', 's4', 's5'],
    ]);
  });

  test('not while the span ends', () => {
    const { sent, end } = setUp();
    end(4);
    expect(sent).toEqual([]);
  });

  test('unsampled spans are not taken', async () => {
    const { timer, sent, processor } = setUp();
    processor.onEnd(finishedSpan('x', TraceFlags.NONE));
    await timer.advance(60_000);
    expect(sent).toEqual([]);
  });

  test('one at a time, at a flush too', async () => {
    const { sent, state, processor, end, reply } = setUp({}, 'by hand');
    end(10);
    const flushed = Promise.all([processor.forceFlush(), processor.forceFlush()]);
    for (let i = 0; i < 3; i++) {
      await settled();
      expect(sent).toHaveLength(i + 1);
      await reply(true);
    }
    await flushed;
    expect(sent.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(state.mostAtOnce).toBe(1);
  });

  test('a flush does not wait for spans that end during it', async () => {
    const { sent, processor, end, reply } = setUp({}, 'by hand');
    end(4);
    const flushed = processor.forceFlush();
    await settled();
    end(4, 4);
    await reply(true);
    await flushed;
    expect(sent).toHaveLength(1);
  });

  test('outside of the request that ended the span', async () => {
    let seen: unknown = 'nothing';
    const timer = createHandTimer();
    const processor = createBatchProcessor({
      batch,
      store: new SpanQueue(batch),
      recorder: createMemoryRecorder(),
      setTimer(run, ms) {
        seen = currentRequest();
        return timer.setTimer(run, ms);
      },
      deliver: async () => ({ arrived: true }),
      drop() {},
      abort() {},
    });
    runInScope({ request: { requestId: 'r1' }, otel: currentScope()?.otel as never }, () =>
      processor.onEnd(finishedSpan('x')),
    );
    expect(seen).toBeUndefined();
  });
});

describe('the bound', () => {
  test('drops and counts the newest, spans under way included', async () => {
    const { timer, recorder, sent, end, reply } = setUp({}, 'by hand');
    end(4);
    await timer.advance(0);
    end(8, 4);
    expect(recorder.counts.dropped).toBe(2);
    expect(recorder.sizes.at(-1)).toBe(10);
    await reply(true);
    end(1, 20);
    await timer.advance(0);
    expect(recorder.counts.dropped).toBe(2);
    expect(sent[1]).toEqual(['s4', 's5', 's6', 's7']);
  });

  test('holds for bytes too: past it spans are dropped and counted, and there is room again once they have left', async () => {
    const { timer, recorder, sent, end, processor, reply } = setUp(
      { maxQueueSize: 1000, maxExportBatchSize: 1000 },
      'by hand',
    );
    const large = finishedSpan('large', TraceFlags.SAMPLED, { attributes: { text: 'x'.repeat(900_000) } });
    for (let i = 0; i < 30; i++) processor.onEnd(large);
    const kept = Math.floor(SPAN_BOUNDS.queue / 900_300);
    expect(recorder.counts.dropped).toBe(30 - kept);
    expect(recorder.sizes.at(-1)).toBe(kept);
    // Full by bytes long before it is by count: it leaves without waiting for the delay, in several exports.
    const perBatch = Math.floor(SPAN_BOUNDS.batch / 900_300);
    await timer.advance(0);
    expect(sent.map(({ length }) => length)).toEqual([perBatch]);
    await reply(true);
    await timer.advance(0);
    expect(sent.map(({ length }) => length)).toEqual([perBatch, perBatch]);
    end(3);
    expect(recorder.counts.dropped).toBe(30 - kept);
  });

  test('takes no span that is too large by itself, whatever it is made of', () => {
    const { recorder, processor } = setUp();
    const event = { name: 'x'.repeat(600), time: [0, 0] as [number, number] };
    const tooLarge: Partial<ReadableSpan>[] = [
      { attributes: { text: 'x'.repeat(1_100_000) } },
      { attributes: { list: new Array<number>(200_000).fill(7) } },
      { attributes: { list: new Array<string>(100_000).fill('x') } },
      { events: new Array(2000).fill(event) },
    ];
    for (const overrides of tooLarge) processor.onEnd(finishedSpan('x', TraceFlags.SAMPLED, overrides));
    expect(recorder.counts.dropped).toBe(tooLarge.length);
    expect(recorder.sizes).toEqual([]);
  });

  test('the size is told as it changes, down to 0', async () => {
    const { recorder, processor, end } = setUp();
    end(3);
    await processor.forceFlush();
    expect(recorder.sizes).toEqual([1, 2, 3, 0]);
  });
});

describe('after a failed export', () => {
  test.each([
    [5000, 5000],
    [0, 1000],
  ])('with a delay of %d ms not even a full batch leaves for %d ms', async (scheduledDelayMs, pauseMs) => {
    const { timer, sent, end, reply } = setUp({ scheduledDelayMs }, 'by hand');
    end(8);
    await timer.advance(0);
    await reply(false);
    end(2, 8);
    await timer.advance(pauseMs - 1);
    expect(sent).toHaveLength(1);
    await timer.advance(1);
    expect(sent).toHaveLength(2);
  });

  test('nothing leaves before the endpoint wants it to', async () => {
    const { timer, sent, end, reply } = setUp({}, 'by hand');
    end(8);
    await timer.advance(0);
    await reply(false, 60_000);
    await timer.advance(59_999);
    expect(sent).toHaveLength(1);
    await timer.advance(1);
    expect(sent).toHaveLength(2);
  });

  test('a flush stops, what is queued stays', async () => {
    const { sent, recorder, processor, end, reply } = setUp({}, 'by hand');
    end(8);
    const flushed = processor.forceFlush();
    await settled();
    await reply(false);
    await flushed;
    expect(sent).toHaveLength(1);
    expect(recorder.sizes.at(-1)).toBe(4);
  });
});

describe('close', () => {
  let closing: Promise<void> | undefined;
  afterEach(() => closing);

  test('sends what is queued, then takes nothing', async () => {
    const { timer, sent, recorder, processor, end } = setUp();
    end(6);
    closing = processor.close(1000);
    await closing;
    expect(sent.map(({ length }) => length)).toEqual([4, 2]);
    end(1);
    expect(recorder.counts.dropped).toBe(1);
    expect(timer.pending).toEqual([]);
  });

  test('cuts what does not end in time, drops and counts the rest', async () => {
    const { timer, recorder, state, processor, end } = setUp({}, 'by hand');
    end(9);
    let closed = false;
    closing = processor.close(1000).then(() => {
      closed = true;
    });
    await timer.advance(999);
    expect(closed).toBe(false);
    await timer.advance(1);
    await closing;
    expect(state.aborted).toBe(1);
    expect(recorder.counts.dropped).toBe(5);
    expect(recorder.sizes.at(-1)).toBe(0);
    expect(timer.pending).toEqual([]);
  });

  test('twice is once; shutdown is the same', async () => {
    const { state, processor, end } = setUp();
    end(1);
    closing = processor.close(1000);
    await Promise.all([closing, processor.close(5), processor.shutdown()]);
    expect(state.aborted).toBe(1);
  });
});

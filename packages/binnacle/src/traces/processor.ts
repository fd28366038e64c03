/** Finished spans, batched and bounded, on their way to an exporter. */
import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { BatchSettings } from '../settings-otel.ts';
import type { Arrival } from './delivery.ts';
import { runOutside } from './outside.ts';
import type { SpanStore } from './span-queue.ts';
import { holdProcess, type SetTimer, setUnrefTimer } from './timer.ts';

/** What is told of the spans. */
export interface SpanRecorder {
  result(kind: 'exported' | 'dropped' | 'failed' | 'kept', count: number): void;
  /** Spans waiting, those under way included. */
  queue(size: number): void;
  /** Whether the last export succeeded. */
  up(ok: boolean): void;
}

export interface BatchProcessorOptions<B> {
  readonly batch: BatchSettings;
  readonly recorder: SpanRecorder;
  /** Where spans wait, and what a batch of them is. */
  readonly store: SpanStore<B>;
  /** Sends one batch and counts it; never rejects. One call at a time. */
  deliver(batch: B): Promise<Arrival>;
  /** Called before all is sent: puts what has ended into the store. */
  readonly settle?: (() => void) | undefined;
  /** Counts spans that are not sent at all. */
  drop(count: number): void;
  /** Ends the delivery under way at once. */
  abort(): void;
  readonly setTimer?: SetTimer;
}

export interface BatchProcessor extends SpanProcessor {
  /** A span was put into the store by another way than `onEnd`, or found no room there (`false`), and is counted. */
  added(stored: boolean): void;
  /** Sends what is queued in at most `timeoutMs`, drops and counts the rest. Always resolves. Later spans are dropped. */
  close(timeoutMs: number): Promise<void>;
}

/** The least pause after a failed export, in milliseconds, whatever `OTEL_BSP_SCHEDULE_DELAY` says. */
const LEAST_PAUSE_MS = 1000;

/**
 * A batch span processor with the settings of `OTEL_BSP_*`
 * (https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor): a full batch leaves at once, any other
 * after the delay, one export at a time; past `maxQueueSize`, or past `SPAN_BOUNDS`, the newest spans are dropped and
 * counted.
 *
 * Why not the SDK's: it bounds no bytes, counts its drops privately, leaves spans under way out of its bound, holds a timer of up to
 * 30 s that keeps the process alive, and at a flush sends all batches at once.
 */
export function createBatchProcessor<B>(options: BatchProcessorOptions<B>): BatchProcessor {
  const { settle = () => {} } = options;
  const queue = new BatchQueue(options);
  const close = (timeoutMs: number): Promise<void> => {
    settle();
    return queue.close(timeoutMs);
  };
  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) queue.add(span);
    },
    added: (stored) => queue.added(stored),
    forceFlush() {
      settle();
      return holdProcess(queue.flush());
    },
    shutdown: () => close(options.batch.exportTimeoutMs),
    close,
  };
}

class BatchQueue<B> {
  readonly #options: BatchProcessorOptions<B>;
  readonly #setTimer: SetTimer;
  readonly #spans: SpanStore<B>;
  #sending: Promise<Arrival> | undefined;
  #timer: { readonly kind: 'full' | 'delay' | 'pause'; readonly cancel: () => void } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BatchProcessorOptions<B>) {
    this.#options = options;
    this.#spans = options.store;
    this.#setTimer = options.setTimer ?? setUnrefTimer;
  }

  add(span: ReadableSpan): void {
    this.added(this.#closing === undefined && this.#spans.add(span));
  }

  added(stored: boolean): void {
    if (!stored) {
      this.#options.drop(1);
      return;
    }
    this.#tellSize();
    this.#schedule();
  }

  /** Sends what is queued now, batch by batch; stops at the first that fails. Never rejects. */
  async flush(): Promise<void> {
    let owed = this.#spans.waiting;
    while (this.#sending !== undefined) await this.#sending;
    while (owed > 0 && this.#spans.waiting > 0) {
      if (this.#sending !== undefined) {
        await this.#sending;
        continue;
      }
      const before = this.#spans.waiting;
      const sending = this.#send();
      owed -= before - this.#spans.waiting;
      if (!(await sending).arrived) return;
    }
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= holdProcess(this.#close(timeoutMs));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    let cancel = (): void => {};
    const outOfTime = new Promise<void>((resolve) => {
      cancel = this.#setTimer(resolve, timeoutMs);
    });
    await Promise.race([this.flush(), outOfTime]);
    cancel();
    this.#unschedule();
    this.#options.abort();
    await this.#sending;
    const rest = this.#spans.clear();
    if (rest > 0) this.#options.drop(rest);
    this.#tellSize();
  }

  #schedule(): void {
    if (this.#sending !== undefined || this.#spans.waiting === 0 || this.#closing !== undefined) return;
    if (!this.#spans.hasFullBatch) this.#arm('delay', this.#options.batch.scheduledDelayMs);
    // By a timer even then: building the request is not the work of whoever happened to end the last span.
    else if (this.#timer?.kind !== 'pause') this.#arm('full', 0);
  }

  #arm(kind: 'full' | 'delay' | 'pause', ms: number): void {
    if (this.#timer !== undefined && (kind !== 'full' || this.#timer.kind === 'full')) return;
    this.#timer?.cancel();
    this.#startTimer(kind, ms);
  }

  #startTimer(kind: 'full' | 'delay' | 'pause', ms: number): void {
    const fire = (): void => {
      this.#timer = undefined;
      if (this.#sending === undefined && this.#spans.waiting > 0) void this.#send();
    };
    // Outside of the request that ended the span: the timer would hold it, and the export would run within it.
    this.#timer = { kind, cancel: runOutside(() => this.#setTimer(fire, ms)) };
  }

  #unschedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #send(): Promise<Arrival> {
    this.#unschedule();
    this.#sending = this.#options.deliver(this.#spans.take()).then((arrival) => {
      this.#spans.settle();
      this.#sending = undefined;
      this.#tellSize();
      if (!arrival.arrived) this.#pause(arrival.retryAfterMs ?? 0);
      this.#schedule();
      return arrival;
    });
    return this.#sending;
  }

  /**
   * After a failure not even a full batch leaves at once: an endpoint that refuses would be asked in a hot loop, and
   * one that says when to come again means the next batch too.
   */
  #pause(retryAfterMs: number): void {
    if (this.#closing !== undefined) return;
    this.#arm('pause', Math.max(this.#options.batch.scheduledDelayMs, LEAST_PAUSE_MS, retryAfterMs));
  }

  #tellSize(): void {
    this.#options.recorder.queue(this.#spans.size);
  }
}

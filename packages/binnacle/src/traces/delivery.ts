/** Each batch to the exporter, with a deadline; tells counts and outages. */
import { ExportResultCode } from '@opentelemetry/core';
import type { Faults } from '../faults.ts';
import { ExportError } from './cause.ts';
import { createLosses } from './losses.ts';
import { runOutside } from './outside.ts';
import type { PartialResult, PartialSuccess } from './partial-success.ts';
import type { SpanRecorder } from './processor.ts';
import { type SetTimer, setUnrefTimer } from './timer.ts';

/** What takes batches of a kind: the SDK's exporters take spans. */
export interface BatchExporter<B> {
  export(batch: B, done: (result: PartialResult) => void): void;
  shutdown(): Promise<void>;
}

export interface DeliveryOptions<B> {
  readonly exporter: BatchExporter<B>;
  /** Where spans go, as it may be printed; absent where there is no address. */
  readonly endpoint: string | undefined;
  /** The most that one batch may take, in milliseconds, above 0. */
  readonly timeoutMs: number;
  readonly faults: Faults;
  readonly recorder: SpanRecorder;
  readonly setTimer?: SetTimer;
}

/** How the delivery of one batch ended. */
export interface Arrival {
  readonly arrived: boolean;
  /** Milliseconds for which the endpoint asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

export interface Delivery<B> {
  /** Sends one batch, and counts it, within the deadline. Never rejects. */
  deliver(batch: B): Promise<Arrival>;
  /** Counts spans that are not sent at all. */
  drop(count: number): void;
  /** Ends the delivery under way at once, and the exporter. */
  abort(): void;
}

/** What became of an export: an error, or success with what was not taken. */
type Settle = (error: unknown, partial?: PartialSuccess) => void;

/** Delivers batches to an exporter. An outage is one WARNING of the logger `otel`, its end another. */
export function createDelivery<B extends { readonly length: number }>(options: DeliveryOptions<B>): Delivery<B> {
  const { exporter, timeoutMs, setTimer = setUnrefTimer } = options;
  const losses = createLosses(options);
  let fail: Settle | undefined;

  const deliver = (batch: B): Promise<Arrival> =>
    new Promise((resolve) => {
      const count = batch.length;
      let settled = false;
      let cancel = (): void => {};
      const settle: Settle = (error, partial) => {
        if (settled) return;
        settled = true;
        cancel();
        fail = undefined;
        if (error === undefined) losses.arrived(count, partial);
        else losses.failed(count, error);
        const retryAfterMs = error instanceof ExportError ? error.retryAfterMs : undefined;
        resolve({ arrived: error === undefined, retryAfterMs });
      };
      fail = settle;
      try {
        exporter.export(batch, ({ code, error, partial }: PartialResult) => {
          if (code === ExportResultCode.SUCCESS) settle(undefined, partial);
          else settle(error ?? new ExportError('error'));
        });
      } catch (error) {
        settle(error ?? new ExportError('error'));
      }
      // After the exporter's own timer, which knows why: of two for the same time the first set rings first.
      if (!settled) cancel = setTimer(() => settle(new ExportError('timeout')), timeoutMs);
    });

  return {
    deliver: (batch) => runOutside(() => deliver(batch)),
    drop: losses.dropped,
    abort() {
      runOutside(() => {
        // What an exporter still has to close is its own affair: nothing waits for it.
        Promise.resolve()
          .then(() => exporter.shutdown())
          .catch(() => {});
        // It may tell why the export under way fails; one that does not is not waited for.
        setImmediate(() => fail?.(new ExportError('timeout')));
      });
    },
  };
}

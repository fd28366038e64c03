/** Each batch to the exporter, with a deadline; tells counts and outages. */
import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Faults } from '../faults.ts';
import { describeCause, ExportError } from './cause.ts';
import { runOutside } from './outside.ts';
import type { SpanRecorder } from './processor.ts';
import { type SetTimer, setUnrefTimer } from './timer.ts';

export interface DeliveryOptions {
  readonly exporter: SpanExporter;
  /** Where spans go, as it may be printed; absent where there is no address. */
  readonly endpoint: string | undefined;
  /** The most that one batch may take, in milliseconds, above 0. */
  readonly timeoutMs: number;
  readonly faults: Faults;
  readonly recorder: SpanRecorder;
  readonly setTimer?: SetTimer;
}

export interface Delivery {
  /** Sends one batch; resolves to whether it arrived, within the deadline. Never rejects. */
  deliver(spans: ReadableSpan[]): Promise<boolean>;
  /** Ends the delivery under way at once, and the exporter. */
  abort(): void;
}

/** Delivers batches to an exporter. An outage is one WARNING of the logger `otel`, its end one INFO. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { exporter, recorder, timeoutMs, setTimer = setUnrefTimer } = options;
  const where = options.endpoint === undefined ? '' : ` to ${options.endpoint}`;
  const outage = options.faults.outage('otel');
  let fail: ((error: unknown) => void) | undefined;

  const tell = (count: number, error: unknown): void => {
    const arrived = error === undefined;
    recorder.result(arrived ? 'exported' : 'failed', count);
    recorder.up(arrived);
    if (arrived) {
      outage.up(`Spans are exported${where} again`);
      return;
    }
    const cause = describeCause(error);
    const fields = options.endpoint === undefined ? { cause } : { endpoint: options.endpoint, cause };
    outage.down(`Spans cannot be exported${where}: ${cause}`, fields);
  };
  const deliver = (spans: ReadableSpan[]): Promise<boolean> =>
    new Promise((resolve) => {
      let settled = false;
      const settle = (error?: unknown): void => {
        if (settled) return;
        settled = true;
        cancel();
        fail = undefined;
        tell(spans.length, error);
        resolve(error === undefined);
      };
      const cancel = setTimer(() => settle(new ExportError('timeout')), timeoutMs);
      fail = settle;
      try {
        exporter.export(spans, ({ code, error }) =>
          settle(code === ExportResultCode.SUCCESS ? undefined : (error ?? new ExportError('error'))),
        );
      } catch (error) {
        settle(error ?? new ExportError('error'));
      }
    });

  return {
    deliver: (spans) => runOutside(() => deliver(spans)),
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

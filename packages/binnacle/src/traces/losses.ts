/** What becomes of spans, counted; and the lines of an outage, with what it cost. */
import type { Faults } from '../faults.ts';
import { describeCause } from './cause.ts';
import type { PartialSuccess } from './partial-success.ts';
import type { SpanRecorder } from './processor.ts';

export interface LossesOptions {
  readonly endpoint: string | undefined;
  readonly faults: Faults;
  readonly recorder: SpanRecorder;
}

export interface Losses {
  /** A batch that was taken, except for what `partial` says. */
  arrived(count: number, partial?: PartialSuccess): void;
  /** A batch that was not taken. */
  failed(count: number, error: unknown): void;
  /** Spans that were never sent. */
  dropped(count: number): void;
}

/**
 * Counts each span once. An outage is one WARNING when it begins and one when it ends; so is a time in which the
 * endpoint answers and takes only some spans.
 */
export function createLosses({ endpoint, faults, recorder }: LossesOptions): Losses {
  const where = endpoint === undefined ? '' : ` to ${endpoint}`;
  const address = endpoint === undefined ? {} : { endpoint };
  const outage = faults.outage('otel');
  const rejection = faults.outage('otel');
  // Since the last batch that arrived: a queue fills while the first export of an outage still waits for its answer.
  let lost = 0;
  let refused = 0;

  const tellRejected = (count: number, { rejected, message }: PartialSuccess): void => {
    const reason = message === '' ? {} : { reason: message };
    if (rejected === 0) {
      faults.once(`otlp-advice${where}`, 'otel', `Spans are exported${where}, which has advice`, {
        ...address,
        ...reason,
      });
      return;
    }
    refused += rejected;
    rejection.down(`Spans are exported${where}, which rejects some: ${rejected} of ${count}`, {
      ...address,
      rejected,
      ...reason,
    });
  };
  return {
    arrived(count, partial) {
      const rejected = Math.min(count, partial?.rejected ?? 0);
      if (rejected < count) recorder.result('exported', count - rejected);
      if (rejected > 0) recorder.result('failed', rejected);
      recorder.up(true);
      outage.up(`Spans are exported${where} again; ${lost} were lost`);
      lost = 0;
      if (partial !== undefined) tellRejected(count, { ...partial, rejected });
      if (rejected > 0) return;
      rejection.up(`Spans are exported${where} in full again; ${refused} were rejected`);
      refused = 0;
    },
    failed(count, error) {
      recorder.result('failed', count);
      recorder.up(false);
      lost += count;
      const cause = describeCause(error);
      outage.down(`Spans cannot be exported${where}: ${cause}`, { ...address, cause });
    },
    dropped(count) {
      recorder.result('dropped', count);
      lost += count;
    },
  };
}

/** Spans to an OTLP endpoint over HTTP. */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpSettings } from '../settings-otel.ts';
import { describeCause, ExportError } from './cause.ts';
import { Deadline } from './deadline.ts';
import type { BatchExporter } from './delivery.ts';
import type { PartialResult, PartialSuccess } from './partial-success.ts';
import { createBody, headersOf, partialSuccessOf } from './payload.ts';
import { backoffMs, isRetryableCode, isRetryableStatus, parseRetryAfter } from './retry.ts';
import { type Answer, createSender } from './sender.ts';
import type { SpanBatch } from './span-batch.ts';
import { type ExportClock, realClock } from './timer.ts';

export interface OtlpExporterOptions {
  readonly settings: OtlpSettings;
  readonly clock?: ExportClock;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

/**
 * Sends spans by OTLP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), protobuf or JSON. One export at a time; it
 * ends within `settings.timeoutMs`, retries included. Its result is a `PartialResult`, its error an `ExportError`.
 * `shutdown` cuts the one under way. Nothing is loaded or connected before the first export.
 *
 * Why not the official exporter: it reads `OTEL_EXPORTER_OTLP_*` of the process beneath what it is given, tells neither
 * status nor partial success, and holds timers that keep the process alive.
 */
export function createOtlpExporter(options: OtlpExporterOptions): BatchExporter<ReadableSpan[] | SpanBatch> {
  const { settings, clock = realClock } = options;
  const attempts = new Attempts(options);
  let current: Deadline | undefined;
  let closed = false;

  const exportWithin = async (
    spans: ReadableSpan[] | SpanBatch,
    deadline: Deadline,
  ): Promise<PartialSuccess | undefined> => {
    try {
      return await Promise.race([attempts.send(spans, deadline), deadline.expired]);
    } finally {
      deadline.end();
    }
  };
  return {
    export(spans, done: (result: PartialResult) => void) {
      if (closed) {
        done(failed(new ExportError('closed')));
        return;
      }
      const deadline = new Deadline(settings.timeoutMs, clock, () => attempts.cut());
      current = deadline;
      exportWithin(spans, deadline).then(
        (partial) => done({ code: ExportResultCode.SUCCESS, ...(partial && { partial }) }),
        (error) => done(failed(error)),
      );
    },
    async shutdown() {
      closed = true;
      current?.cutShort();
      attempts.close();
    },
  };
}

function failed(error: unknown): ExportResult {
  const told = error instanceof ExportError ? error : new ExportError(describeCause(error));
  return { code: ExportResultCode.FAILED, error: told };
}

/** Attempts, until one succeeds or there is no use in another. */
class Attempts {
  readonly #settings: OtlpSettings;
  readonly #clock: ExportClock;
  readonly #random: () => number;
  readonly #sender: ReturnType<typeof createSender>;

  constructor({ settings, clock = realClock, random = Math.random }: OtlpExporterOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#sender = createSender(settings.url, headersOf(settings));
  }

  async send(spans: ReadableSpan[] | SpanBatch, deadline: Deadline): Promise<PartialSuccess | undefined> {
    const body = await createBody(spans, this.#settings);
    for (let attempt = 0; !deadline.isOver; attempt++) {
      const answer = await this.#attempt(body, deadline);
      if (!('retryable' in answer)) return await partialSuccessOf(answer, this.#settings);
      const { cause, retryAfterMs } = answer;
      deadline.cause = cause;
      const pauseMs = retryAfterMs ?? backoffMs(attempt, this.#random());
      if (!answer.retryable || !(await deadline.pause(pauseMs))) throw new ExportError(cause, retryAfterMs);
    }
    throw new ExportError(deadline.cause);
  }

  cut(): void {
    this.#sender.cut();
  }

  close(): void {
    this.#sender.close();
  }

  /** Never rejects. */
  async #attempt(body: Uint8Array, deadline: Deadline): Promise<Answer | Refusal> {
    try {
      const onStatus = (status: number): void => {
        if (isSuccess(status)) deadline.settled = true;
        else deadline.cause = `HTTP ${status}`;
      };
      const answer = await this.#sender.post(body, onStatus);
      const { status } = answer;
      if (isSuccess(status)) return answer;
      const retryable = isRetryableStatus(status);
      const retryAfterMs = retryable ? parseRetryAfter(answer.retryAfter, this.#clock.wall()) : undefined;
      return { cause: `HTTP ${status}`, retryable, retryAfterMs };
    } catch (error) {
      const cause = describeCause(error);
      return { cause, retryable: isRetryableCode(cause), retryAfterMs: undefined };
    }
  }
}

interface Refusal {
  readonly cause: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Finished spans that wait to be sent, bounded by count and by bytes. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { estimateSpanBytes } from './span-size.ts';

/** Bounds in estimated bytes (see `estimateSpanBytes`). */
export const SPAN_BOUNDS: { readonly queue: number; readonly batch: number; readonly span: number } = {
  /** Everything that waits, what is under way included. */
  queue: 16 * 1024 * 1024,
  /** One export: collectors refuse requests above some size, 4 MiB being the smallest known limit. */
  batch: 4 * 1024 * 1024,
  /** One span. */
  span: 1024 * 1024,
};

/** How many spans may wait, and go in one batch. */
export interface StoreBounds {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
}

/** Where finished spans wait, and which batches of them are taken. */
export interface SpanStore<B> {
  /** Spans that wait to be taken. */
  readonly waiting: number;
  /** Spans in all, those under way included. */
  readonly size: number;
  /** Bytes of them, estimated where they are not encoded. */
  readonly bytes: number;
  /** Whether as much waits as one batch may take. */
  readonly hasFullBatch: boolean;
  /** False where there is no room for the span, or where it is too large by itself. */
  add(span: ReadableSpan): boolean;
  /** Takes one batch, the oldest spans first; it counts as under way until `settle`. */
  take(): B;
  /** The batch under way has arrived, or is lost. */
  settle(): void;
  /** Empties it of what waits; returns how many spans that were. */
  clear(): number;
}

interface Waiting {
  readonly span: ReadableSpan;
  readonly bytes: number;
}

/** Spans as they are, for exporters that take them so; their bytes are estimated. */
export class SpanQueue implements SpanStore<ReadableSpan[]> {
  readonly #maxSize: number;
  readonly #maxBatchSize: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #underWay = 0;
  #underWayBytes = 0;

  constructor(bounds: StoreBounds) {
    this.#maxSize = bounds.maxQueueSize;
    this.#maxBatchSize = bounds.maxExportBatchSize;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get size(): number {
    return this.#waiting.length + this.#underWay;
  }

  /** Estimated bytes of all spans, those under way included. */
  get bytes(): number {
    return this.#waitingBytes + this.#underWayBytes;
  }

  get hasFullBatch(): boolean {
    return this.#waiting.length >= this.#maxBatchSize || this.#waitingBytes >= SPAN_BOUNDS.batch;
  }

  add(span: ReadableSpan): boolean {
    if (this.size >= this.#maxSize) return false;
    const bytes = estimateSpanBytes(span);
    if (bytes > SPAN_BOUNDS.span || this.bytes + bytes > SPAN_BOUNDS.queue) return false;
    this.#waiting.push({ span, bytes });
    this.#waitingBytes += bytes;
    return true;
  }

  take(): ReadableSpan[] {
    let count = 0;
    let total = 0;
    for (const { bytes } of this.#waiting) {
      if (count === this.#maxBatchSize || total + bytes > SPAN_BOUNDS.batch) break;
      count += 1;
      total += bytes;
    }
    const taken = this.#waiting.splice(0, count);
    this.#waitingBytes -= total;
    this.#underWay = count;
    this.#underWayBytes = total;
    return taken.map(({ span }) => span);
  }

  settle(): void {
    this.#underWay = 0;
    this.#underWayBytes = 0;
  }

  clear(): number {
    const count = this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return count;
  }
}

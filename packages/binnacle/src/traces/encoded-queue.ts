/** Spans that wait to be sent as OTLP's protobuf: encoded when they end, bounded by count and by bytes. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ByteWriter } from './bytes.ts';
import { type Resource, type Scope, SPAN_ROOM, SPANS_FIELD, SpanBatch } from './span-batch.ts';
import { SPAN_BOUNDS, type SpanStore, type StoreBounds } from './span-queue.ts';
import { estimateSpanBytes } from './span-size.ts';
import { createWatchSlot, messageIn, type SpanWatch } from './span-watch.ts';

/** Takes in spans of one scope that are written by hand. */
export interface SpanSlot {
  /** Begins a span of at most so many bytes, whose fields are written next; undefined, and counted, without room. */
  begin(size: number): ByteWriter | undefined;
  end(): void;
  /** Takes back what was begun. */
  cancel(): void;
}

export class EncodedQueue implements SpanStore<SpanBatch> {
  /** Told of each span that is encoded here. */
  readonly watch: SpanWatch | undefined;
  readonly #resource: Resource;
  readonly #maxSize: number;
  readonly #maxBatchSize: number;
  /** Batches that are full, the oldest first. */
  #full: SpanBatch[] = [];
  #open: SpanBatch;
  /** One that was sent, to be filled again. */
  #spare: SpanBatch | undefined;
  #underWay: SpanBatch | undefined;
  #waiting = 0;
  #waitingBytes = 0;

  constructor(resource: Resource, bounds: StoreBounds, watch?: SpanWatch) {
    this.#resource = resource;
    this.watch = watch;
    this.#maxSize = bounds.maxQueueSize;
    this.#maxBatchSize = bounds.maxExportBatchSize;
    this.#open = new SpanBatch(resource);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get size(): number {
    return this.#waiting + (this.#underWay?.length ?? 0);
  }

  get bytes(): number {
    return this.#waitingBytes + (this.#underWay?.bytes ?? 0);
  }

  get hasFullBatch(): boolean {
    return this.#full.length > 0;
  }

  add(span: ReadableSpan): boolean {
    const estimate = estimateSpanBytes(span);
    if (estimate > SPAN_BOUNDS.span) return false;
    const batch = this.open(estimate);
    if (batch === undefined) return false;
    const before = batch.bytes;
    try {
      batch.add(span);
    } catch {
      // What a host's own span says may not be read (a getter that throws): one span is lost, and counted.
      return false;
    }
    const bytes = batch.bytes - before;
    this.added(bytes);
    if (this.watch !== undefined) {
      const scope = span.instrumentationScope;
      const to = batch.of(scope);
      this.watch.encoded(messageIn(to.bytes, to.length - bytes, to.length), scope.name);
    }
    return true;
  }

  /** The batch that a span of about so many bytes may be written to, or undefined where there is no room. */
  open(bytes: number): SpanBatch | undefined {
    if (this.size >= this.#maxSize || this.bytes + bytes > SPAN_BOUNDS.queue) return undefined;
    if (this.#open.length > 0 && this.#open.bytes + bytes > SPAN_BOUNDS.batch) this.#closeOpen();
    return this.#open;
  }

  /** A span of so many bytes was written to the open batch. */
  added(bytes: number): void {
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    if (this.#open.length >= this.#maxBatchSize) this.#closeOpen();
  }

  take(): SpanBatch {
    if (this.#full.length === 0) this.#closeOpen();
    const batch = this.#full.shift() as SpanBatch;
    this.#waiting -= batch.length;
    this.#waitingBytes -= batch.bytes;
    this.#underWay = batch;
    return batch;
  }

  settle(): void {
    this.#spare = this.#underWay;
    this.#spare?.clear();
    this.#underWay = undefined;
  }

  clear(): number {
    const count = this.#waiting;
    this.#full = [];
    this.#open = new SpanBatch(this.#resource);
    this.#waiting = 0;
    this.#waitingBytes = 0;
    return count;
  }

  #closeOpen(): void {
    this.#full.push(this.#open);
    this.#open = this.#spare ?? new SpanBatch(this.#resource);
    this.#spare = undefined;
  }
}

/** `onAdded` is told of each span: that it was stored, or that there was no room for it. */
export function createSlot(queue: EncodedQueue, scope: Scope, onAdded: (stored: boolean) => void): SpanSlot {
  let batch: SpanBatch | undefined;
  let to: ByteWriter | undefined;
  let before = 0;
  let at = 0;
  const { watch } = queue;
  // Who looks on is told of a span that there is no room for, too.
  const aside = watch && createWatchSlot(watch, scope.name);
  return {
    begin(size) {
      batch = queue.open(size);
      to = batch?.of(scope);
      if (to === undefined) {
        onAdded(false);
        return aside?.begin(size);
      }
      before = to.length;
      to.reserve(size);
      at = to.begin(SPANS_FIELD, SPAN_ROOM);
      return to;
    },
    end() {
      if (batch === undefined || to === undefined) {
        aside?.end();
        return;
      }
      to.end(at, SPAN_ROOM);
      const bytes = to.length - before;
      watch?.encoded(messageIn(to.bytes, before, to.length), scope.name);
      batch.added(bytes);
      queue.added(bytes);
      onAdded(true);
    },
    cancel() {
      // One that there was no room for is counted already.
      if (to === undefined) return;
      to.length = before;
      onAdded(false);
    },
  };
}

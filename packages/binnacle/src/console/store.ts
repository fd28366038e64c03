/**
 * All that the console holds: in memory, bounded by count and by bytes for each signal, the oldest making room for the
 * newest. It is written to by whoever has something to tell (the service it runs in, or an OTLP receiver), and read from
 * by its pages, each at its own pace.
 */
import { randomBytes } from 'node:crypto';
import { type MetricsBounds, MetricsHistory } from './metrics-history.ts';
import { type ReadRecord, Ring, type RingBounds } from './ring.ts';
import type { ChunkTimes, HealthMoment, LogRecord, SpanRecord, TelemetryMoment } from './wire.ts';

export interface StoreBounds {
  readonly spans: RingBounds;
  readonly logs: RingBounds;
  readonly metrics: MetricsBounds;
  readonly chunks: RingBounds;
  readonly health: RingBounds;
}

const MiB = 1024 * 1024;

export const STORE_BOUNDS: StoreBounds = {
  spans: { count: 10_000, bytes: 16 * MiB },
  logs: { count: 50_000, bytes: 16 * MiB },
  metrics: { series: 2000, bytes: 16 * MiB },
  chunks: { count: 1000, bytes: 2 * MiB },
  // An hour of rounds.
  health: { count: 720, bytes: 1 * MiB },
};

/** Never throws: what cannot be kept is left out, and counted. */
export interface Store {
  /** Changes with each store. */
  readonly instance: string;
  /** Records that read as one `SpanRecord` each; `addBytes` keeps them as they came, decoded when a page reads. */
  readonly spans: Ring;
  /** Records that read as one `LogRecord` each, without `seq`. */
  readonly logs: Ring;
  /** Of `ChunkTimes`, and of `HealthMoment`. */
  readonly chunks: Ring;
  readonly health: Ring;
  readonly metrics: MetricsHistory;
  /** Keeps records that are decoded already. */
  addSpans(records: readonly SpanRecord[]): void;
  addLogs(records: readonly Omit<LogRecord, 'seq'>[]): void;
  addChunks(record: ChunkTimes): void;
  addHealth(moment: HealthMoment): void;
  /** What is held, and what was let go. */
  held(): TelemetryMoment['store'];
}

/** Of records that are kept as JSON. */
export const readText: ReadRecord = (bytes) => bytes.toString('utf8');

export function createStore(bounds: Partial<StoreBounds> = {}): Store {
  const all = { ...STORE_BOUNDS, ...bounds };
  const spans = new Ring(all.spans);
  const logs = new Ring(all.logs);
  const chunks = new Ring(all.chunks);
  const health = new Ring(all.health);
  const metrics = new MetricsHistory(all.metrics);
  return {
    instance: randomBytes(8).toString('hex'),
    spans,
    logs,
    chunks,
    health,
    metrics,
    addSpans: (records) => addAll(spans, records),
    addLogs: (records) => addAll(logs, records),
    addChunks: (record) => addAll(chunks, [record]),
    addHealth: (moment) => addAll(health, [moment]),
    held: () => [
      { signal: 'spans', ...heldOf(spans) },
      { signal: 'logs', ...heldOf(logs) },
      { signal: 'metrics', ...heldOf(metrics) },
    ],
  };
}

function addAll(ring: Ring, records: readonly object[]): void {
  for (const record of records) {
    try {
      ring.addText(JSON.stringify(record), readText);
    } catch {
      // It has no JSON: a cycle, or a getter that throws.
      ring.leaveOut();
    }
  }
}

function heldOf({ count, bytes, evicted, bounds }: Ring | MetricsHistory): {
  count: number;
  bytes: number;
  limitBytes: number;
  evicted: number;
} {
  return { count, bytes, limitBytes: bounds.bytes, evicted };
}

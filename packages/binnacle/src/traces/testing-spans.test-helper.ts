/** Stand-ins for tests of this room: a timer by hand, a recorder that remembers, settings, spans. */
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { createFaults, type Faults } from '../faults.ts';
import { type OtelSettings, readOtelSettings } from '../settings-otel.ts';
import type { WriteLine } from '../signals.ts';
import type { SpanRecorder } from './processor.ts';
import type { ExportClock, SetTimer } from './timer.ts';

/** 2026-10-21 07:28:00 UTC. */
export const HAND_EPOCH: number = Date.UTC(2026, 9, 21, 7, 28);

export interface HandTimer {
  readonly setTimer: SetTimer;
  /** The same as a clock, whose wall begins at `HAND_EPOCH`. */
  readonly clock: ExportClock;
  /** Moves time on, calling back whatever is due, in order; what was awaited before runs first. */
  advance(ms: number): Promise<void>;
  /** Pending delays, in milliseconds from now. */
  readonly pending: readonly number[];
}

export function createHandTimer(): HandTimer {
  let now = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const setTimer: SetTimer = (run, ms) => {
    const timer = { at: now + ms, run };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  return {
    setTimer,
    clock: { now: () => now, wall: () => HAND_EPOCH + now, setTimer },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settled();
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = next.at;
        timers = timers.filter((other) => other !== next);
        next.run();
      }
      now = end;
    },
    get pending() {
      return timers.map(({ at }) => at - now);
    },
  };
}

/** Lets promises that are ready run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface MemoryRecorder extends SpanRecorder {
  readonly counts: Record<'exported' | 'dropped' | 'failed' | 'kept', number>;
  readonly sizes: readonly number[];
  readonly ups: readonly boolean[];
}

export function createMemoryRecorder(): MemoryRecorder {
  const counts = { exported: 0, dropped: 0, failed: 0, kept: 0 };
  const sizes: number[] = [];
  const ups: boolean[] = [];
  return {
    counts,
    sizes,
    ups,
    result(kind, count) {
      counts[kind] += count;
    },
    queue: (size) => void sizes.push(size),
    up: (ok) => void ups.push(ok),
  };
}

export interface Line {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

/** Faults, and the lines they write. */
export function createMemoryFaults(): { faults: Faults; write: WriteLine; lines: Line[] } {
  const lines: Line[] = [];
  const write: WriteLine = (level, logger, message, fields) => void lines.push({ level, logger, message, fields });
  const faults = createFaults();
  faults.connect(write);
  return { faults, write, lines };
}

/** Settings as an environment gives them; throws where it is wrong. */
export function otelSettings(env: Readonly<Record<string, string>>): OtelSettings {
  const problems: Parameters<typeof readOtelSettings>[1] = [];
  const settings = readOtelSettings(env, problems);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return settings;
}

/** A finished span. */
export function finishedSpan(
  name: string,
  traceFlags: TraceFlags = TraceFlags.SAMPLED,
  overrides: Partial<ReadableSpan> = {},
): ReadableSpan {
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags }),
    startTime: [1_700_000_000, 0],
    endTime: [1_700_000_001, 500_000_000],
    duration: [1, 500_000_000],
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'a.string': 'x', 'a.number': 7, 'a.ratio': 0.5, 'a.flag': true, 'a.list': ['p', 'q'] },
    links: [],
    events: [],
    ended: true,
    resource: emptyResource(),
    instrumentationScope: { name: 'test' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...overrides,
  };
}

/** An exporter that keeps names of spans by batch, and answers by hand where asked to. */
export function createMemoryExporter(answer: 'at once' | 'by hand' = 'at once'): SpanExporter & {
  readonly batches: readonly string[][];
  /** Answers the oldest export that waits. */
  answer(result: ExportResult): void;
} {
  const batches: string[][] = [];
  const waiting: ((result: ExportResult) => void)[] = [];
  return {
    batches,
    export(spans, done) {
      batches.push(spans.map(({ name }) => name));
      if (answer === 'at once') done({ code: ExportResultCode.SUCCESS });
      else waiting.push(done);
    },
    answer: (result) => waiting.shift()?.(result),
    async shutdown() {},
  };
}

/** The spans that the page holds, by trace. */
import { type Kind, kindOf, textOf } from './kind.ts';
import { Ring } from './ring.ts';
import { layOut } from './waterfall.ts';
import type { ChunkTimes, SpanRecord } from './wire.ts';

export const SPAN_LIMIT = 20_000;
/** In UTF-16 units of JSON. */
export const SPAN_SIZE_LIMIT = 48 * 1024 * 1024;
const CHUNK_LIMIT = 1000;

/** A trace, as far as its spans have come. */
export interface Trace {
  readonly id: string;
  readonly spans: readonly SpanRecord[];
  /** The first span without a parent, else one whose parent is not here. */
  readonly root: SpanRecord | undefined;
  readonly start: number;
  readonly duration: number;
  readonly errors: number;
  readonly services: readonly string[];
  /** How many spans there are of each kind. */
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
}

interface Entry {
  readonly id: string;
  readonly spans: SpanRecord[];
  /** Made when somebody asks, and forgotten when a span comes or goes. */
  trace: Trace | undefined;
}

export class Spans {
  version = 0;
  readonly #ring = new Ring<SpanRecord>(SPAN_LIMIT, SPAN_SIZE_LIMIT);
  readonly #traces = new Map<string, Entry>();
  readonly #chunks = new Map<string, readonly number[]>();

  get count(): number {
    return this.#ring.length;
  }

  get size(): number {
    return this.#ring.size;
  }

  /** @param size of all of them, in UTF-16 units of JSON */
  add(spans: readonly SpanRecord[], size: number): void {
    const each = size / Math.max(1, spans.length);
    for (const span of spans) {
      this.#ring.push(span, each, (old) => this.#forget(old));
      const entry = this.#traces.get(span.traceId);
      if (entry === undefined) this.#traces.set(span.traceId, { id: span.traceId, spans: [span], trace: undefined });
      else {
        entry.spans.push(span);
        entry.trace = undefined;
      }
    }
    this.version += 1;
  }

  addChunks(chunks: readonly ChunkTimes[]): void {
    for (const { traceId, spanId, times } of chunks) {
      const key = `${traceId}/${spanId}`;
      this.#chunks.delete(key);
      this.#chunks.set(key, times);
    }
    for (const key of this.#chunks.keys()) {
      if (this.#chunks.size <= CHUNK_LIMIT) break;
      this.#chunks.delete(key);
    }
    this.version += 1;
  }

  clear(): void {
    this.#ring.clear();
    this.#traces.clear();
    this.#chunks.clear();
    this.version += 1;
  }

  trace(id: string): Trace | undefined {
    const entry = this.#traces.get(id);
    if (entry === undefined) return undefined;
    entry.trace ??= summarize(entry);
    return entry.trace;
  }

  /** All traces, the newest start first. */
  traces(): Trace[] {
    const all = Array.from(this.#traces.values(), (entry) => {
      entry.trace ??= summarize(entry);
      return entry.trace;
    });
    return all.sort((one, other) => other.start - one.start);
  }

  find(traceId: string, spanId: string): SpanRecord | undefined {
    return this.#traces.get(traceId)?.spans.find((span) => span.spanId === spanId);
  }

  /** Milliseconds after the operation's start; undefined where nobody told. */
  chunksOf({ traceId, spanId }: Pick<SpanRecord, 'traceId' | 'spanId'>): readonly number[] | undefined {
    return this.#chunks.get(`${traceId}/${spanId}`);
  }

  /** From the one that came last. */
  newestFirst(): Generator<SpanRecord> {
    return this.#ring.backwards();
  }

  #forget(span: SpanRecord): void {
    const entry = this.#traces.get(span.traceId);
    if (entry === undefined) return;
    // The oldest of all is as a rule the first of its trace.
    const at = entry.spans.indexOf(span);
    if (at >= 0) entry.spans.splice(at, 1);
    entry.trace = undefined;
    if (entry.spans.length === 0) this.#traces.delete(span.traceId);
    this.#chunks.delete(`${span.traceId}/${span.spanId}`);
  }
}

function summarize({ id, spans }: Entry): Trace {
  const ids = new Set(spans.map((span) => span.spanId));
  const services = new Set<string>();
  const kinds: Partial<Record<Kind, number>> = {};
  let root: SpanRecord | undefined;
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let errors = 0;
  for (const span of spans) {
    start = Math.min(start, span.start);
    end = Math.max(end, span.start + span.duration);
    if (span.status === 'error') errors += 1;
    services.add(span.service);
    const kind = kindOf(span);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (isBetterRoot(span, root, ids)) root = span;
  }
  // Clocks of several machines differ: it is as long as its waterfall is.
  if (services.size > 1) ({ start, end } = layOut(spans));
  return { id, spans: [...spans], root, start, duration: end - start, errors, services: [...services], kinds };
}

function isBetterRoot(span: SpanRecord, than: SpanRecord | undefined, ids: ReadonlySet<string>): boolean {
  const rank = (one: SpanRecord): number => {
    if (one.parentSpanId === undefined) return 2;
    return ids.has(one.parentSpanId) ? 0 : 1;
  };
  if (than === undefined) return true;
  const [own, others] = [rank(span), rank(than)];
  return own > others || (own === others && span.start < than.start);
}

/** The one among server spans whose end and duration come nearest to a moment and a value, both in milliseconds. */
export function nearestRequest(
  spans: Iterable<SpanRecord>,
  time: number,
  value: number | undefined,
  matches: (span: SpanRecord) => boolean,
): SpanRecord | undefined {
  let best: SpanRecord | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const span of spans) {
    if (span.kind !== 'server' || !matches(span)) continue;
    const away = Math.abs(span.start + span.duration - time) / 1000;
    const off = value === undefined ? 0 : Math.abs(Math.log((span.duration + 0.01) / (value + 0.01))) * 10;
    if (away + off < least) [best, least] = [span, away + off];
  }
  return best;
}

/** Where a request went: its route, or what its span is called where that is more than the method. */
export function routeOf({ attributes, name }: SpanRecord): string {
  const route = textOf(attributes['http.route']);
  return route ?? (name === attributes['http.request.method'] ? '(no route)' : name);
}

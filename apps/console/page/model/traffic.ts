/** How much comes in, how well and how fast it is answered. */
import { endingOf } from './kind.ts';
import type { Metrics, Series } from './metrics.ts';
import { query } from './plot-query.ts';
import { quantile, quantileOf } from './quantile.ts';
import type { Spans } from './spans.ts';
import type { SpanRecord } from './wire.ts';

export interface Traffic {
  /** Of the last minute. */
  readonly perSecond: number;
  readonly errorShare: number;
  /** Milliseconds; NaN where nothing ended. */
  readonly p50: number;
  readonly p95: number;
  /** Requests a second over the last five minutes; empty where no metric tells. */
  readonly rates: readonly (number | null)[];
}

const MINUTE = 60_000;
const HTTP = 'http_server_request_duration_seconds';

/** By the metric where there is one, since that counts what was not sampled too; else by the spans. */
export function trafficOf(metrics: Metrics, spans: Spans, now: number): Traffic {
  const family = metrics.families.get(HTTP);
  if (family === undefined) return ofSpans(spans, now);
  const to = metrics.newest;
  const series = metrics.of(HTTP);
  const all = rise(series, to);
  const failed = rise(series.filter(isFailed), to);
  const [, total = 0, ...cumulative] = all;
  const bounds = family.bounds ?? [];
  const full = [...cumulative.slice(0, bounds.length), total];
  const { lines } = query(metrics, { family, reading: 'rate', where: [], from: to - 5 * MINUTE, to });
  return {
    perSecond: total / 60,
    errorShare: total === 0 ? 0 : (failed[1] ?? 0) / total,
    p50: quantile(0.5, bounds, full) * 1000,
    p95: quantile(0.95, bounds, full) * 1000,
    rates: lines[0]?.values ?? [],
  };
}

function rise(series: readonly Series[], to: number): number[] {
  const sum: number[] = [];
  for (const one of series) {
    for (const [place, value] of (one.rise(to - MINUTE, to) ?? []).entries()) sum[place] = (sum[place] ?? 0) + value;
  }
  return sum;
}

function isFailed({ labels }: Series): boolean {
  const status = labels.http_response_status_code ?? '';
  const type = labels.error_type ?? '';
  return status.startsWith('5') || type === 'stream_error' || type === 'timeout';
}

function ofSpans(spans: Spans, now: number): Traffic {
  const ended: SpanRecord[] = [];
  for (const span of spans.newestFirst()) {
    const end = span.start + span.duration;
    // They come about in the order in which they end.
    if (end < now - 2 * MINUTE) break;
    if (span.kind === 'server' && end >= now - MINUTE) ended.push(span);
  }
  const durations = ended.map(({ duration }) => duration);
  const errors = ended.filter((span) => ['error', 'timeout'].includes(endingOf(span))).length;
  return {
    perSecond: ended.length / 60,
    errorShare: ended.length === 0 ? 0 : errors / ended.length,
    p50: quantileOf(0.5, durations),
    p95: quantileOf(0.95, durations),
    rates: [],
  };
}

/** The requests that ended last, the newest first. */
export function lastRequests(spans: Spans, most: number): SpanRecord[] {
  const found: SpanRecord[] = [];
  for (const span of spans.newestFirst()) {
    if (span.kind === 'server') found.push(span);
    if (found.length >= most) break;
  }
  return found;
}

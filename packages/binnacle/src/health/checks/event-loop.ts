import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Check } from '../check.ts';

export interface EventLoopOptions {
  /** Delay above which it is degraded, in milliseconds; 500. */
  readonly degradedAboveMs?: number;
}

/** How often the delay is sampled, in milliseconds. The histogram holds the time between samples, this included. */
const RESOLUTION_MS = 20;

/**
 * How late the event loop is, from the check before to this one: details `p99_ms` and `max_ms`. Measuring starts with
 * the first run and ends with the check.
 */
export function eventLoop({ degradedAboveMs = 500 }: EventLoopOptions = {}): Check {
  let histogram: IntervalHistogram | undefined;
  const check: Check = () => {
    histogram ??= startMonitor();
    const p99 = toDelayMs(histogram.percentile(99));
    const max = toDelayMs(histogram.max);
    histogram.reset();
    return { status: p99 > degradedAboveMs ? 'degraded' : 'healthy', p99_ms: p99, max_ms: max };
  };
  check.close = () => {
    histogram?.disable();
    histogram = undefined;
  };
  return check;
}

function startMonitor(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** An empty histogram says 0 for percentiles and the largest, which means no delay. */
function toDelayMs(nanoseconds: number): number {
  return Math.round(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) * 1000) / 1000;
}

/** How many lines came when, by how bad they are. */
import type { LogRecord } from './wire.ts';

export interface VolumeBar {
  readonly from: number;
  readonly to: number;
  readonly errors: number;
  readonly warnings: number;
  readonly others: number;
}

/** Round lengths of a bar, in milliseconds. */
const STEPS = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];

/**
 * Bars of one round length from the first line to the last, at most `most` of them; lines older than that many bars of
 * an hour are left out.
 */
export function volumeOf(lines: readonly Pick<LogRecord, 'time' | 'level'>[], most: number): VolumeBar[] {
  if (lines.length === 0) return [];
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { time } of lines) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  const step = STEPS.find((size) => Math.floor(last / size) - Math.floor(first / size) < most) ?? 3_600_000;
  const end = Math.floor(last / step);
  const begin = Math.max(Math.floor(first / step), end - most + 1);
  const bars = Array.from({ length: end - begin + 1 }, (_, at) => ({
    from: (begin + at) * step,
    to: (begin + at + 1) * step,
    errors: 0,
    warnings: 0,
    others: 0,
  }));
  for (const { time, level } of lines) {
    const bar = bars[Math.floor(time / step) - begin];
    if (bar === undefined) continue;
    if (level === 'ERROR' || level === 'CRITICAL') bar.errors += 1;
    else if (level === 'WARNING') bar.warnings += 1;
    else bar.others += 1;
  }
  return bars;
}

/** Calendar months as plain numbers: enough for careers, free of time zones. */

/** Months since year 0 of a date such as `2021`, `2021-03` or `2021-03-09`; a bare year counts as the month given. */
export function monthOf(date: string, bareYear: 'first' | 'last' = 'first'): number {
  const year = Number(date.slice(0, 4));
  const month = date.length >= 7 ? Number(date.slice(5, 7)) - 1 : bareYear === 'first' ? 0 : 11;
  return year * 12 + month;
}

export function monthOfDate(date: Date): number {
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Years covered by at least one of the spans (both months included), so that parallel jobs do not count twice. */
export function yearsCovered(spans: readonly Span[]): number {
  const sorted = [...spans].sort((a, b) => a.from - b.from || a.to - b.to);
  let months = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of sorted) {
    const start = Math.max(from, reached + 1);
    if (to >= start) months += to - start + 1;
    reached = Math.max(reached, to);
  }
  return months / 12;
}

/** 1 up to a year after the end, then down in a straight line to 0.4 after ten years; 1 without a date. */
export function recencyOf(end: number | undefined, now: number): number {
  if (end === undefined) return 1;
  const years = Math.max(0, (now - end) / 12);
  return Math.max(0.4, Math.min(1, 1 - (years - 1) / 15));
}

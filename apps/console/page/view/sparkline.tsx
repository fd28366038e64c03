/** A line so small that it says a trend and no more; its figures stand beside it. */
import type { JSX } from 'preact';

interface SparklineProps {
  readonly values: readonly (number | null)[];
  readonly width?: number;
  readonly height?: number;
}

export function Sparkline({ values, width = 120, height = 28 }: SparklineProps): JSX.Element | null {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const high = Math.max(...known);
  const low = Math.min(0, ...known);
  // A service that has just started has a short past, and all of the room for it.
  const begin = values.findIndex((value) => value !== null);
  const x = (at: number): string => (((at - begin) / Math.max(1, values.length - 1 - begin)) * width).toFixed(1);
  const y = (value: number): string => (height - 1 - ((value - low) / (high - low || 1)) * (height - 2)).toFixed(1);
  let path = '';
  let first = '';
  let last = '';
  for (const [at, value] of values.entries()) {
    if (value === null) continue;
    if (path === '') first = x(at);
    path += `${path === '' ? 'M' : 'L'}${x(at)} ${y(value)}`;
    last = x(at);
  }
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="sparkline-area" d={`${path}L${last} ${height}L${first} ${height}Z`} />
      <path class="sparkline-line" d={path} />
    </svg>
  );
}

/** How many lines came when, above the list of them. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { clock, count, many } from '../model/format.ts';
import { type VolumeBar, volumeOf } from '../model/volume.ts';
import type { LogRecord } from '../model/wire.ts';

const BARS = 90;
const HEIGHT = 40;

export function LogVolume({ lines }: { readonly lines: readonly LogRecord[] }): JSX.Element | null {
  const bars = useMemo(() => volumeOf(lines, BARS), [lines]);
  const first = bars[0];
  const last = bars.at(-1);
  if (first === undefined || last === undefined || bars.length < 2) return null;
  const most = Math.max(...bars.map(total));
  const errors = bars.reduce((sum, bar) => sum + bar.errors, 0);
  const words = `${many(lines.length, 'line')} from ${clock(first.from, false)} to ${clock(last.to, false)}, ${many(errors, 'error')}`;
  return (
    <figure class="volume">
      <svg viewBox={`0 0 ${bars.length * 10} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        {bars.map((bar, at) => (
          <Bar key={bar.from} bar={bar} at={at} most={most} />
        ))}
      </svg>
      <figcaption class="muted" aria-hidden="true">
        <span>{clock(first.from, false)}</span>
        <span>
          at most {count(most)} in {length(first.to - first.from)}
        </span>
        <span>{clock(last.to, false)}</span>
      </figcaption>
    </figure>
  );
}

const total = ({ errors, warnings, others }: VolumeBar): number => errors + warnings + others;

function length(ms: number): string {
  if (ms < 60_000) return `${ms / 1000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}

function Bar({ bar, at, most }: { readonly bar: VolumeBar; readonly at: number; readonly most: number }): JSX.Element {
  const scale = (value: number): number => (value === 0 ? 0 : Math.max(1.5, (value / most) * HEIGHT));
  const parts = [
    ['errors', scale(bar.errors)],
    ['warnings', scale(bar.warnings)],
    ['others', scale(bar.others)],
  ] as const;
  let y = HEIGHT;
  return (
    <g>
      <title>{`${clock(bar.from, false)}: ${many(total(bar), 'line')}${bar.errors > 0 ? `, ${many(bar.errors, 'error')}` : ''}`}</title>
      <rect class="volume-hit" x={at * 10} y={0} width={10} height={HEIGHT} />
      {parts.map(([name, height]) => {
        if (height === 0) return null;
        y -= height;
        return <rect key={name} class={`volume-${name}`} x={at * 10 + 1} y={y} width={8} height={height} />;
      })}
    </g>
  );
}

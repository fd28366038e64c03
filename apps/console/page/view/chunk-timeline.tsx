/** When the chunks of a model's answer came. */
import type { JSX } from 'preact';
import { paceOf } from '../model/ai.ts';
import { count, duration } from '../model/format.ts';
import { Facts } from './stat.tsx';

interface ChunkTimelineProps {
  /** After the operation's start, in milliseconds. */
  readonly times: readonly number[];
  /** Of the operation. */
  readonly duration: number;
}

const HEIGHT = 36;

export function ChunkTimeline({ times, duration: whole }: ChunkTimelineProps): JSX.Element | null {
  const pace = paceOf(times);
  if (pace === undefined) return null;
  const length = Math.max(whole, pace.last, 0.001);
  const x = (ms: number): string => ((ms / length) * 1000).toFixed(2);
  const marks = times.map((ms) => `M${x(ms)} 4V${HEIGHT - 4}`).join('');
  const { first, longestAt, longestGap, medianGap } = pace;
  const words = `${count(pace.count)} chunks from ${duration(first)} to ${duration(pace.last)}, the longest gap ${duration(longestGap)}`;
  return (
    <section class="chunks" aria-label="Chunks over time">
      <h3>Chunks</h3>
      <svg class="chunks-strip" viewBox={`0 0 1000 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="chunks-wait" x="0" y="0" width={x(first)} height={HEIGHT} />
        {longestGap > medianGap * 3 && (
          <rect class="chunks-gap" x={x(longestAt)} y="0" width={x(longestGap)} height={HEIGHT} />
        )}
        <path class="chunks-marks" d={marks} />
      </svg>
      <p class="chunks-scale muted" aria-hidden="true">
        <span>0</span>
        <span>{duration(length / 2)}</span>
        <span>{duration(length)}</span>
      </p>
      <Facts
        facts={[
          { name: 'Chunks', value: count(pace.count) },
          { name: 'First after', value: duration(first) },
          { name: 'Median gap', value: duration(medianGap) },
          { name: 'Longest gap', value: pace.count < 2 ? '–' : duration(longestGap) },
        ]}
      />
    </section>
  );
}

/** Metrics of a guest registry (prom-client's) as series: a histogram's samples put together, all others as they are. */
import type { GuestFamily } from '../metrics/guests.ts';
import { parseLabels } from './labels.ts';
import type { MetricFamily } from './wire.ts';

/** A series with its value, in the form of `MetricsUpdate.values` without the number in front. */
export interface GuestSeries {
  readonly family: MetricFamily;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: readonly number[];
}

export function seriesOfGuest(guest: GuestFamily): readonly GuestSeries[] {
  return guest.kind === 'histogram' ? histogramsOf(guest) : guest.samples.map((sample) => plainOf(guest, sample));
}

type Sample = GuestFamily['samples'][number];

/** A counter, a gauge, or a part of a summary. */
function plainOf({ name, help, kind }: GuestFamily, { suffix, labels, value }: Sample): GuestSeries {
  const counts = kind === 'counter' || suffix === '_sum' || suffix === '_count';
  return {
    family: { name: name + suffix, type: counts ? 'counter' : 'gauge', help },
    labels: parseLabels(labels),
    value: [value],
  };
}

interface Parts {
  readonly labels: Readonly<Record<string, string>>;
  sum: number;
  count: number;
  readonly buckets: Map<number, number>;
}

function histogramsOf({ name, help, samples }: GuestFamily): readonly GuestSeries[] {
  const bySet = new Map<string, Parts>();
  for (const { suffix, labels, value } of samples) {
    const { le, ...own } = parseLabels(labels);
    const key = JSON.stringify(own);
    const parts = bySet.get(key) ?? { labels: own, sum: 0, count: 0, buckets: new Map<number, number>() };
    bySet.set(key, parts);
    if (suffix === '_sum') parts.sum = value;
    else if (suffix === '_count') parts.count = value;
    else if (suffix === '_bucket' && Number.isFinite(Number(le))) parts.buckets.set(Number(le), value);
  }
  return [...bySet.values()].map(({ labels, sum, count, buckets }) => {
    const bounds = [...buckets.keys()].sort((a, b) => a - b);
    const counts = bounds.map((bound) => buckets.get(bound) as number);
    return { family: { name, type: 'histogram', help, bounds }, labels, value: [sum, count, ...counts] };
  });
}

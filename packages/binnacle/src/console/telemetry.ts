/** What the telemetry says of itself: read from its own metrics when a page is open. */
import { definitions } from '../catalogue.ts';
import type { Family } from '../metrics/family.ts';
import type { Registry } from '../metrics/registry.ts';
import { parseLabels } from './labels.ts';
import type { Store } from './store.ts';
import type { TelemetryMoment } from './wire.ts';

export interface TelemetryOptions {
  readonly store: Store;
  /** Absent where metrics are off: then nothing was counted. */
  readonly registry: Pick<Registry, 'families'> | undefined;
  readonly exporter: Omit<TelemetryMoment['exporter'], 'up'>;
  queues(): TelemetryMoment['queues'];
  wall(): number;
}

/** Metrics that are told of. */
const MOST_METRICS = 20;

export function tellTelemetry({ store, registry, exporter, queues, wall }: TelemetryOptions): TelemetryMoment {
  const families = new Map((registry?.families() ?? []).map((family) => [family.name, family]));
  const read = (key: 'logLinesDropped' | 'logsWithoutContext'): number => total(families.get(definitions[key].name));
  const spans = byLabel(families.get(definitions.spans.name), 'result');
  const up = [...(families.get(definitions.exporterUp.name)?.cells() ?? [])][0]?.value;
  return {
    time: wall(),
    exporter: { ...exporter, ...(up !== undefined && { up: up === 1 }) },
    spans: {
      exported: spans.get('exported') ?? 0,
      dropped: spans.get('dropped') ?? 0,
      failed: spans.get('failed') ?? 0,
      kept: spans.get('kept') ?? 0,
    },
    queues: queues(),
    logs: { dropped: read('logLinesDropped'), withoutContext: read('logsWithoutContext') },
    series: largest(families),
    store: store.held(),
  };
}

function largest(families: ReadonlyMap<string, Family>): TelemetryMoment['series'] {
  const folds = byLabel(families.get(definitions.seriesFolded.name), 'metric');
  return [...families.values()]
    .map(({ name, size, maxSeries }) => ({
      metric: name,
      count: size,
      budget: maxSeries,
      folded: folds.get(name) ?? 0,
    }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_METRICS);
}

function total(family: Family | undefined): number {
  return [...(family?.cells() ?? [])].reduce((sum, { value }) => sum + value, 0);
}

function byLabel(family: Family | undefined, name: string): ReadonlyMap<string, number> {
  return new Map([...(family?.cells() ?? [])].map(({ labels, value }) => [parseLabels(labels)[name] ?? '', value]));
}

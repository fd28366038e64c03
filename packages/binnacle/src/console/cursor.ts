/** Where a page stands in what the store holds: the `id` of each event, with which it comes again. */
import type { MetricsCursor } from './metrics-history.ts';
import type { Store } from './store.ts';

export interface Cursor {
  spans: number;
  logs: number;
  chunks: number;
  health: number;
  readonly metrics: MetricsCursor;
}

/** Of a page that was told nothing. */
export function beginning({ spans, logs, chunks, health, metrics }: Store): Cursor {
  return { spans: spans.first, logs: logs.first, chunks: chunks.first, health: health.first, metrics: metrics.begin() };
}

export function idOf({ instance }: Pick<Store, 'instance'>, { spans, logs, chunks, health, metrics }: Cursor): string {
  return [instance, spans, logs, chunks, health, metrics.families, metrics.series, metrics.moment].join('.');
}

/** Seven whole numbers below 2^53, behind the store's name. */
const ID = /^([0-9a-f]{16})((?:\.\d{1,15}){7})$/;

/** Where an id says that a page stands; undefined where it is of another store, or no id at all. */
export function cursorOf(id: string, store: Store): Cursor | undefined {
  const [, instance, rest = ''] = ID.exec(id) ?? [];
  if (instance !== store.instance) return undefined;
  const [spans, logs, chunks, health, families, series, moment] = rest.slice(1).split('.').map(Number) as Seven;
  const isKnown =
    spans <= store.spans.next &&
    logs <= store.logs.next &&
    chunks <= store.chunks.next &&
    health <= store.health.next &&
    store.metrics.canResume({ families, series, moment });
  return isKnown ? { spans, logs, chunks, health, metrics: { families, series, moment, within: 0 } } : undefined;
}

type Seven = [number, number, number, number, number, number, number];

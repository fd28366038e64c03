/** Metrics from OTLP's JSON, point by point. */
import {
  attributesOf,
  boolOf,
  eachJson,
  enumOf,
  listOf,
  nanosOf,
  numberOf,
  objectOf,
  objectsIn,
  spanIdOf,
  textOf,
  traceIdOf,
} from './otlp-json.ts';
import type { TakePoint } from './otlp-metrics.ts';
import {
  type Buckets,
  type MetricAbout,
  type MetricPoint,
  MOST_BUCKETS,
  MOST_EXEMPLARS,
  MOST_QUANTILES,
  type PointExemplar,
  toExplicit,
} from './otlp-points.ts';
import { hasIds } from './otlp-spans.ts';
import { toMs } from './protobuf.ts';
import type { RecordRoom } from './record-room.ts';

type Json = Readonly<Record<string, unknown>>;
type Parts = Pick<MetricPoint, 'attributes' | 'start' | 'exemplars'>;

const ENVELOPE = { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' } as const;
const TEMPORALITY_NAMES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'];
const DELTA = 1;
const NO_VALUE = 1;

/** Gives each point of a request. Throws OtlpError where it is none. */
export function eachJsonPoint(bytes: Uint8Array, take: TakePoint): void {
  eachJson(bytes, ENVELOPE, (metric, origin, room) => {
    for (const [key, read] of READERS) {
      const data = objectOf(metric[key]);
      if (data === undefined) continue;
      room.begin();
      const about = aboutOf(metric, data, room);
      for (const point of objectsIn(data.dataPoints)) {
        room.begin();
        if ((numberOf(point.flags) & NO_VALUE) === 0) take(about, read(point, partsOf(point, room)), origin);
      }
    }
  });
}

function aboutOf(metric: Json, data: Json, room: RecordRoom): MetricAbout {
  return {
    name: textOf(metric.name, room),
    description: textOf(metric.description, room),
    unit: textOf(metric.unit, room),
    isMonotonic: boolOf(data.isMonotonic),
    isDelta: enumOf(data.aggregationTemporality, 'AGGREGATION_TEMPORALITY_', TEMPORALITY_NAMES) === DELTA,
  };
}

function partsOf(point: Json, room: RecordRoom): Parts {
  const { low, high } = nanosOf(point.startTimeUnixNano);
  return { attributes: attributesOf(point.attributes, room), start: `${high}:${low}`, exemplars: exemplarsOf(point) };
}

function exemplarsOf({ exemplars }: Json): PointExemplar[] {
  return objectsIn(exemplars)
    .slice(0, MOST_EXEMPLARS)
    .map((exemplar) => ({
      value: numberOf(exemplar.asDouble ?? exemplar.asInt),
      time: toMs(nanosOf(exemplar.timeUnixNano)),
      traceId: traceIdOf(exemplar.traceId),
      spanId: spanIdOf(exemplar.spanId),
    }))
    .filter(hasIds);
}

function readNumber(kind: 'sum' | 'gauge'): (point: Json, parts: Parts) => MetricPoint {
  return (point, parts) => ({ ...parts, kind, value: numberOf(point.asDouble ?? point.asInt) });
}

function readHistogram(point: Json, parts: Parts): MetricPoint {
  return {
    ...parts,
    kind: 'histogram',
    count: numberOf(point.count),
    sum: numberOf(point.sum),
    bounds: numbersOf(point.explicitBounds, MOST_BUCKETS + 1),
    counts: numbersOf(point.bucketCounts, MOST_BUCKETS + 2),
  };
}

function readExponential(point: Json, parts: Parts): MetricPoint {
  const explicit = toExplicit({
    count: numberOf(point.count),
    sum: numberOf(point.sum),
    scale: numberOf(point.scale),
    zeroCount: numberOf(point.zeroCount),
    positive: bucketsOf(point.positive),
    negative: bucketsOf(point.negative),
  });
  return { ...parts, ...explicit };
}

function bucketsOf(value: unknown): Buckets {
  const { offset, bucketCounts } = objectOf(value) ?? {};
  return { offset: numberOf(offset), counts: numbersOf(bucketCounts, MOST_BUCKETS) };
}

function readSummary(point: Json, parts: Parts): MetricPoint {
  const quantiles = objectsIn(point.quantileValues).slice(0, MOST_QUANTILES);
  return {
    ...parts,
    kind: 'summary',
    count: numberOf(point.count),
    sum: numberOf(point.sum),
    quantiles: quantiles.map(({ quantile, value }) => ({ quantile: numberOf(quantile), value: numberOf(value) })),
  };
}

function numbersOf(value: unknown, most: number): number[] {
  return listOf(value).slice(0, most).map(numberOf);
}

const READERS: ReadonlyMap<string, (point: Json, parts: Parts) => MetricPoint> = new Map([
  ['gauge', readNumber('gauge')],
  ['sum', readNumber('sum')],
  ['histogram', readHistogram],
  ['exponentialHistogram', readExponential],
  ['summary', readSummary],
]);

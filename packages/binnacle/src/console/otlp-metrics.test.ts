/** Metrics are read as OpenTelemetry's published definitions, and its official encoders, write them. */
import { ValueType } from '@opentelemetry/api';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachJsonPoint } from './otlp-json-metrics.ts';
import {
  attributes,
  count,
  damaged,
  double,
  encodings,
  id,
  isRead,
  type Json,
  msOf,
  nanos,
  plainAttributes,
  recordsOf,
  requests,
  said,
  text,
  twisted,
} from './otlp-messages.test-helper.ts';
import { eachPoint, type TakePoint } from './otlp-metrics.ts';
import { cumulativeAt, type HistogramPoint, toExplicit, whyNotHistogram } from './otlp-points.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
const exemplar = fc.record({ timeUnixNano: nanos, asDouble: finite, traceId: id(16), spanId: id(8) });
const common = { attributes, startTimeUnixNano: nanos, timeUnixNano: nanos, flags: fc.constantFrom(0, 0, 0, 1) };
const exemplars = fc.array(exemplar, { maxLength: 2 });
const number = fc
  .record({ ...common, exemplars, value: fc.oneof(fc.record({ asDouble: double }), fc.record({ asInt: count })) })
  .map(({ value, ...rest }) => ({ ...rest, ...value }));
const histogram = fc.record({
  ...common,
  exemplars,
  count,
  sum: finite,
  bucketCounts: fc.array(count, { maxLength: 6 }),
  explicitBounds: fc.array(finite, { maxLength: 6 }),
});
const buckets = fc.record({
  offset: fc.integer({ min: -200, max: 200 }),
  bucketCounts: fc.array(count, { maxLength: 6 }),
});
const exponential = fc.record({
  ...common,
  exemplars,
  count,
  sum: finite,
  scale: fc.integer({ min: -10, max: 20 }),
  zeroCount: count,
  positive: buckets,
  negative: buckets,
});
const summary = fc.record({
  ...common,
  count,
  sum: finite,
  quantileValues: fc.array(fc.record({ quantile: finite, value: double }), { maxLength: 3 }),
});
const points = (point: fc.Arbitrary<Json>) => fc.array(point, { maxLength: 3 });
const temporality = fc.integer({ min: 0, max: 2 });
const data = fc.oneof(
  fc.record({ gauge: fc.record({ dataPoints: points(number) }) }),
  fc.record({
    sum: fc.record({ dataPoints: points(number), aggregationTemporality: temporality, isMonotonic: fc.boolean() }),
  }),
  fc.record({ histogram: fc.record({ dataPoints: points(histogram), aggregationTemporality: temporality }) }),
  fc.record({
    exponentialHistogram: fc.record({ dataPoints: points(exponential), aggregationTemporality: temporality }),
  }),
  fc.record({ summary: fc.record({ dataPoints: points(summary) }) }),
);
const metric = fc.record({ name: text, description: text, unit: text, data }).map(({ data: of, ...rest }) => ({
  ...rest,
  ...of,
})) as fc.Arbitrary<Json>;
const request = requests('metrics', metric);

type Taken = { about: object; point: object; service: string; scope: string };

function read(each: (bytes: Uint8Array, take: TakePoint) => void, bytes: Uint8Array): Taken[] {
  const taken: Taken[] = [];
  each(bytes, (about, point, { service, scope }) => taken.push({ about, point, service, scope }));
  return taken;
}

function expectedPoints(json: Json): { about: object; point: object }[] {
  const { name, description, unit, ...rest } = json;
  const [[key, holder]] = Object.entries(rest) as [[string, Json]];
  const about = {
    name,
    description,
    unit,
    isMonotonic: holder.isMonotonic ?? false,
    isDelta: holder.aggregationTemporality === 1,
  };
  return (holder.dataPoints as Json[])
    .filter(({ flags }) => flags === 0)
    .map((point) => ({ about, point: { ...commonOf(point), ...expectedPoint(key, point) } }));
}

function commonOf(point: Json): object {
  const start = BigInt(point.startTimeUnixNano as string);
  return {
    attributes: plainAttributes(point.attributes),
    start: `${start >> 32n}:${start & 0xffff_ffffn}`,
    exemplars: ((point.exemplars as Json[] | undefined) ?? []).map(({ timeUnixNano, asDouble, traceId, spanId }) => {
      return { value: asDouble, time: msOf(timeUnixNano), traceId, spanId };
    }),
  };
}

function expectedPoint(key: string, point: Json): object {
  const numbers = (list: unknown): number[] => (list as unknown[]).map(Number);
  const whole = { count: Number(point.count), sum: point.sum as number };
  switch (key) {
    case 'gauge':
    case 'sum':
      return { kind: key, value: Number(point.asDouble ?? point.asInt) };
    case 'histogram':
      return { kind: key, ...whole, bounds: numbers(point.explicitBounds), counts: numbers(point.bucketCounts) };
    case 'summary':
      return {
        kind: key,
        ...whole,
        quantiles: (point.quantileValues as Json[]).map(({ quantile, value }) => ({ quantile, value: Number(value) })),
      };
    default: {
      const of = ({ offset, bucketCounts }: Json) => ({ offset: offset as number, counts: numbers(bucketCounts) });
      const { scale, positive, negative } = point as { scale: number; positive: Json; negative: Json };
      const zeroCount = Number(point.zeroCount);
      return toExplicit({ ...whole, scale, zeroCount, positive: of(positive), negative: of(negative) });
    }
  }
}

test('any request says the same in both encodings', () => {
  fc.assert(
    fc.property(request, (json) => {
      const expected = recordsOf('metrics', json).flatMap(({ record, service, scope }) =>
        expectedPoints(record).map((one) => ({ ...one, service, scope })),
      );
      const { protobuf, json: bytes } = encodings('metrics', json);
      expect(said(read(eachPoint, protobuf))).toEqual(said(expected));
      expect(said(read(eachJsonPoint, bytes))).toEqual(said(expected));
    }),
    { numRuns: 300 },
  );
});

test('what the official encoders write of the SDK’s metrics', () => {
  const descriptor = (name: string, unit: string) => ({ name, unit, description: 'd', valueType: ValueType.DOUBLE });
  const times = { startTime: [1_700_000_000, 0], endTime: [1_700_000_060, 0], attributes: { route: '/a' } };
  const metrics = [
    {
      descriptor: descriptor('calls', '1'),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [{ ...times, value: 7 }],
    },
    {
      descriptor: descriptor('took', 's'),
      aggregationTemporality: AggregationTemporality.DELTA,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [{ ...times, value: { count: 3, sum: 1.5, buckets: { boundaries: [0.5, 1], counts: [1, 1, 1] } } }],
    },
    {
      descriptor: descriptor('exp', 's'),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [
        {
          ...times,
          value: {
            count: 4,
            sum: 7,
            scale: 0,
            zeroCount: 1,
            positive: { offset: -1, bucketCounts: [1, 2] },
            negative: { offset: 0, bucketCounts: [] },
          },
        },
      ],
    },
  ];
  const batch = {
    resource: resourceFromAttributes({ 'service.name': 'js' }),
    scopeMetrics: [{ scope: { name: 'meter' }, metrics }],
  } as unknown as Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
  for (const taken of [
    read(eachPoint, ProtobufMetricsSerializer.serializeRequest(batch)!),
    read(eachJsonPoint, JsonMetricsSerializer.serializeRequest(batch)!),
  ]) {
    expect(taken).toMatchObject([
      { about: { name: 'calls', isMonotonic: true, isDelta: false }, point: { kind: 'sum', value: 7 }, service: 'js' },
      { about: { name: 'took', isDelta: true }, point: { count: 3, sum: 1.5, bounds: [0.5, 1], counts: [1, 1, 1] } },
      { about: { name: 'exp' }, point: { kind: 'histogram', count: 4, sum: 7 }, scope: 'meter' },
    ]);
    const exp = taken[2]!.point as HistogramPoint;
    // One of zero, one of at most 1, two of at most 2.
    expect(cumulativeAt([0.5, 1, 2, 4], exp)).toEqual([1, 2, 4, 4]);
  }
});

test('what a metric says of its points may stand behind them', () => {
  const message = (number: number, ...bytes: number[]): number[] => [number * 8 + 2, bytes.length, ...bytes];
  // A point of 7 (sfixed64), then that it is a delta, and monotonic; then its name.
  const sum = [...message(1, 49, 7, 0, 0, 0, 0, 0, 0, 0), 16, 1, 24, 1];
  const metric = [...message(7, ...sum), ...message(1, 0x63)];
  const request = message(1, ...message(2, ...message(2, ...metric)));
  expect(read(eachPoint, Uint8Array.from(request))).toMatchObject([
    { about: { name: 'c', isDelta: true, isMonotonic: true }, point: { kind: 'sum', value: 7 } },
  ]);
});

describe('an exponential histogram', () => {
  const point = (scale: number, offset: number, counts: number[]) =>
    toExplicit({
      count: counts.reduce((all, one) => all + one, 0),
      sum: 1,
      scale,
      zeroCount: 0,
      positive: { offset, counts },
      negative: { offset: 0, counts: [] },
    });

  test('counts no value below its bucket: what is at most a bound truly is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -10, max: 20 }),
        fc.integer({ min: -1000, max: 1000 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
        (scale, offset, counts) => {
          const explicit = point(scale, offset, counts);
          expect(whyNotHistogram(explicit)).toBeUndefined();
          const cumulative = cumulativeAt(explicit.bounds, explicit);
          explicit.bounds.forEach((_bound, index) => {
            const power = -20 + index / 2;
            const surely = counts.reduce((all, one, i) => all + ((offset + i + 1) * 2 ** -scale <= power ? one : 0), 0);
            expect(cumulative[index]).toBe(surely);
          });
        },
      ),
    );
  });

  test.each([-(2 ** 31), 2 ** 31 - 1])('a scale of %d is no scale, and does no harm', (scale) => {
    expect(whyNotHistogram(point(scale, 2 ** 31 - 1, [1, 2]))).toBeUndefined();
    expect(point(scale, -1, [1, 2]).counts.every(Number.isFinite)).toBe(true);
  });
});

describe('a histogram is none', () => {
  test.each([
    [[1], [1], 'one more'],
    [[], [1, 2], 'one more'],
    [[2, 1], [0, 0, 0], 'ascend'],
    [[1, 1], [0, 0, 0], 'ascend'],
    [[Number.NaN], [0, 0], 'ascend'],
    [Array.from({ length: 1001 }, (_, i) => i), Array.from({ length: 1002 }, () => 1), 'more than 1000'],
  ])('%j %j', (bounds, counts, why) => {
    expect(whyNotHistogram({ kind: 'histogram', count: 1, sum: 1, bounds, counts })).toContain(why);
  });
});

test('whatever the bytes are, only the one error is thrown', () => {
  const bytes = request.map((json) => encodings('metrics', json));
  const any = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(
      fc.oneof(any, damaged(bytes.map(({ protobuf }) => protobuf))),
      (one) => void isRead((all) => read(eachPoint, all), one),
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.oneof(any, damaged(bytes.map(({ json }) => json)), twisted(request)),
      (one) => void isRead((all) => read(eachJsonPoint, all), one),
    ),
    { numRuns: 1000 },
  );
});

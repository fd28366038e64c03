/** Metrics from OTLP's protobuf (`opentelemetry.proto.metrics.v1`), point by point. */
import { eachScoped, type Origin } from './otlp-envelope.ts';
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
import { type MutableAttributes, readAttribute, SPAN_ID_BYTES, TRACE_ID_BYTES } from './otlp-values.ts';
import { type Nanos, type ProtobufReader, toMs } from './protobuf.ts';

const METRIC = {
  name: 1,
  description: 2,
  unit: 3,
  gauge: 5,
  sum: 7,
  histogram: 9,
  exponential: 10,
  summary: 11,
} as const;
/** Of what holds a metric's points. */
const DATA = { points: 1, temporality: 2, isMonotonic: 3 } as const;
const DELTA = 1;
const NUMBER = { start: 2, double: 4, exemplars: 5, int: 6, attributes: 7, flags: 8 } as const;
const HISTOGRAM = { start: 2, count: 4, sum: 5, counts: 6, bounds: 7, exemplars: 8, attributes: 9, flags: 10 } as const;
const EXPONENTIAL = { attributes: 1, start: 2, count: 4, sum: 5, scale: 6, zeroCount: 7 } as const;
const EXPONENTIAL_PARTS = { positive: 8, negative: 9, flags: 10, exemplars: 11 } as const;
const BUCKETS = { offset: 1, counts: 2 } as const;
const SUMMARY = { start: 2, count: 4, sum: 5, quantiles: 6, attributes: 7, flags: 8 } as const;
const QUANTILE = { quantile: 1, value: 2 } as const;
const EXEMPLAR = { time: 2, double: 3, spanId: 4, traceId: 5, int: 6 } as const;
/** Of a point's flags: that there was nothing to tell. */
const NO_VALUE = 1;

export type TakePoint = (about: Readonly<MetricAbout>, point: MetricPoint, origin: Origin) => void;
type ReadPoint = (from: ProtobufReader, draft: PointDraft) => MetricPoint;

/** Gives each point of an `ExportMetricsServiceRequest`. Throws OtlpError where it is none. */
export function eachPoint(bytes: Uint8Array, take: TakePoint): void {
  eachScoped(bytes, (from, origin) => readMetric(from, (about, point) => take(about, point, origin)));
}

/** What all kinds of points have. */
interface PointDraft {
  readonly attributes: MutableAttributes;
  readonly start: Nanos;
  flags: number;
  exemplars: PointExemplar[];
}

/** Twice: what it says of its points may stand behind them. */
function readMetric(from: ProtobufReader, take: (about: MetricAbout, point: MetricPoint) => void): void {
  const about: MetricAbout = { name: '', description: '', unit: '', isMonotonic: false, isDelta: false };
  from.room.begin();
  const outer = from.enter();
  const start = from.place;
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === METRIC.name) about.name = from.string();
    else if (field === METRIC.description) about.description = from.string();
    else if (field === METRIC.unit) about.unit = from.string();
    else if (READERS.has(field)) readData(from, about);
    else from.skip();
  }
  from.place = start;
  for (let field = from.next(); field !== 0; field = from.next()) {
    const read = READERS.get(field);
    if (read !== undefined) readPoints(from, read, (point) => take(about, point));
    else from.skip();
  }
  from.leave(outer);
}

function readData(from: ProtobufReader, about: MetricAbout): void {
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === DATA.temporality) about.isDelta = from.uint() === DELTA;
    else if (field === DATA.isMonotonic) about.isMonotonic = from.bool();
    else from.skip();
  }
  from.leave(outer);
}

function readPoints(from: ProtobufReader, read: ReadPoint, take: (point: MetricPoint) => void): void {
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field !== DATA.points) {
      from.skip();
      continue;
    }
    from.room.begin();
    const draft: PointDraft = { attributes: {}, start: { low: 0, high: 0 }, flags: 0, exemplars: [] };
    const end = from.enter();
    const point = read(from, draft);
    from.leave(end);
    if ((draft.flags & NO_VALUE) === 0) take(point);
  }
  from.leave(outer);
}

/** The parts that each kind of point has, as the point itself has them. */
function partsOf({
  attributes,
  start,
  exemplars,
}: PointDraft): Pick<MetricPoint, 'attributes' | 'start' | 'exemplars'> {
  return { attributes, start: `${start.high}:${start.low}`, exemplars };
}

function readNumber(kind: 'sum' | 'gauge'): ReadPoint {
  return (from, draft) => {
    let value = 0;
    for (let field = from.next(); field !== 0; field = from.next()) {
      if (field === NUMBER.start) from.nanos(draft.start);
      else if (field === NUMBER.double) value = from.double();
      else if (field === NUMBER.int) value = from.sfixed64();
      else if (field === NUMBER.exemplars) readExemplar(from, draft);
      else if (field === NUMBER.attributes) readAttribute(from, draft.attributes);
      else if (field === NUMBER.flags) draft.flags = from.uint();
      else from.skip();
    }
    return { ...partsOf(draft), kind, value };
  };
}

function readHistogram(from: ProtobufReader, draft: PointDraft): MetricPoint {
  const counts: number[] = [];
  const bounds: number[] = [];
  let count = 0;
  let sum = 0;
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === HISTOGRAM.start) from.nanos(draft.start);
    else if (field === HISTOGRAM.count) count = from.fixed64();
    else if (field === HISTOGRAM.sum) sum = from.double();
    else if (field === HISTOGRAM.counts) from.fixed64s(counts, MOST_BUCKETS + 2);
    else if (field === HISTOGRAM.bounds) from.doubles(bounds, MOST_BUCKETS + 1);
    else if (field === HISTOGRAM.exemplars) readExemplar(from, draft);
    else if (field === HISTOGRAM.attributes) readAttribute(from, draft.attributes);
    else if (field === HISTOGRAM.flags) draft.flags = from.uint();
    else from.skip();
  }
  return { ...partsOf(draft), kind: 'histogram', count, sum, bounds, counts };
}

function readExponential(from: ProtobufReader, draft: PointDraft): MetricPoint {
  const point = {
    count: 0,
    sum: 0,
    scale: 0,
    zeroCount: 0,
    positive: { offset: 0, counts: [] as number[] },
    negative: { offset: 0, counts: [] as number[] },
  };
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === EXPONENTIAL.start) from.nanos(draft.start);
    else if (field === EXPONENTIAL.count) point.count = from.fixed64();
    else if (field === EXPONENTIAL.sum) point.sum = from.double();
    else if (field === EXPONENTIAL.scale) point.scale = from.sint32();
    else if (field === EXPONENTIAL.zeroCount) point.zeroCount = from.fixed64();
    else if (field === EXPONENTIAL_PARTS.positive) readBuckets(from, point.positive);
    else if (field === EXPONENTIAL_PARTS.negative) readBuckets(from, point.negative);
    else if (field === EXPONENTIAL_PARTS.exemplars) readExemplar(from, draft);
    else if (field === EXPONENTIAL.attributes) readAttribute(from, draft.attributes);
    else if (field === EXPONENTIAL_PARTS.flags) draft.flags = from.uint();
    else from.skip();
  }
  return { ...partsOf(draft), ...toExplicit(point) };
}

function readBuckets(from: ProtobufReader, into: Buckets): void {
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === BUCKETS.offset) into.offset = from.sint32();
    else if (field === BUCKETS.counts) from.uints(into.counts, MOST_BUCKETS);
    else from.skip();
  }
  from.leave(outer);
}

function readSummary(from: ProtobufReader, draft: PointDraft): MetricPoint {
  const quantiles: { quantile: number; value: number }[] = [];
  let count = 0;
  let sum = 0;
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === SUMMARY.start) from.nanos(draft.start);
    else if (field === SUMMARY.count) count = from.fixed64();
    else if (field === SUMMARY.sum) sum = from.double();
    else if (field === SUMMARY.quantiles && quantiles.length < MOST_QUANTILES) quantiles.push(readQuantile(from));
    else if (field === SUMMARY.attributes) readAttribute(from, draft.attributes);
    else if (field === SUMMARY.flags) draft.flags = from.uint();
    else from.skip();
  }
  return { ...partsOf(draft), kind: 'summary', count, sum, quantiles };
}

function readQuantile(from: ProtobufReader): { quantile: number; value: number } {
  const read = { quantile: 0, value: 0 };
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === QUANTILE.quantile) read.quantile = from.double();
    else if (field === QUANTILE.value) read.value = from.double();
    else from.skip();
  }
  from.leave(outer);
  return read;
}

function readExemplar(from: ProtobufReader, draft: PointDraft): void {
  const time: Nanos = { low: 0, high: 0 };
  let value = 0;
  let traceId = '';
  let spanId = '';
  const outer = from.enter();
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === EXEMPLAR.time) from.nanos(time);
    else if (field === EXEMPLAR.double) value = from.double();
    else if (field === EXEMPLAR.int) value = from.sfixed64();
    else if (field === EXEMPLAR.spanId) spanId = from.hex(SPAN_ID_BYTES);
    else if (field === EXEMPLAR.traceId) traceId = from.hex(TRACE_ID_BYTES);
    else from.skip();
  }
  from.leave(outer);
  // One that leads nowhere is none.
  if (draft.exemplars.length < MOST_EXEMPLARS && hasIds({ traceId, spanId }))
    draft.exemplars.push({ value, time: toMs(time), traceId, spanId });
}

const READERS: ReadonlyMap<number, ReadPoint> = new Map([
  [METRIC.gauge, readNumber('gauge')],
  [METRIC.sum, readNumber('sum')],
  [METRIC.histogram, readHistogram],
  [METRIC.exponential, readExponential],
  [METRIC.summary, readSummary],
]);

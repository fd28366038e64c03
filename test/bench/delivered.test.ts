import { describe, expect, test } from 'vitest';
import { loadBench, type Variant, variantOf } from './modules.ts';

interface Span {
  traceId: string;
  spanId: string;
  server: boolean;
  here: boolean;
  ended: boolean;
}
interface Told {
  requests: number;
  events: number;
  sent: number;
  lost: number;
}
interface Delivered {
  wrongSpans(variant: Variant, spans: readonly Span[], requests: number): string[];
  wrongSeries(variant: Variant, told: { before: Told; after: Told; since: number; all: number }): string[];
}
interface Lines {
  wrongIn(log: string, variant: Variant, requests: number, spans: readonly Span[]): string[];
}
const { wrongSpans, wrongSeries } = await loadBench<Delivered>('delivered.mjs');
const { wrongIn } = await loadBench<Lines>('lines.mjs');

const binnacle = variantOf('binnacle');
const sampled = variantOf('binnacle-10');
const hex = (value: number, length: number): string => value.toString(16).padStart(length, '0');
const spansOf = (count: number, from = 1): Span[] =>
  Array.from({ length: count }, (_, at) => ({
    traceId: hex(from + at, 32),
    spanId: hex(from + at, 16),
    server: true,
    here: true,
    ended: true,
  }));

describe('spans', () => {
  test('one a request is right, one less or one more is not', () => {
    expect(wrongSpans(binnacle, spansOf(100), 100)).toEqual([]);
    expect(wrongSpans(binnacle, spansOf(99), 100)).toEqual(['99 spans of 100 requests']);
    expect(wrongSpans(binnacle, spansOf(101), 100)).toEqual(['101 spans of 100 requests']);
  });

  test('of 10% as many are right as chance allows', () => {
    expect(wrongSpans(sampled, spansOf(1000), 10_000)).toEqual([]);
    // Five standard deviations are 150.
    expect(wrongSpans(sampled, spansOf(860), 10_000)).toEqual([]);
    expect(wrongSpans(sampled, spansOf(840), 10_000)).toEqual(['840 spans of 10000 requests, 10% of them sampled']);
    expect(wrongSpans(sampled, spansOf(1160), 10_000)).toHaveLength(1);
    expect(wrongSpans(sampled, spansOf(10_000), 10_000)).toHaveLength(1);
  });

  test('of one that sends none, one is too many', () => {
    expect(wrongSpans(variantOf('bare'), [], 100)).toEqual([]);
    expect(wrongSpans(variantOf('binnacle-unsent'), spansOf(1), 100)).toEqual(['1 spans of 100 requests']);
  });

  test('ids that repeat, ids that are none and spans that did not end are wrong', () => {
    const [first, second] = spansOf(2) as [Span, Span];
    expect(wrongSpans(binnacle, [first, { ...second, spanId: first.spanId }], 2)).toEqual([
      'span ids that are not unique',
    ]);
    expect(wrongSpans(binnacle, [first, { ...second, traceId: first.traceId }], 2)).toEqual([
      'trace ids that are not unique',
    ]);
    expect(wrongSpans(binnacle, [first, { ...second, spanId: 'none' }], 2)).toEqual(['ids that are none']);
    expect(wrongSpans(binnacle, [first, { ...second, ended: false }], 2)).toEqual(['spans without a start or an end']);
  });
});

describe('series', () => {
  const before = { requests: 5, events: 0, sent: 0, lost: 0 };
  const wrong = (variant: Variant, after: Partial<Told>, since = 10, all = 15): string[] =>
    wrongSeries(variant, { before, after: { requests: 15, events: 2000, sent: 0, lost: 15, ...after }, since, all });

  test('every request is one observation', () => {
    expect(wrong(binnacle, {})).toEqual([]);
    expect(wrong(binnacle, { requests: 14 })).toEqual(['the histogram counted 9 of 10 requests']);
    expect(wrong(variantOf('bare'), { requests: 0 })).toEqual([]);
  });

  test('every event of every stream is counted', () => {
    expect(wrong(variantOf('stream-binnacle'), {})).toEqual([]);
    expect(wrong(variantOf('stream-binnacle'), { events: 1999 })).toEqual(['1999 events were counted of 2000']);
  });

  test('with the collector unreachable every span is lost, and none is called sent', () => {
    expect(wrong(variantOf('binnacle-lost'), {})).toEqual([]);
    expect(wrong(variantOf('binnacle-lost'), { lost: 14 })).toEqual(['0 spans sent and 14 lost, of 15']);
    expect(wrong(variantOf('binnacle-lost'), { sent: 1, lost: 14 })).toHaveLength(1);
  });
});

describe('lines', () => {
  const line = (fields: object): string => JSON.stringify({ message: 'Request completed', ...fields });
  const lineOf = ({ traceId, spanId }: Span, flags = '01'): string =>
    line({ trace_id: traceId, span_id: spanId, trace_flags: flags });
  const [first, second] = spansOf(2) as [Span, Span];

  test('one a request, with the ids of its span; other lines do not count', () => {
    const log = `${lineOf(first)}\n{"message":"listens"}\n${lineOf(second)}\n`;
    expect(wrongIn(log, binnacle, 2, [first, second])).toEqual([]);
    expect(wrongIn(log, binnacle, 3, [first, second])).toContain('2 log lines of 3');
  });

  test('what is no JSON is wrong', () => {
    expect(wrongIn(`${lineOf(first)}\n{"message":\n`, binnacle, 1, [first])).toEqual(['1 lines that are not JSON']);
  });

  test('ids of a trace that did not arrive, or of another span, are wrong', () => {
    const stray = 'log lines whose ids are not those of a span that arrived';
    expect(wrongIn(`${lineOf(second)}\n`, binnacle, 1, [first])).toEqual([`1 ${stray}`]);
    const other = { ...first, spanId: hex(9, 16) };
    expect(wrongIn(`${lineOf(other)}\n`, binnacle, 1, [first])).toEqual([`1 ${stray}`]);
    // The usual stack writes its lines under spans of its own within the trace.
    expect(wrongIn(`${lineOf(other)}\n${lineOf(other)}\n`, variantOf('usual'), 1, [first])).toEqual([]);
  });

  test('those of a request that was not sampled lead to no trace, and say so', () => {
    const dark = lineOf(second, '00');
    expect(wrongIn(`${lineOf(first)}\n${dark}\n`, sampled, 2, [first])).toEqual([]);
    expect(wrongIn(`${lineOf(first)}\n${dark}\n`, sampled, 2, [first, second])).toHaveLength(2);
    expect(wrongIn(`${lineOf(first)}\n${line({ trace_flags: '00' })}\n`, sampled, 2, [first])).toHaveLength(1);
  });

  test('a session of fit-check leaves its lines by its id', () => {
    const of = (message: string): string => line({ message, trace_id: first.traceId, trace_flags: '01' });
    const lines = Array.from({ length: 11 }, () => of('[bench-1] Phase started: verdict'));
    expect(
      wrongIn([...lines, of('[bench-1] Request completed')].join('\n'), variantOf('fit-binnacle'), 1, [first]),
    ).toEqual([]);
    expect(wrongIn(lines.join('\n'), variantOf('fit-binnacle'), 1, [first])).toContain('11 log lines of 12');
  });
});

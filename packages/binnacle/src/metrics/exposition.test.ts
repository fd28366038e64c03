import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry as PromRegistry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { CONTENT_TYPES, expose, type Format, negotiate } from './exposition.ts';
import { Family } from './family.ts';

async function print(families: readonly Family[], format: Format): Promise<string> {
  let text = '';
  for await (const chunk of expose(families, [], format)) text += chunk;
  return text;
}

/** Lines in one order, labels in one order, so that two writers can be compared; prom-client spells NaN "Nan". */
function canonical(text: string): string[] {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/ Nan$/, ' NaN'));
  return lines
    .map((line) => {
      const [, name, labels, rest] = /^([^#{ ]+)\{(.*)\} (.*)$/.exec(line) ?? [];
      if (labels === undefined) return line;
      return `${name}{${[...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(String).sort()}} ${rest}`;
    })
    .sort();
}

const nasty = ['plain', 'a "quoted" one', 'back\\slash', 'two\nlines', 'ünïcode ✓', 'a,b="c"} 1'];
const values = [0, 1, 0.1, 1e-7, 1e21, 123456789.25, Number.MAX_SAFE_INTEGER];
const levels = [...values, -1, Number.NaN, Infinity, -Infinity];
const help = 'Help with \\ and\na new line.';

function ours(): Family[] {
  const common = { maxSeries: 100, onFold: () => {}, help };
  const counter = new Family({ ...common, kind: 'counter', name: 'jobs_total', labels: ['queue', 'state'] });
  const gauge = new Family({ ...common, kind: 'gauge', name: 'depth', labels: ['queue'] });
  const bare = new Family({ ...common, kind: 'gauge', name: 'bare', labels: [] });
  const histogram = new Family({
    ...common,
    kind: 'histogram',
    name: 'time_seconds',
    labels: ['q'],
    buckets: [0.1, 1, 2.5],
  });
  for (const [i, queue] of nasty.entries()) counter.bind({ queue, state: 'ok' }).inc(values[i]);
  for (const [queue, value] of levels.entries()) gauge.bind({ queue }).set(value);
  bare.bind({}).set(3);
  for (const q of nasty) for (const value of values) histogram.bind({ q }).observe(value);
  return [counter, gauge, bare, histogram];
}

function theirs(registers: PromRegistry[]): void {
  const counter = new Counter({ name: 'jobs_total', help, labelNames: ['queue', 'state'], registers });
  const gauge = new Gauge({ name: 'depth', help, labelNames: ['queue'], registers });
  const bare = new Gauge({ name: 'bare', help, registers });
  const histogram = new Histogram({ name: 'time_seconds', help, labelNames: ['q'], buckets: [0.1, 1, 2.5], registers });
  for (const [i, queue] of nasty.entries()) counter.inc({ queue, state: 'ok' }, values[i] ?? 0);
  for (const [queue, value] of levels.entries()) gauge.set({ queue }, value);
  bare.set(3);
  for (const q of nasty) for (const value of values) histogram.observe({ q }, value);
}

describe('the same data as prom-client prints it', () => {
  test('in the text format', async () => {
    const registry = new PromRegistry();
    theirs([registry]);
    expect(canonical(await print(ours(), 'prometheus'))).toEqual(canonical(await registry.metrics()));
  });

  test('in OpenMetrics', async () => {
    const registry = new PromRegistry();
    registry.setContentType(PromRegistry.OPENMETRICS_CONTENT_TYPE as never);
    theirs([registry]);
    expect(canonical(await print(ours(), 'openmetrics'))).toEqual(canonical(await registry.metrics()));
  });
});

describe('the text', () => {
  test('a family is its help, its type and its series together; one without series is left out', async () => {
    const empty = new Family({ kind: 'gauge', name: 'empty', help: '', labels: ['a'], maxSeries: 1, onFold: () => {} });
    const full = new Family({
      kind: 'counter',
      name: 'jobs_total',
      help: 'Jobs.',
      labels: [],
      maxSeries: 1,
      onFold: () => {},
    });
    full.bind({}).inc(2);
    expect(await print([empty, full], 'prometheus')).toBe(
      '# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total 2\n',
    );
    expect(await print([empty, full], 'openmetrics')).toBe(
      '# HELP jobs Jobs.\n# TYPE jobs counter\njobs_total 2\n# EOF\n',
    );
    expect(await print([], 'prometheus')).toBe('');
    expect(await print([], 'openmetrics')).toBe('# EOF\n');
  });

  test('quotes in help are escaped in OpenMetrics only', async () => {
    const family = new Family({ kind: 'gauge', name: 'g', help: 'a "b"', labels: [], maxSeries: 1, onFold: () => {} });
    family.bind({});
    expect(await print([family], 'prometheus')).toContain('# HELP g a "b"\n');
    expect(await print([family], 'openmetrics')).toContain('# HELP g a \\"b\\"\n');
  });

  test('cumulative counts of a histogram equal a naive count', async () => {
    const bounds = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
      minLength: 1,
      maxLength: 12,
      comparator: (a, b) => a === b,
    });
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(fc.double(), { maxLength: 100 }), async (unsorted, observed) => {
        const buckets = unsorted.sort((a, b) => a - b);
        const family = new Family({
          kind: 'histogram',
          name: 'h',
          help: '',
          labels: [],
          buckets,
          maxSeries: 1,
          onFold: () => {},
        });
        const cell = family.bind({});
        for (const value of observed) cell.observe(value);
        const finite = observed.filter(Number.isFinite);
        const text = await print([family], 'prometheus');
        const counts = [...text.matchAll(/^h_bucket\{le="(.*)"\} (\d+)$/gm)].map(([, le, count]) => [
          le,
          Number(count),
        ]);
        expect(counts).toEqual([
          ...buckets.map((bound) => [String(bound), finite.filter((value) => value <= bound).length]),
          ['+Inf', finite.length],
        ]);
        expect(/^h_count (\d+)$/m.exec(text)?.[1]).toBe(String(finite.length));
        expect(cell.sum).toBe(finite.reduce((sum, value) => sum + value, 0));
      }),
    );
  });
});

test.each<[string | undefined, Format]>([
  [undefined, 'prometheus'],
  ['', 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain', 'prometheus'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
  ['application/json', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['Application/OpenMetrics-Text;Version=0.0.1', 'openmetrics'],
  ['application/openmetrics-text;version=2.0.0', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=0.2,text/plain;q=0.9', 'prometheus'],
  ['text/plain;q=0.2,application/openmetrics-text;q=0.9', 'openmetrics'],
  ['text/plain;q=nonsense,application/openmetrics-text;q=0.1', 'openmetrics'],
  // Prometheus 2.42
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  // Prometheus 2.55 with native histograms
  [
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  // Prometheus 3
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  // Prometheus 3 told to take the text format (scrape_protocols)
  ['text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1', 'prometheus'],
])('Accept: %s gives %s', (accept, format) => {
  expect(negotiate(accept)).toBe(format);
});

test('the content types are those of the two formats', () => {
  expect(CONTENT_TYPES.prometheus).toBe(PromRegistry.PROMETHEUS_CONTENT_TYPE);
  expect(CONTENT_TYPES.openmetrics).toBe(PromRegistry.OPENMETRICS_CONTENT_TYPE);
});

describe('exemplars', () => {
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  const family = (): Family =>
    new Family({ kind: 'histogram', name: 't', help: '', labels: [], buckets: [1, 2], maxSeries: 1, onFold: () => {} });

  test('are a sampled span of a bucket, a new one each second, in OpenMetrics alone', async () => {
    const histogram = family();
    const endedAt = 1_700_000_000_000;
    histogram.bind({}).observe(0.5, { ...span, spanId: '0000000000000001', endedAt });
    histogram.bind({}).observe(0.25, { ...span, endedAt: endedAt + 1000 });
    histogram.bind({}).observe(0.75, { ...span, spanId: '0000000000000003', endedAt: endedAt + 1999 });
    histogram.bind({}).observe(1.5);
    histogram.bind({}).observe(9, { ...span, traceFlags: 0 });
    const lines = (await print([histogram], 'openmetrics')).split('\n').filter((line) => line.includes('_bucket'));
    expect(lines[0]).toMatch(
      /^t_bucket\{le="1"\} 3 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0.25 1700000001\.000$/,
    );
    expect(lines.slice(1)).toEqual(['t_bucket{le="2"} 4', 't_bucket{le="+Inf"} 5']);
    expect(await print([histogram], 'prometheus')).not.toContain('trace_id');
  });
});

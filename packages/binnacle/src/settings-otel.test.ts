import { describe, expect, test } from 'vitest';
import { describeProblem, type Problem } from './environment.ts';
import { type OtelSettings, readOtelSettings } from './settings-otel.ts';

function read(env: Record<string, string>): { settings: OtelSettings; warnings: Problem[] } {
  const warnings: Problem[] = [];
  return { settings: readOtelSettings(env, warnings), warnings };
}

interface Row {
  readonly variable: string;
  readonly value: (settings: OtelSettings) => unknown;
  readonly fallback: unknown;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  readonly bad: readonly string[];
  readonly beside?: Record<string, string>;
}

const BATCH = ['-1', 'many', '1.5'];
const ROWS: readonly Row[] = [
  {
    variable: 'OTEL_SDK_DISABLED',
    value: (s) => s.disabled,
    fallback: false,
    good: [
      ['true', true],
      ['TRUE', true],
      ['false', false],
    ],
    bad: ['1', 'yes'],
  },
  { variable: 'OTEL_SERVICE_NAME', value: (s) => s.serviceName, fallback: undefined, good: [['a', 'a']], bad: [] },
  {
    variable: 'OTEL_RESOURCE_ATTRIBUTES',
    value: (s) => s.resource,
    fallback: {},
    good: [
      ['a=1, b = x%2Cy ,', { a: '1', b: 'x,y' }],
      ['a=b=c', { a: 'b=c' }],
      ['a=', { a: '' }],
    ],
    bad: ['a', '=1', 'a=%zz'],
  },
  {
    variable: 'OTEL_PROPAGATORS',
    value: (s) => s.propagators,
    fallback: ['tracecontext', 'baggage'],
    good: [
      ['baggage', ['baggage']],
      ['none', []],
      ['tracecontext, tracecontext', ['tracecontext']],
    ],
    bad: ['b3', 'tracecontext,jaeger'],
  },
  {
    variable: 'OTEL_TRACES_EXPORTER',
    value: (s) => s.exporter,
    fallback: 'none',
    good: [
      ['otlp', 'otlp'],
      ['Console', 'console'],
      ['none', 'none'],
    ],
    bad: ['zipkin', 'otlp,console'],
  },
  {
    variable: 'OTEL_TRACES_SAMPLER',
    value: (s) => s.sampler,
    fallback: { name: 'parentbased_always_on', ratio: 1 },
    good: [
      ['always_off', { name: 'always_off', ratio: 1 }],
      ['traceidratio', { name: 'traceidratio', ratio: 1 }],
      ['parentbased_traceidratio', { name: 'parentbased_traceidratio', ratio: 1 }],
    ],
    bad: ['dice', 'jaeger_remote'],
  },
  {
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    value: (s) => s.sampler.ratio,
    fallback: 1,
    good: [
      ['0.25', 0.25],
      ['0', 0],
      ['1', 1],
    ],
    bad: ['1.1', '-0.1', 'half', 'NaN'],
    beside: { OTEL_TRACES_SAMPLER: 'traceidratio' },
  },
  {
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    value: (s) => s.otlp.url,
    fallback: 'http://localhost:4318/v1/traces',
    good: [
      ['http://c:1', 'http://c:1/v1/traces'],
      ['https://c/base/', 'https://c/base/v1/traces'],
    ],
    bad: ['c:4318', 'grpc://c'],
  },
  {
    variable: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    value: (s) => s.otlp.url,
    fallback: 'http://localhost:4318/v1/traces',
    good: [['http://c:1/t', 'http://c:1/t']],
    bad: ['/v1/traces'],
  },
  ...['OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'].map((variable) => ({
    variable,
    value: (s: OtelSettings) => s.otlp.timeoutMs,
    fallback: 10_000,
    good: [['50', 50]] as const,
    bad: ['0', ...BATCH],
  })),
  ...['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'].map((variable) => ({
    variable,
    value: (s: OtelSettings) => s.otlp.protocol,
    fallback: 'http/protobuf',
    good: [
      ['http/json', 'http/json'],
      ['http/protobuf', 'http/protobuf'],
    ] as const,
    bad: ['grpc', 'json'],
  })),
  ...['OTEL_EXPORTER_OTLP_COMPRESSION', 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION'].map((variable) => ({
    variable,
    value: (s: OtelSettings) => s.otlp.compression,
    fallback: 'gzip',
    good: [
      ['none', 'none'],
      ['gzip', 'gzip'],
    ] as const,
    bad: ['zstd'],
  })),
  {
    variable: 'OTEL_BSP_SCHEDULE_DELAY',
    value: (s) => s.batch.scheduledDelayMs,
    fallback: 5000,
    good: [['0', 0]],
    bad: BATCH,
  },
  {
    variable: 'OTEL_BSP_EXPORT_TIMEOUT',
    value: (s) => s.batch.exportTimeoutMs,
    fallback: 30_000,
    good: [['1', 1]],
    bad: ['0', ...BATCH],
  },
  {
    variable: 'OTEL_BSP_MAX_QUEUE_SIZE',
    value: (s) => s.batch.maxQueueSize,
    fallback: 2048,
    good: [['4096', 4096]],
    bad: ['0', ...BATCH],
  },
  {
    variable: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    value: (s) => s.batch.maxExportBatchSize,
    fallback: 512,
    good: [
      ['64', 64],
      ['9999', 2048],
    ],
    bad: ['0', ...BATCH],
  },
  {
    variable: 'OTEL_NODE_EXCLUDED_URLS',
    value: (s) => s.excludedUrls.map((pattern) => pattern.source),
    fallback: ['^(?:\\/metrics)', '^(?:\\/health.*)'],
    good: [['/a|/b, /c', ['^(?:\\/a|\\/b)', '^(?:\\/c)']]],
    bad: ['/a(', '/a,['],
  },
];

describe.each(ROWS)('$variable', ({ variable, value, fallback, good, bad, beside = {} }) => {
  test('unset, empty and blank are the default, and good values are taken, without a warning', () => {
    for (const [text, wanted] of [['', fallback], [' ', fallback], ...good] as const) {
      const { settings, warnings } = read({ ...beside, [variable]: text });
      expect(value(settings), text).toEqual(wanted);
      expect(warnings).toEqual([]);
    }
    expect(value(read(beside).settings)).toEqual(fallback);
  });
  test('bad values warn with variable, value and what is allowed, and fall back', () => {
    for (const text of bad) {
      const { settings, warnings } = read({ ...beside, [variable]: text });
      expect(value(settings), text).toEqual(fallback);
      expect(warnings.map(describeProblem), text).toEqual([
        expect.stringContaining(`${variable}="${text}" is not usable: allowed is `),
      ]);
    }
  });
});

test.each(['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'])('%s', (variable) => {
  expect(read({ [variable]: 'authorization=Bearer%20x, a = b' }).settings.otlp.headers).toEqual({
    authorization: 'Bearer x',
    a: 'b',
  });
  const { settings, warnings } = read({ [variable]: 'secret-without-equals' });
  expect(settings.otlp.headers).toEqual({});
  expect(warnings.map(describeProblem)).toEqual([expect.stringMatching(new RegExp(`^${variable}=\\(withheld\\) is`))]);
});

test("the signal's own variables win over the general ones", () => {
  const { otlp } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own/path',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=general,b=general',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=own',
  }).settings;
  expect(otlp).toEqual({
    url: 'http://own/path',
    headers: { a: 'general', b: 'own' },
    timeoutMs: 2,
    protocol: 'http/json',
    compression: 'none',
  });
});

test('spans are sent where an endpoint is set, unless the exporter says otherwise', () => {
  const exporter = (env: Record<string, string>) => read(env).settings.exporter;
  expect(exporter({})).toBe('none');
  expect(exporter({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' })).toBe('otlp');
  expect(exporter({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c' })).toBe('otlp');
  expect(exporter({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_EXPORTER: 'none' })).toBe('none');
});

test("an endpoint's user, password and query are not told", () => {
  const [warning] = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://me:secret@c:4317/?k=secret' }).warnings;
  expect(warning?.value).toBe('"grpc://c:4317/"');
});

test('an argument without a sampler warns and is ignored', () => {
  const { settings, warnings } = read({ OTEL_TRACES_SAMPLER_ARG: '0.5' });
  expect(settings.sampler).toEqual({ name: 'parentbased_always_on', ratio: 1 });
  expect(warnings.map(describeProblem)).toEqual([expect.stringMatching(/^OTEL_TRACES_SAMPLER_ARG="0\.5" .*ignored/)]);
});

test('a wrong sampler is one warning, with its argument beside it too', () => {
  expect(read({ OTEL_TRACES_SAMPLER: 'dice', OTEL_TRACES_SAMPLER_ARG: '0.5' }).warnings).toHaveLength(1);
});

test('excluded URLs are anchored at the start of the path', () => {
  const [metrics, health] = read({}).settings.excludedUrls;
  expect(metrics?.test('/metrics')).toBe(true);
  expect(metrics?.test('/api/metrics')).toBe(false);
  expect(health?.test('/health/ready')).toBe(true);
  expect(health?.test('/api/health')).toBe(false);
});

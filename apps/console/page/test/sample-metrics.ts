/** Five minutes of metrics of a service like fit-check. */
import type { MetricFamily, MetricSeries, MetricsUpdate } from '../model/wire.ts';
import { chance } from './random.ts';

const HTTP_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300, 600];
const AI_BOUNDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
];
const DB_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
export const STEP_MS = 2000;

interface Row {
  readonly family: MetricFamily;
  readonly labels: Readonly<Record<string, string>>;
  /** Observations of two seconds, for a counter one for each; of a gauge its value at a moment. */
  readonly act: (at: number) => readonly number[] | number;
}

export interface SampleMetrics {
  readonly first: MetricsUpdate;
  /** The next two seconds. */
  next(time: number): MetricsUpdate;
}

const dice = chance(7);
const wave = (at: number, period: number, depth: number): number => 1 + depth * Math.sin((at / period) * 2 * Math.PI);
const observations = (count: number, median: number, spread: number): number[] =>
  Array.from(
    { length: Math.max(0, Math.round(count)) },
    () => median * Math.exp((dice.next() + dice.next() + dice.next() - 1.5) * spread),
  );

const histogram = (name: string, help: string, bounds: readonly number[], unit = 's'): MetricFamily => ({
  name,
  type: 'histogram',
  help,
  unit,
  bounds,
});
const gauge = (name: string, help: string, unit = ''): MetricFamily => ({ name, type: 'gauge', help, unit });
const counter = (name: string, help: string, unit = ''): MetricFamily => ({ name, type: 'counter', help, unit });

const http = histogram(
  'http_server_request_duration_seconds',
  'Time from the request to the last byte of its answer.',
  HTTP_BOUNDS,
);
const route = (method: string, path: string, code: string, errorType = ''): Record<string, string> => ({
  http_request_method: method,
  url_scheme: 'http',
  http_route: path,
  http_response_status_code: code,
  error_type: errorType,
});
const ai = histogram(
  'gen_ai_client_operation_duration_seconds',
  'Time of AI operations to their last chunk.',
  AI_BOUNDS,
);
const firstChunk = histogram(
  'gen_ai_client_operation_time_to_first_chunk_seconds',
  'Time to the first chunk of a streamed operation.',
  AI_BOUNDS,
);
const model = (name: string, provider: string): Record<string, string> => ({
  gen_ai_operation_name: 'chat',
  gen_ai_provider_name: provider,
  gen_ai_request_model: name,
  error_type: '',
});
const db = histogram('db_client_operation_duration_seconds', 'Time of calls to databases and Redis.', DB_BOUNDS);
const spans = counter('binnacle_spans_total', 'Spans by what became of them: exported, dropped, failed, kept.');
const requests = counter(
  'fit_check_requests_total',
  'Accepted sessions by outcome: success, error, timeout, cancelled.',
);
const breaker = gauge('fit_check_circuit_breaker_state', 'Circuit breaker state: 0 closed, 1 open, 2 half_open.');

const ROWS: readonly Row[] = [
  {
    family: http,
    labels: route('POST', '/api/fit-check/stream', '200'),
    act: (at) => observations(5 * wave(at, 60, 0.4), 2.4, 0.9),
  },
  {
    family: http,
    labels: route('POST', '/api/fit-check/stream', '200', 'stream_error'),
    act: (at) => observations(at % 23 < 4 ? 1 : 0, 1.4, 0.6),
  },
  {
    family: http,
    labels: route('GET', '/api/fit-check/sessions/:id', '200'),
    act: (at) => observations(12 * wave(at, 45, 0.3), 0.006, 1.1),
  },
  {
    family: http,
    labels: route('GET', '/api/fit-check/sessions/:id', '404'),
    act: (at) => observations(at % 9 === 0 ? 1 : 0, 0.003, 0.5),
  },
  { family: ai, labels: model('gpt-4.1-mini', 'openai'), act: (at) => observations(2 * wave(at, 60, 0.4), 2.8, 0.7) },
  {
    family: ai,
    labels: model('claude-sonnet-4-5', 'anthropic'),
    act: (at) => observations(1.5 * wave(at, 70, 0.4), 4.1, 0.6),
  },
  {
    family: ai,
    labels: model('embedded-analyst', 'embedded'),
    act: (at) => observations(1.2 * wave(at, 50, 0.4), 0.5, 0.5),
  },
  {
    family: firstChunk,
    labels: model('gpt-4.1-mini', 'openai'),
    act: (at) => observations(2 * wave(at, 60, 0.4), 0.38, 0.6),
  },
  {
    family: firstChunk,
    labels: model('claude-sonnet-4-5', 'anthropic'),
    act: (at) => observations(1.5 * wave(at, 70, 0.4), 0.6, 0.5),
  },
  {
    family: db,
    labels: { db_system_name: 'postgresql', db_operation_name: 'INSERT', error_type: '' },
    act: (at) => observations(6 * wave(at, 60, 0.4), 0.0016, 0.8),
  },
  {
    family: db,
    labels: { db_system_name: 'postgresql', db_operation_name: 'SELECT', error_type: '' },
    act: (at) => observations(9 * wave(at, 45, 0.5), 0.0022, 0.9),
  },
  {
    family: db,
    labels: { db_system_name: 'redis', db_operation_name: 'GET', error_type: '' },
    act: (at) => observations(11 * wave(at, 60, 0.4), 0.0006, 0.7),
  },
  {
    family: gauge('http_server_active_requests', 'Requests that are being answered now.'),
    labels: { http_request_method: 'POST', url_scheme: 'http' },
    act: (at) => Math.round(9 * wave(at, 40, 0.5)),
  },
  { family: requests, labels: { status: 'success' }, act: (at) => observations(5 * wave(at, 60, 0.4), 1, 0) },
  { family: requests, labels: { status: 'error' }, act: (at) => observations(at % 23 < 4 ? 1 : 0, 1, 0) },
  { family: requests, labels: { status: 'cancelled' }, act: (at) => observations(at % 17 === 0 ? 1 : 0, 1, 0) },
  { family: breaker, labels: { service: 'llm' }, act: (at) => (at % 120 > 100 ? 1 : 0) },
  { family: breaker, labels: { service: 'search' }, act: () => 0 },
  {
    family: gauge('system_cpu_utilization_ratio', 'Share of the available processors in use, 0 to 1.', '1'),
    labels: {},
    act: (at) => 0.34 * wave(at, 60, 0.35),
  },
  {
    family: gauge('system_memory_usage_bytes', 'Memory in use, of the container where it is limited.', 'By'),
    labels: {},
    act: (at) => 412e6 + 18e6 * wave(at, 90, 1),
  },
  { family: gauge('system_memory_limit_bytes', 'Memory available in all.', 'By'), labels: {}, act: () => 1024e6 },
  {
    family: gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', 'By'),
    labels: {},
    act: (at) => 148e6 + 6e6 * wave(at, 35, 1),
  },
  {
    family: gauge('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', 'By'),
    labels: {},
    act: (at) => 52e6 + 9e6 * ((at % 12) / 12),
  },
  {
    family: gauge('nodejs_eventloop_lag_p99_seconds', 'The 99th percentile of the recorded event loop delays.', 's'),
    labels: {},
    act: (at) => 0.0041 * wave(at, 30, 0.4),
  },
  { family: spans, labels: { result: 'exported' }, act: (at) => observations(90 * wave(at, 60, 0.4), 1, 0) },
  { family: spans, labels: { result: 'dropped' }, act: () => [] },
];

export function sampleMetrics(): SampleMetrics {
  const sums = ROWS.map(({ family }) =>
    family.type === 'histogram' ? [0, 0, ...(family.bounds ?? []).map(() => 0)] : [0],
  );
  const families = [...new Set(ROWS.map(({ family }) => family))];
  const series: MetricSeries[] = ROWS.map(({ family, labels }, id) => ({ id, family: family.name, labels }));
  let at = 0;
  const step = (time: number): MetricsUpdate => {
    at += 1;
    const values = ROWS.map(({ family, act }, id) => {
      const sum = sums[id] as number[];
      add(sum, family, act(at));
      return [id, ...sum];
    });
    return { time, values };
  };
  return { first: { ...step(0), families, series }, next: step };
}

function add(sum: number[], { type, bounds = [] }: MetricFamily, acts: readonly number[] | number): void {
  if (typeof acts === 'number') sum[0] = acts;
  else if (type === 'counter') sum[0] = (sum[0] as number) + acts.length;
  else {
    for (const value of acts) {
      sum[0] = (sum[0] as number) + value;
      sum[1] = (sum[1] as number) + 1;
      for (const [place, bound] of bounds.entries())
        if (value <= bound) sum[place + 2] = (sum[place + 2] as number) + 1;
    }
  }
}

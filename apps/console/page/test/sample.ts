/** All that a page is told by a service that has run for five minutes, the same each time. */
import type {
  ConsoleEventName,
  ConsoleEvents,
  HealthMoment,
  LiveMoment,
  LogRecord,
  TelemetryMoment,
} from '../model/wire.ts';
import { STEP_MS, sampleMetrics } from './sample-metrics.ts';
import { readRequest, type SampleRequest, SERVICE, streamRequest } from './sample-traces.ts';

export type Told = { readonly [K in ConsoleEventName]: readonly [name: K, data: ConsoleEvents[K]] }[ConsoleEventName];

export interface Sample {
  readonly now: number;
  readonly requests: readonly SampleRequest[];
  readonly events: readonly Told[];
}

const MINUTES = 5;
const REQUESTS = 110;
const A_MESSAGE = 400;

/** @param now the moment at which the page is opened */
export function sample(now: number): Sample {
  const requests = requestsUntil(now);
  const spans = requests
    .flatMap((one) => one.spans)
    .sort((one, other) => one.start + one.duration - other.start - other.duration);
  const chunks = requests.flatMap((one) => one.chunks);
  const lines = numbered([...requests.flatMap((one) => one.lines), ...ownLines(now)]);
  return {
    now,
    requests,
    events: [
      ...pieces(spans).map((some): Told => ['spans', some]),
      ['chunks', chunks],
      ...pieces(lines).map((some): Told => ['logs', some]),
      ...metricsUntil(now, requests),
      ...healthUntil(now),
      ['telemetry', telemetryAt(now)],
      ['live', liveAt(now)],
    ],
  };
}

function requestsUntil(now: number): SampleRequest[] {
  const endings = [
    'success',
    'success',
    'success',
    'success',
    'error',
    'success',
    'cancelled',
    'success',
    'success',
    'timeout',
  ] as const;
  return Array.from({ length: REQUESTS }, (_, at) => {
    const start = now - MINUTES * 60_000 + at * ((MINUTES * 60_000 - 9000) / REQUESTS);
    if (at % 3 !== 0) return readRequest(at + 1, start, at % 17 !== 1);
    return streamRequest(at + 1, start, endings[(at / 3) % endings.length]);
  });
}

function pieces<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / A_MESSAGE) }, (_, at) =>
    all.slice(at * A_MESSAGE, (at + 1) * A_MESSAGE),
  );
}

export function numbered(lines: readonly Omit<LogRecord, 'seq'>[], from = 1): LogRecord[] {
  return lines.toSorted((one, other) => one.time - other.time).map((line, at) => ({ seq: from + at, ...line }));
}

/** Lines outside of any request. */
function ownLines(now: number): Omit<LogRecord, 'seq'>[] {
  const line = (
    before: number,
    level: LogRecord['level'],
    logger: string,
    message: string,
    fields = {},
  ): Omit<LogRecord, 'seq'> => ({
    time: now - before,
    level,
    logger,
    message,
    service: SERVICE,
    fields,
  });
  return [
    line(290_000, 'INFO', SERVICE, 'Listening on http://localhost:8000', { port: 8000 }),
    line(150_000, 'WARNING', 'otel', 'The exporter cannot reach http://collector:4318: ECONNREFUSED; spans wait', {
      queue: 812,
    }),
    line(96_000, 'WARNING', 'breaker', 'Breaker llm: closed → open', { service: 'llm', from: 'closed', to: 'open' }),
    line(66_000, 'INFO', 'breaker', 'Breaker llm: open → half_open', { service: 'llm', from: 'open', to: 'half_open' }),
    line(64_000, 'INFO', 'breaker', 'Breaker llm: half_open → closed', {
      service: 'llm',
      from: 'half_open',
      to: 'closed',
    }),
    line(30_000, 'INFO', 'otel', 'The exporter reaches http://collector:4318 again; nothing was lost', {
      outage_ms: 120_000,
    }),
  ];
}

function metricsUntil(now: number, requests: readonly SampleRequest[]): Told[] {
  const metrics = sampleMetrics();
  const begin = now - MINUTES * 60_000;
  const updates: Told[] = [['metrics', { ...metrics.first, time: begin }]];
  for (let time = begin + STEP_MS; time <= now; time += STEP_MS) updates.push(['metrics', metrics.next(time)]);
  const exemplars = requests
    .flatMap(({ spans }) => spans.filter(({ kind }) => kind === 'server'))
    .filter((_, at) => at % 6 === 0)
    .map(({ traceId, spanId, duration, start, attributes }) => ({
      series: attributes['http.route'] === '/api/fit-check/stream' ? 0 : 2,
      value: duration / 1000,
      time: start + duration,
      traceId,
      spanId,
    }));
  return [...updates, ['metrics', { time: now, values: [], exemplars }]];
}

function healthUntil(now: number): Told[] {
  return Array.from({ length: 40 }, (_, at): Told => ['health', healthAt(now - (39 - at) * 5000, 39 - at)]);
}

/** @param before how many reports before the newest one */
export function healthAt(time: number, before = 0): HealthMoment {
  const llm = before > 12 && before < 19 ? 'open' : before === 12 ? 'half_open' : 'closed';
  const ill = before > 12 && before < 19;
  return {
    time,
    status: ill || before < 3 ? 'degraded' : 'healthy',
    checks: {
      database: { status: 'healthy', critical: true, duration_ms: 1.2 },
      redis: { status: 'healthy', critical: false, duration_ms: 0.5 },
      disk: { status: 'healthy', critical: true, duration_ms: 0.2 },
      memory: { status: 'healthy', critical: false, duration_ms: 0.1 },
      event_loop: { status: 'healthy', critical: false, duration_ms: 0.1 },
      llm: ill
        ? { status: 'degraded', critical: false, duration_ms: 1000, error: 'timeout' }
        : { status: 'healthy', critical: false, duration_ms: 41 },
      search:
        before < 3
          ? { status: 'degraded', critical: false, duration_ms: 3, error: 'ECONNREFUSED' }
          : { status: 'healthy', critical: false, duration_ms: 12 },
    },
    breakers: [
      { service: 'llm', state: llm },
      { service: 'search', state: 'closed' },
    ],
    uptime: 300_000 - before * 5000,
  };
}

export function telemetryAt(time: number): TelemetryMoment {
  return {
    time,
    exporter: { kind: 'otlp http/protobuf', endpoint: 'http://collector:4318/v1/traces', up: true },
    spans: { exported: 13_204, dropped: 0, failed: 12, kept: 41 },
    queues: [
      { name: 'spans', size: 182, limit: 2048, bytes: 61_400 },
      { name: 'lines', size: 4, limit: 10_000, bytes: 1900 },
    ],
    logs: { dropped: 0, withoutContext: 3 },
    series: [
      { metric: 'http_server_request_duration_seconds', count: 1644, budget: 2000, folded: 0 },
      { metric: 'db_client_operation_duration_seconds', count: 300, budget: 300, folded: 41 },
      { metric: 'gen_ai_client_operation_duration_seconds', count: 36, budget: 1000, folded: 0 },
      { metric: 'fit_check_requests_total', count: 4, budget: 1000, folded: 0 },
    ],
    store: [
      { signal: 'spans', count: 9120, bytes: 6_400_000, limitBytes: 16_777_216, evicted: 0 },
      { signal: 'logs', count: 50_000, bytes: 12_900_000, limitBytes: 16_777_216, evicted: 18_233 },
      { signal: 'metrics', count: 212, bytes: 1_900_000, limitBytes: 16_777_216, evicted: 0 },
    ],
  };
}

export function liveAt(now: number): LiveMoment {
  const phases = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'];
  const ends = [12, 320, 380, 405];
  const running = [4230, 3400, 2610, 1480, 700, 260, 90].map((age, at) => {
    const start = now - age;
    const reached = ends.filter((end) => age > end).length;
    return {
      id: `0f8fad5b-d9cb-469f-a165-7086772895${at}0`,
      method: 'POST',
      route: '/api/fit-check/stream',
      start,
      traceId: `${at}`.repeat(32),
      sessionId: `s-5c1e${at}a77`,
      phases: phases.slice(0, reached + 1).map((name, place) => {
        const from = place === 0 ? 0 : (ends[place - 1] as number);
        return place < reached
          ? { name, start: start + from, duration: (ends[place] as number) - from }
          : { name, start: start + from };
      }),
      bytes: Math.max(420, Math.round((age - 400) * 4.6)),
      events: Math.max(3, Math.round((age - 400) / 31)),
      firstByte: 4.2,
    };
  });
  const plain = {
    id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    method: 'GET',
    route: '/api/fit-check/sessions/:id',
    start: now - 34,
    traceId: 'b'.repeat(32),
    phases: [],
    bytes: 0,
    events: 0,
  };
  return { time: now, requests: [...running, plain], total: running.length + 1 };
}

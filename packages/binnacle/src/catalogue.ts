/**
 * Every metric once: name, unit, labels, buckets, help. Docs, dashboards, rules and tests read this table.
 *
 * Names follow OpenTelemetry's semantic conventions written the Prometheus way
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/); the GenAI names are copied
 * from the convention's own repository (`semantic-conventions-genai`, in development), as of 2026-11.
 * `namespaced` metrics get the service's namespace in front (`fit_check_requests_total`).
 */

import { type Definition, ownCatalogue } from './catalogue-own.ts';

export type { AcrossWorkers, Definition, Kind } from './catalogue-own.ts';

/** Named bucket boundaries; `+Inf` is added by the exposition. */
export const bucketSets = {
  http: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300, 600],
  size: [100, 1e3, 1e4, 1e5, 1e6, 1e7],
  gap: [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60],
  request: [1, 5, 10, 30, 60, 120, 300, 600],
  phase: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
  llm: [0.5, 1, 2, 5, 10, 30],
  genAiDuration: [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
  ],
  genAiTokens: [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
  client: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  score: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  gc: [0.001, 0.01, 0.1, 1, 2, 5],
} as const;

const serviceCatalogue = {
  // The service's work, as in the guide.
  activeSessions: {
    kind: 'gauge',
    name: 'active_sessions',
    unit: '',
    labels: [],
    namespaced: true,
    help: 'Sessions that are running now.',
  },
  requests: {
    kind: 'counter',
    name: 'requests_total',
    unit: '',
    labels: ['status'],
    namespaced: true,
    help: 'Accepted sessions by outcome: success, error, timeout, cancelled.',
  },
  requestDuration: {
    kind: 'histogram',
    name: 'request_duration_seconds',
    unit: 's',
    labels: [],
    buckets: 'request',
    namespaced: true,
    help: 'Time from accepting a session to its last byte.',
  },
  phaseCompletions: {
    kind: 'counter',
    name: 'phase_completions_total',
    unit: '',
    labels: ['phase', 'status'],
    namespaced: true,
    help: 'Phases that ended, by status: success, or error (cut short counts as error).',
  },
  phaseDuration: {
    kind: 'histogram',
    name: 'phase_duration_seconds',
    unit: 's',
    labels: ['phase'],
    buckets: 'phase',
    namespaced: true,
    help: 'Time spent in each phase.',
  },
  llmCalls: {
    kind: 'counter',
    name: 'llm_calls_total',
    unit: '',
    labels: ['model', 'status'],
    namespaced: true,
    help: 'LLM calls by outcome: success, error, cancelled.',
  },
  llmLatency: {
    kind: 'histogram',
    name: 'llm_latency_seconds',
    unit: 's',
    labels: ['model'],
    buckets: 'llm',
    namespaced: true,
    help: 'Time of LLM calls to their last chunk.',
  },
  breakerState: {
    kind: 'gauge',
    name: 'circuit_breaker_state',
    unit: '',
    labels: ['service'],
    namespaced: true,
    workers: 'each',
    help: 'Circuit breaker state: 0 closed, 1 open, 2 half_open.',
  },
  breakerTransitions: {
    kind: 'counter',
    name: 'circuit_breaker_transitions_total',
    unit: '',
    labels: ['service', 'from', 'to'],
    namespaced: true,
    help: 'Changes of a circuit breaker from one state to another.',
  },
  breakerCalls: {
    kind: 'counter',
    name: 'circuit_breaker_calls_total',
    unit: '',
    labels: ['service', 'outcome'],
    namespaced: true,
    help: 'Calls through a circuit breaker: success, failure, timeout, rejected, cancelled.',
  },
  breakerOpenSeconds: {
    kind: 'counter',
    name: 'circuit_breaker_open_seconds_total',
    unit: 's',
    labels: ['service'],
    namespaced: true,
    help: 'Time a circuit breaker spent open.',
  },
  cacheRequests: {
    kind: 'counter',
    name: 'cache_requests_total',
    unit: '',
    labels: ['cache', 'result'],
    namespaced: true,
    help: 'Cache look-ups: hit, miss, error.',
  },
  cacheEntries: {
    kind: 'gauge',
    name: 'cache_entries',
    unit: '',
    labels: ['cache'],
    namespaced: true,
    help: 'Entries in a cache now.',
  },
  cacheEvictions: {
    kind: 'counter',
    name: 'cache_evictions_total',
    unit: '',
    labels: ['cache'],
    namespaced: true,
    help: 'Entries that a cache dropped to make room.',
  },
  buildInfo: {
    kind: 'gauge',
    name: 'build_info',
    unit: '',
    labels: ['version', 'node_version', 'revision'],
    namespaced: true,
    workers: 'max',
    help: 'Always 1; the labels tell what is running.',
  },

  // HTTP server.
  httpDuration: {
    kind: 'histogram',
    name: 'http_server_request_duration_seconds',
    unit: 's',
    labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type'],
    buckets: 'http',
    help: 'Time from the request to the last byte of its answer.',
  },
  httpFirstByte: {
    kind: 'histogram',
    name: 'http_server_time_to_first_byte_seconds',
    unit: 's',
    labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type'],
    buckets: 'http',
    help: 'Time from the request to the first byte of its answer.',
  },
  httpActive: {
    kind: 'gauge',
    name: 'http_server_active_requests',
    unit: '',
    labels: ['http_request_method', 'url_scheme'],
    help: 'Requests that are being answered now.',
  },
  httpRequestSize: {
    kind: 'histogram',
    name: 'http_server_request_body_size_bytes',
    unit: 'By',
    labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type'],
    buckets: 'size',
    help: 'Size of request bodies as received.',
  },
  httpResponseSize: {
    kind: 'histogram',
    name: 'http_server_response_body_size_bytes',
    unit: 'By',
    labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type'],
    buckets: 'size',
    help: 'Size of response bodies as sent, streams to their last byte.',
  },
  httpStreamEvents: {
    kind: 'counter',
    name: 'http_server_stream_events_total',
    unit: '',
    labels: ['http_route'],
    help: 'Events sent on streams; heartbeats do not count.',
  },
  httpStreamGap: {
    kind: 'histogram',
    name: 'http_server_stream_longest_gap_seconds',
    unit: 's',
    labels: ['http_route'],
    buckets: 'gap',
    help: 'Longest time without an event, one observation a stream.',
  },
  httpUpgrades: {
    kind: 'counter',
    name: 'http_server_upgrades_total',
    unit: '',
    labels: ['network_protocol_name', 'http_response_status_code'],
    help: 'Requests to turn a connection into another one (websocket, connect), by their answer; no HTTP metric else counts them.',
  },
  httpUpgraded: {
    kind: 'gauge',
    name: 'http_server_upgraded_connections',
    unit: '',
    labels: ['network_protocol_name'],
    help: 'Upgraded connections that are open now.',
  },

  // AI clients.
  aiDuration: {
    kind: 'histogram',
    name: 'gen_ai_client_operation_duration_seconds',
    unit: 's',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'error_type'],
    buckets: 'genAiDuration',
    help: 'Time of AI operations to their last chunk.',
  },
  aiTokens: {
    kind: 'histogram',
    name: 'gen_ai_client_token_usage',
    unit: '{token}',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'gen_ai_token_type'],
    buckets: 'genAiTokens',
    help: 'Tokens an operation used, as its provider counted them.',
  },
  aiFirstChunk: {
    kind: 'histogram',
    name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
    unit: 's',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    buckets: 'genAiDuration',
    help: 'Time to the first chunk of a streamed operation.',
  },
  aiChunkGap: {
    kind: 'histogram',
    name: 'gen_ai_client_operation_time_per_output_chunk_seconds',
    unit: 's',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    buckets: 'genAiDuration',
    help: 'Time between chunks of a streamed operation, after the first.',
  },
  aiFirstContent: {
    kind: 'histogram',
    name: 'ai_time_to_first_content_seconds',
    unit: 's',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    buckets: 'genAiDuration',
    help: 'Time to the first chunk that says something: text, a tool call, a refusal.',
  },
  aiOverhead: {
    kind: 'histogram',
    name: 'ai_first_content_overhead_seconds',
    unit: 's',
    labels: ['gen_ai_request_model'],
    buckets: 'client',
    help: 'Time from the first content of a model to the next byte that our own caller got.',
  },
  aiEvaluation: {
    kind: 'histogram',
    name: 'ai_evaluation_score',
    unit: '1',
    labels: ['gen_ai_evaluation_name', 'gen_ai_request_model'],
    buckets: 'score',
    help: 'Scores of finished operations, from 0 (worst) to 1 (best).',
  },
  aiUsageSource: {
    kind: 'counter',
    name: 'ai_usage_source_total',
    unit: '',
    labels: ['source'],
    help: 'Where token counts came from: provider, estimated, missing.',
  },
  aiCost: {
    kind: 'counter',
    name: 'ai_cost_usd_total',
    unit: '',
    labels: ['gen_ai_request_model'],
    help: 'Cost in US dollars, where a price is known.',
  },
  aiAfterDisconnect: {
    kind: 'counter',
    name: 'ai_tokens_after_disconnect_total',
    unit: '',
    labels: [],
    help: 'Output tokens received after the client had gone.',
  },
  aiEstimated: {
    kind: 'counter',
    name: 'ai_tokens_estimated_total',
    unit: '',
    labels: ['gen_ai_request_model', 'gen_ai_token_type'],
    help: 'Tokens estimated where the provider gave no count.',
  },

  // Database and Redis clients.
  dbDuration: {
    kind: 'histogram',
    name: 'db_client_operation_duration_seconds',
    unit: 's',
    labels: ['db_system_name', 'db_operation_name', 'error_type'],
    buckets: 'client',
    help: 'Time of calls to databases and Redis.',
  },

  // System.
  systemCpu: {
    kind: 'gauge',
    name: 'system_cpu_utilization_ratio',
    unit: '1',
    labels: [],
    workers: 'max',
    help: 'Share of the available processors in use, 0 to 1, since the last scrape (container limits counted).',
  },
  systemMemoryUsage: {
    kind: 'gauge',
    name: 'system_memory_usage_bytes',
    unit: 'By',
    labels: [],
    workers: 'max',
    help: 'Memory in use, of the container where it is limited.',
  },
  systemMemoryLimit: {
    kind: 'gauge',
    name: 'system_memory_limit_bytes',
    unit: 'By',
    labels: [],
    workers: 'max',
    help: 'Memory available in all, of the container where it is limited.',
  },
  systemFilesystem: {
    kind: 'gauge',
    name: 'system_filesystem_usage_bytes',
    unit: 'By',
    labels: ['system_filesystem_mountpoint', 'system_filesystem_state'],
    workers: 'max',
    help: 'Filesystem space by state: used, free.',
  },
  targetInfo: {
    kind: 'gauge',
    name: 'target_info',
    unit: '',
    labels: ['service_name', 'service_version', 'deployment_environment_name', 'service_instance_id'],
    workers: 'first',
    help: 'Always 1; the labels are the resource.',
  },
} as const;

export type Catalogue = typeof serviceCatalogue & typeof ownCatalogue;
export const catalogue: Catalogue = { ...serviceCatalogue, ...ownCatalogue };
export type MetricKey = keyof Catalogue;
export type MetricLabel<K extends MetricKey> = Catalogue[K]['labels'][number];

/** The rows as plain definitions, for whoever walks the table. */
export const definitions: Readonly<Record<MetricKey, Definition>> = catalogue;

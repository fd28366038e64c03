/**
 * What each variable that `settings.ts` and `settings-otel.ts` read means. What it may hold is told by the reader
 * itself; the reference (`npm run docs`) puts both together, and a test holds this table against what is read.
 */

/** One variable of the environment. */
export interface Variable {
  readonly name: string;
  /** The value that is the same as leaving it out, as it would be written; absent where there is none. */
  readonly default?: string;
  /** The default in words, where it depends on something else. */
  readonly otherwise?: string;
  readonly meaning: string;
}

/** Binnacle's own: a wrong value stops the start. */
export const variables: readonly Variable[] = [
  {
    name: 'ENVIRONMENT',
    otherwise: '`production` where `NODE_ENV` is, else `development`',
    meaning: 'Any value but `development` and `test` counts as production: JSON logs, and a delay at shutdown.',
  },
  { name: 'NODE_ENV', meaning: 'Asked where `ENVIRONMENT` is not set.' },
  { name: 'LOG_LEVEL', default: 'INFO', meaning: 'The least level that is written; `WARN` and `FATAL` are known too.' },
  {
    name: 'LOG_LEVELS',
    default: 'undici=WARNING,openai=WARNING,ioredis=WARNING,otel=WARNING',
    meaning: 'The least level of loggers by name, on top of these defaults.',
  },
  { name: 'LOG_FORMAT', otherwise: '`json` in production, else `text`', meaning: 'One JSON object a line, or text.' },
  {
    name: 'LOG_FILE',
    meaning: 'A file that gets the same lines as well; reopened on SIGHUP. A full disk drops lines and counts them.',
  },
  { name: 'LOG_CALLER', default: 'false', meaning: '`module`, `function` and `line` in each line.' },
  { name: 'FORCE_COLOR', meaning: 'Text logs in colour (`0`, `false`: without), whatever they are written to.' },
  { name: 'NO_COLOR', meaning: 'Text logs without colour (https://no-color.org).' },
  { name: 'METRICS_ENABLED', default: 'true', meaning: 'Off: nothing is counted, and `/metrics` is 404.' },
  { name: 'METRICS_TOKEN', meaning: '`/metrics` asks for this bearer: 401 without.' },
  {
    name: 'CONSOLE_ENABLED',
    otherwise: 'what `observe({ console })` says',
    meaning: 'Turns the console on or off, where the service offers one; in production it asks for a token.',
  },
  {
    name: 'CONSOLE_TOKEN',
    meaning: '`/console` asks for it, from anywhere. Without one it answers this machine alone.',
  },
  {
    name: 'NODEJS_LEGACY_METRICS',
    default: 'false',
    meaning: "The three gauges of prom-client's whose names promtool rejects (`nodejs_active_handles_total`…).",
  },
  { name: 'HOST', default: '127.0.0.1', meaning: 'The address that the management port listens on.' },
  {
    name: 'MANAGEMENT_PORT',
    meaning: 'Where it is set, `/metrics`, `/health*` and `/console` answer there alone; 0 takes any free port.',
  },
  {
    name: 'TRUST_PROXY',
    default: 'false',
    meaning: "Whose forwarded addresses are believed for `ip`: nobody's, everybody's, the last N hops', or networks'.",
  },
  { name: 'HEALTH_INTERVAL_MS', default: '5000', meaning: 'The time between two rounds of checks, within 10%.' },
  {
    name: 'HEALTH_CRITICAL',
    default: 'database,disk',
    meaning: 'Checks whose failure makes the service unready; the others degrade it.',
  },
  {
    name: 'SHUTDOWN_DELAY_MS',
    otherwise: '5000 in production, else 0',
    meaning: 'How long new work is still accepted after the signal, while readiness says 503.',
  },
  {
    name: 'SHUTDOWN_TIMEOUT_MS',
    default: '25000',
    meaning: 'When running work is aborted, counted from the signal.',
  },
  { name: 'SHUTDOWN_FLUSH_MS', default: '3000', meaning: 'The most that sending the last spans may take.' },
  {
    name: 'BINNACLE_KEEP',
    meaning: 'Requests that are exported although they were not sampled: those that ended so.',
  },
  { name: 'BINNACLE_SLOW_MS', default: '5000', meaning: 'From how long on a request is `slow` for `BINNACLE_KEEP`.' },
  {
    name: 'AI_PRICES_PATH',
    meaning: 'A JSON file of prices, for `ai_cost_usd_total`; it wins over `observe({ ai: { prices } })`.',
  },
  {
    name: 'BINNACLE_GENAI_NAMES',
    default: 'latest',
    meaning: '`1.36` writes the provider under `gen_ai.system` as well.',
  },
];

/** OpenTelemetry's: a wrong value warns, and the default is used. */
export const otelVariables: readonly Variable[] = [
  { name: 'OTEL_SERVICE_NAME', otherwise: "`service.name` of the resource, else `observe`'s", meaning: 'The service.' },
  { name: 'OTEL_RESOURCE_ATTRIBUTES', meaning: 'Attributes of the resource, on every span.' },
  {
    name: 'OTEL_SDK_DISABLED',
    default: 'false',
    meaning: 'No spans, no `trace_id` and `span_id`; propagation, metrics, logs and health stay.',
  },
  { name: 'OTEL_PROPAGATORS', default: 'tracecontext,baggage', meaning: 'What is read from and sent in headers.' },
  {
    name: 'OTEL_TRACES_EXPORTER',
    otherwise: '`otlp` where an endpoint is set, else `none`',
    meaning: 'Where spans go: to a collector, into the log, nowhere.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: 'http://localhost:4318',
    meaning: 'The collector; `/v1/traces` is added. Setting it sends spans.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    otherwise: 'from the general one',
    meaning: 'The whole URL that spans are posted to.',
  },
  { name: 'OTEL_EXPORTER_OTLP_HEADERS', meaning: 'Headers of each export, such as a key. Never printed.' },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', meaning: 'The same for spans alone, on top.' },
  { name: 'OTEL_EXPORTER_OTLP_TIMEOUT', default: '10000', meaning: 'The most that one export may take.' },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', otherwise: 'the general one', meaning: 'The same for spans alone.' },
  { name: 'OTEL_EXPORTER_OTLP_PROTOCOL', default: 'http/protobuf', meaning: 'How spans are written.' },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', otherwise: 'the general one', meaning: 'The same for spans alone.' },
  { name: 'OTEL_EXPORTER_OTLP_COMPRESSION', default: 'gzip', meaning: 'How exports are compressed.' },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', otherwise: 'the general one', meaning: 'The same for spans alone.' },
  { name: 'OTEL_TRACES_SAMPLER', default: 'parentbased_always_on', meaning: 'Which traces are sampled.' },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    default: '1',
    meaning: 'The share of traces that the `traceidratio` samplers take; ignored with others.',
  },
  { name: 'OTEL_BSP_SCHEDULE_DELAY', default: '5000', meaning: 'The time between two exports.' },
  { name: 'OTEL_BSP_EXPORT_TIMEOUT', default: '30000', meaning: 'The most that one batch may take, retries included.' },
  { name: 'OTEL_BSP_MAX_QUEUE_SIZE', default: '2048', meaning: 'Spans that may wait; more are dropped and counted.' },
  {
    name: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    default: '512',
    meaning: 'Spans of one export; at most as many as may wait.',
  },
  {
    name: 'OTEL_NODE_EXCLUDED_URLS',
    default: '/metrics,/health.*',
    meaning: 'Paths that are not traced, anchored at their start; their closing line is DEBUG.',
  },
  {
    name: 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT',
    default: 'false',
    meaning: 'Words of prompts and answers on spans: as attributes (`true`, `SPAN_ONLY`), as an event, or both.',
  },
];

/**
 * What is compared. Each is a server of its own under `variants/`, answering the same small JSON at `/hello`.
 *
 * @typedef {object} Variant
 * @property {string} id
 * @property {string} title
 * @property {string} file
 * @property {string[]} [nodeArgs]
 * @property {Record<string, string>} [env]
 * @property {boolean} [spans] whether each request leaves exactly one server span at the sink
 * @property {string} [histogram] name of the histogram that counts each request
 * @property {number} [lines] log lines a request
 * @property {boolean} [ids] whether those lines carry the trace id of a span that arrived
 */

const USUAL_ENV = {
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  // The others ask cloud metadata services over the network.
  OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process,serviceinstance',
};
const HTTP_SERVER = 'http_server_request_duration_seconds';

/** @type {readonly Variant[]} */
export const ALL = [
  { id: 'bare', title: 'bare Fastify', file: 'bare.mjs' },
  { id: 'bare-again', title: 'bare Fastify (again)', file: 'bare.mjs' },
  { id: 'log', title: "+ Fastify's default log", file: 'log.mjs', lines: 2 },
  {
    id: 'usual',
    title: 'usual stack: that log + fastify-metrics + OpenTelemetry auto-instrumentations',
    file: 'usual.cjs',
    nodeArgs: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
    env: USUAL_ENV,
    spans: true,
    histogram: 'http_request_duration_seconds',
    lines: 2,
    ids: true,
  },
  {
    id: 'hand',
    title: 'hand-tuned: hooks, one histogram, one line, one SDK span',
    file: 'hand.mjs',
    spans: true,
    histogram: HTTP_SERVER,
    lines: 1,
    ids: true,
  },
  {
    id: 'binnacle',
    title: '**Binnacle**, every signal, every span sent',
    file: 'binnacle.mjs',
    spans: true,
    histogram: HTTP_SERVER,
    lines: 1,
    ids: true,
  },
  {
    id: 'binnacle-plain',
    title: 'Binnacle, OTLP not compressed (as the others)',
    file: 'binnacle.mjs',
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' },
    spans: true,
    histogram: HTTP_SERVER,
    lines: 1,
    ids: true,
  },
  {
    id: 'binnacle-unsent',
    title: 'Binnacle without an exporter',
    file: 'binnacle.mjs',
    env: { OTEL_TRACES_EXPORTER: 'none' },
    histogram: HTTP_SERVER,
    lines: 1,
  },
];

import { CONSOLE_TOKEN } from './page.mjs';
import { REQUESTS, SESSIONS, STREAMS } from './workloads.mjs';

/**
 * What is compared. Each is a server of its own under `variants/`.
 *
 * @typedef {object} Variant
 * @property {string} id
 * @property {string} title
 * @property {import('./workloads.mjs').Workload} workload
 * @property {string} file
 * @property {string} [program] what runs the file, where it is not Node.js; known once it is installed
 * @property {string[]} [nodeArgs]
 * @property {Record<string, string>} [env]
 * @property {number} [spans] the share of the requests that leave exactly one server span each at the sink
 * @property {string} [histogram] name of the histogram that counts each request
 * @property {number} [lines] log lines a request
 * @property {'trace' | 'span'} [ids] whether those lines carry the trace id of a server span, or its span id as well
 * @property {boolean} [events] whether events of streams are counted
 * @property {boolean} [lost] whether all spans are lost, and counted as such
 * @property {boolean} [page] whether a page of the console reads meanwhile
 * @property {boolean} [slow] whether it bears less than the fixed rate, and needs no long warm-up
 */

const USUAL_ENV = {
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  // The others ask cloud metadata services over the network.
  OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process,serviceinstance',
};
const HTTP_SERVER = 'http_server_request_duration_seconds';
const TENTH = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' };
/** No process listens there: the system refuses every connection. */
const NOBODY = 'http://127.0.0.1:1';

const BARE = { workload: REQUESTS, file: 'bare.mjs' };
/** @type {Omit<Variant, 'id' | 'title'>} */
const USUAL = {
  workload: REQUESTS,
  file: 'usual.cjs',
  nodeArgs: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
  env: USUAL_ENV,
  spans: 1,
  histogram: 'http_request_duration_seconds',
  lines: 2,
  ids: 'trace',
};
/** @type {Omit<Variant, 'id' | 'title'>} */
const BINNACLE = {
  workload: REQUESTS,
  file: 'binnacle.mjs',
  spans: 1,
  histogram: HTTP_SERVER,
  lines: 1,
  ids: 'span',
};
const FIT_CHECK = { workload: SESSIONS, file: 'fit-check.mjs', env: { SHUTDOWN_DELAY_MS: '0' } };
const FIT_BARE = { ...FIT_CHECK, env: { ...FIT_CHECK.env, BENCH_STAND_IN: 'true' } };

/** @type {readonly Variant[]} */
export const ALL = [
  { ...BARE, id: 'bare', title: 'bare Fastify' },
  { ...BARE, id: 'bare-again', title: 'bare Fastify (again)' },
  { id: 'log', title: "+ Fastify's default log", workload: REQUESTS, file: 'log.mjs', lines: 2 },
  { ...USUAL, id: 'usual', title: 'usual stack: that log + fastify-metrics + OpenTelemetry auto-instrumentations' },
  {
    ...BINNACLE,
    id: 'hand',
    title: 'hand-tuned: hooks, one histogram, one line, one SDK span',
    file: 'hand.mjs',
  },
  { ...BINNACLE, id: 'binnacle', title: '**Binnacle**, every signal, every span sent' },
  {
    ...BINNACLE,
    id: 'binnacle-plain',
    title: 'Binnacle, OTLP not compressed (as the others)',
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' },
  },
  { ...BINNACLE, id: 'binnacle-10', title: 'Binnacle, 10% of traces sampled', env: TENTH, spans: 0.1 },
  {
    ...BINNACLE,
    id: 'binnacle-10-keep',
    title: 'Binnacle, 10% sampled, `BINNACLE_KEEP=error,slow,abort`',
    env: { ...TENTH, BINNACLE_KEEP: 'error,slow,abort' },
    spans: 0.1,
  },
  {
    ...BINNACLE,
    id: 'binnacle-unsent',
    title: 'Binnacle without an exporter',
    env: { OTEL_TRACES_EXPORTER: 'none' },
    spans: 0,
    ids: undefined,
  },
  {
    ...BINNACLE,
    id: 'binnacle-console',
    title: 'Binnacle with its console on, a page reading all of it',
    env: { CONSOLE_TOKEN },
    page: true,
  },
  {
    ...BINNACLE,
    id: 'binnacle-lost',
    title: 'Binnacle, its collector unreachable',
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY },
    spans: 0,
    ids: undefined,
    lost: true,
  },
  {
    id: 'python',
    title: 'Python: FastAPI, uvicorn, prometheus-fastapi-instrumentator, structlog, OpenTelemetry',
    workload: REQUESTS,
    file: '../python/app.py',
    spans: 1,
    histogram: 'http_request_duration_seconds',
    lines: 1,
    ids: 'span',
    slow: true,
  },
  { ...BARE, id: 'stream-bare', title: 'bare Fastify', workload: STREAMS },
  { ...BARE, id: 'stream-bare-again', title: 'bare Fastify (again)', workload: STREAMS },
  {
    id: 'stream-context',
    title: "bare, and one of Node's `AsyncLocalStorage` entered a stream",
    workload: STREAMS,
    file: 'context.mjs',
  },
  { ...USUAL, id: 'stream-usual', title: 'usual stack', workload: STREAMS },
  {
    ...BINNACLE,
    id: 'stream-binnacle',
    title: '**Binnacle**, every signal, every span sent',
    workload: STREAMS,
    events: true,
  },
  { ...FIT_BARE, id: 'fit-bare', title: 'fit-check on the stand-in' },
  { ...FIT_BARE, id: 'fit-bare-again', title: 'fit-check on the stand-in (again)' },
  {
    ...FIT_CHECK,
    id: 'fit-quiet',
    title: 'fit-check on Binnacle, switched off: no span, no line, no `/metrics`',
    env: { ...FIT_CHECK.env, OTEL_SDK_DISABLED: 'true', LOG_LEVEL: 'CRITICAL', METRICS_ENABLED: 'false' },
  },
  {
    ...FIT_CHECK,
    id: 'fit-binnacle',
    title: '**fit-check on Binnacle**, every signal, every span sent',
    spans: 1,
    histogram: HTTP_SERVER,
    lines: 12,
    ids: 'trace',
  },
];

/** The bare variant that another is held against. @param {Variant} variant */
export function bareOf({ workload }) {
  return /** @type {Variant} */ (ALL.find((one) => one.workload === workload));
}

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SPAN_DELAY_MS, startServer } from './server.mjs';

/**
 * Whether a variant did what it promises. A figure of one that did not is worth nothing: it saved the work.
 *
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./otlp.mjs').Span} Span
 * @typedef {import('./sink.mjs').Sink} Sink
 */

const ARRIVAL_MS = 5000;
const CHECKED_REQUESTS = 500;
/** Lines of Fastify's default log (two a request), of the hand-tuned assembly and of Binnacle. */
const REQUEST_LINE = /^(incoming request|[Rr]equest completed)$/;

/**
 * Waits until the server has had its time to send, and for spans until all have arrived (or never will).
 * @param {Variant} variant
 * @param {Sink} sink
 * @param {number} requests
 * @returns {Promise<Span[]>} the server spans of the route
 */
export async function settle(variant, sink, requests) {
  await sleep(SPAN_DELAY_MS + 100);
  const end = performance.now() + ARRIVAL_MS;
  const spans = helloSpans(sink);
  while (variant.spans && spans.length < requests && performance.now() < end) {
    await sleep(20);
    for (const span of helloSpans(sink)) spans.push(span);
  }
  return spans;
}

/** @param {Sink} sink */
function helloSpans(sink) {
  return sink.take().filter(({ server, hello }) => server && hello);
}

/**
 * How many requests to the route the variant's histogram has counted.
 * @param {Variant} variant
 * @param {number} port
 */
export async function countedBy(variant, port) {
  if (variant.histogram === undefined) return 0;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } });
  const lines = (await response.text()).split('\n');
  const counts = lines.filter((line) => line.startsWith(`${variant.histogram}_count{`) && line.includes('"/hello"'));
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/**
 * @param {Variant} variant
 * @param {Span[]} spans
 * @param {number} requests
 * @returns {string[]} what is wrong
 */
export function wrongSpans(variant, spans, requests) {
  if (!variant.spans) return spans.length === 0 ? [] : [`${spans.length} spans that were not to be sent`];
  const unique = (/** @type {'spanId' | 'traceId'} */ id) => new Set(spans.map((span) => span[id])).size;
  return [
    ...(spans.length === requests ? [] : [`${spans.length} spans of ${requests} requests`]),
    ...(unique('spanId') === spans.length ? [] : ['span ids that are not unique']),
    ...(unique('traceId') === spans.length ? [] : ['trace ids that are not unique']),
    ...(spans.every(({ traceId, spanId }) => /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId))
      ? []
      : ['ids that are none']),
    ...(spans.every(({ ended }) => ended) ? [] : ['spans without a start or an end']),
  ];
}

/**
 * Starts the variant once more with its log in a file, asks some requests, and reads every line.
 * @param {Variant} variant
 * @param {{ sink: Sink, pinned: boolean, library?: string, openLoad: (port: number) => Promise<import('./load.mjs').Load> }} tools
 * @returns {Promise<string[]>} what is wrong
 */
export async function wrongLines(variant, { sink, pinned, library, openLoad }) {
  if (variant.lines === undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-bench-'));
  const path = join(folder, 'log');
  const fd = openSync(path, 'a');
  try {
    const server = await startServer(variant, { sinkUrl: sink.url, pinned, library, stdout: fd });
    const load = await openLoad(server.port);
    sink.take();
    const { requests } = await load.run({ requests: CHECKED_REQUESTS });
    load.close();
    const spans = await settle(variant, sink, requests);
    await server.stop();
    return [
      ...wrongSpans(variant, spans, requests),
      ...whatIsWrongIn(readFileSync(path, 'utf8'), variant, requests, spans),
    ];
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} log
 * @param {Variant} variant
 * @param {number} requests
 * @param {Span[]} spans
 */
function whatIsWrongIn(log, variant, requests, spans) {
  const lines = log.split('\n').filter((line) => line !== '');
  const parsed = lines.flatMap((line) => parseLine(line));
  const ofRequests = parsed.filter(({ message, msg }) => REQUEST_LINE.test(String(message ?? msg)));
  const wanted = requests * (variant.lines ?? 0);
  const traceIds = new Set(spans.map(({ traceId }) => traceId));
  const without = variant.ids ? ofRequests.filter((line) => !traceIds.has(String(line.trace_id))).length : 0;
  return [
    ...(parsed.length === lines.length ? [] : [`${lines.length - parsed.length} lines that are not JSON`]),
    ...(ofRequests.length === wanted ? [] : [`${ofRequests.length} log lines of ${wanted}`]),
    ...(without === 0 ? [] : [`${without} log lines without the id of a trace that arrived`]),
  ];
}

/**
 * @param {string} line
 * @returns {Record<string, unknown>[]}
 */
function parseLine(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

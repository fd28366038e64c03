import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settle, wrongSpans } from './delivered.mjs';
import { startServer } from './server.mjs';
import { connect } from './workloads.mjs';

/**
 * Whether each request left its log lines: a run of their own, with the log in a file.
 *
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./otlp.mjs').Span} Span
 */

/**
 * Fastify's default two lines a request; the one of the hand-tuned assembly, of Binnacle and of the Python stack; the
 * lines of a session of fit-check.
 */
const REQUEST_LINE = /^(incoming request$|[Rr]equest completed$|\[bench-\d+\] )/;

/**
 * Starts the variant once more, asks some requests, and reads every line.
 * @param {Variant} variant
 * @param {{ sink: import('./sink.mjs').Sink, pinned: boolean, library?: string }} tools
 * @returns {Promise<string[]>} what is wrong
 */
export async function wrongLines(variant, { sink, pinned, library }) {
  if (variant.lines === undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-bench-'));
  const path = join(folder, 'log');
  const fd = openSync(path, 'a');
  try {
    const server = await startServer(variant, { sinkUrl: sink.url, pinned, library, stdout: fd });
    const load = await connect(variant.workload, server.port);
    sink.take();
    const { requests } = await load.run({ requests: variant.workload.checked });
    load.close();
    const spans = await settle(variant, sink, requests);
    await server.stop();
    return [...wrongSpans(variant, spans, requests), ...wrongIn(readFileSync(path, 'utf8'), variant, requests, spans)];
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} log
 * @param {Variant} variant
 * @param {number} requests
 * @param {Span[]} spans that arrived
 * @returns {string[]} what is wrong
 */
export function wrongIn(log, { lines: each = 0, ids, spans: share = 0 }, requests, spans) {
  const lines = log.split('\n').filter((line) => line !== '');
  const parsed = lines.flatMap((line) => parseLine(line));
  const ofRequests = parsed.filter(({ message, msg }) => REQUEST_LINE.test(String(message ?? msg)));
  const wanted = requests * each;
  const arrived = new Map(spans.map(({ traceId, spanId }) => [traceId, spanId]));
  const astray = ids === undefined ? [] : ofRequests.filter((line) => !isOfItsSpan(line, ids, arrived));
  const sampled = ids === undefined ? [] : ofRequests.filter(isSampled);
  return [
    ...(parsed.length === lines.length ? [] : [`${lines.length - parsed.length} lines that are not JSON`]),
    ...(ofRequests.length === wanted ? [] : [`${ofRequests.length} log lines of ${wanted}`]),
    ...(astray.length === 0 ? [] : [`${astray.length} log lines whose ids are not those of a span that arrived`]),
    ...(ids === undefined || share === 0 || sampled.length === spans.length * each
      ? []
      : [`${sampled.length} lines of ${spans.length} spans that arrived`]),
  ];
}

/**
 * A line of a trace that was not sampled has ids too, and its trace did not arrive.
 * @param {Record<string, unknown>} line
 * @param {'trace' | 'span'} ids
 * @param {ReadonlyMap<string, string>} arrived span ids by trace id
 */
function isOfItsSpan(line, ids, arrived) {
  const traceId = String(line.trace_id);
  if (!isSampled(line)) return /^[0-9a-f]{32}$/.test(traceId) && !arrived.has(traceId);
  return arrived.has(traceId) && (ids === 'trace' || arrived.get(traceId) === line.span_id);
}

/** Lines of those who sample everything do not say so. @param {Record<string, unknown>} line */
function isSampled({ trace_flags }) {
  return trace_flags === undefined || trace_flags === '01';
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

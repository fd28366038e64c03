import { setTimeout as sleep } from 'node:timers/promises';
import { SPAN_DELAY_MS } from './server.mjs';
import { EVENTS } from './variants/serve.mjs';

/**
 * Whether a variant did what it promises. A figure of one that did not is worth nothing: it saved the work.
 *
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./otlp.mjs').Span} Span
 * @typedef {import('./sink.mjs').Sink} Sink
 * @typedef {{ requests: number, events: number, sent: number, lost: number }} Told what a variant's own series say, since it started
 */

const ARRIVAL_MS = 5000;
/** Of the sampler's choice: further off than this is no chance. */
const DEVIATIONS = 5;

/**
 * Waits until the server has had its time to send, and for spans until all have arrived (or never will).
 * @param {Variant} variant
 * @param {Sink} sink
 * @param {number} requests
 * @returns {Promise<Span[]>} the server spans of the route
 */
export async function settle(variant, sink, requests) {
  const { most, least } = expectedSpans(variant, requests);
  const end = performance.now() + ARRIVAL_MS;
  /** @type {Span[]} */
  const spans = [];
  // Where only chance says how many there are, they have all come when none comes any more.
  while (performance.now() < end) {
    await sleep(SPAN_DELAY_MS + 100);
    const before = spans.length;
    for (const span of sink.take(variant.workload.path)) if (span.server && span.here) spans.push(span);
    const isQuiet = spans.length === before;
    if (spans.length >= most || (isQuiet && least < most && spans.length >= least)) break;
  }
  return spans;
}

/**
 * @param {Variant} variant
 * @param {number} requests
 */
function expectedSpans({ spans: share = 0 }, requests) {
  const slack = DEVIATIONS * Math.sqrt(share * (1 - share) * requests);
  return { least: share * requests - slack, most: share * requests + slack };
}

/**
 * What the variant's own scrape says of the route; nothing where it has none.
 * @param {Variant} variant
 * @param {number} port
 * @returns {Promise<Told>}
 */
export async function toldBy({ histogram, workload }, port) {
  if (histogram === undefined) return { requests: 0, events: 0, sent: 0, lost: 0 };
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } });
  const lines = (await response.text()).split('\n');
  const sum = (/** @type {string} */ name, /** @type {string} */ label) =>
    lines
      .filter((line) => line.startsWith(name) && line.includes(label))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const result = (/** @type {string} */ what) => sum('binnacle_spans_total{', `result="${what}"`);
  return {
    requests: sum(`${histogram}_count{`, `"${workload.path}"`),
    events: sum('http_server_stream_events_total{', `"${workload.path}"`),
    sent: result('exported'),
    lost: result('failed') + result('dropped') + sum('binnacle_span_queue ', ''),
  };
}

/**
 * @param {Variant} variant
 * @param {{ before: Told, after: Told, since: number, all: number }} told requests since the first of both, and since the server's start
 * @returns {string[]} what is wrong
 */
export function wrongSeries(variant, { before, after, since, all }) {
  if (variant.histogram === undefined) return [];
  const counted = after.requests - before.requests;
  const events = after.events - before.events;
  return [
    ...(counted === since ? [] : [`the histogram counted ${counted} of ${since} requests`]),
    ...(!variant.events || events === since * EVENTS ? [] : [`${events} events were counted of ${since * EVENTS}`]),
    ...(!variant.lost || (after.sent === 0 && after.lost === all)
      ? []
      : [`${after.sent} spans sent and ${after.lost} lost, of ${all}`]),
  ];
}

/**
 * @param {Variant} variant
 * @param {Span[]} spans
 * @param {number} requests
 * @returns {string[]} what is wrong
 */
export function wrongSpans(variant, spans, requests) {
  const { least, most } = expectedSpans(variant, requests);
  const unique = (/** @type {'spanId' | 'traceId'} */ id) => new Set(spans.map((span) => span[id])).size;
  const share = variant.spans === 1 || !variant.spans ? '' : `, ${100 * variant.spans}% of them sampled`;
  return [
    ...(spans.length >= least && spans.length <= most ? [] : [`${spans.length} spans of ${requests} requests${share}`]),
    ...(unique('spanId') === spans.length ? [] : ['span ids that are not unique']),
    ...(unique('traceId') === spans.length ? [] : ['trace ids that are not unique']),
    ...(spans.every(({ traceId, spanId }) => /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId))
      ? []
      : ['ids that are none']),
    ...(spans.every(({ ended }) => ended) ? [] : ['spans without a start or an end']),
  ];
}

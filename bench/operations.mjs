import { AsyncLocalStorage } from 'node:async_hooks';
import { costsOf, nanosOf } from './compare.mjs';

/**
 * Single operations, Binnacle's beside prom-client's and pino's, in one process.
 *
 * @typedef {typeof import('../packages/binnacle/src/index.ts')} Binnacle
 * @typedef {typeof import('prom-client')} Prom
 * @typedef {{ id: string, title: string, unit: 'ns' | 'ms', own: number[], other: number[] }} Operation what it takes, round by round
 */

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const LABELS = { method: 'GET', route: '/hello' };
const FIELDS = { route: '/hello', http_status: 200, duration_ms: 1.234, cached: false };
const SCRAPES = [10_000, 50_000];
const nowhere = { write() {} };

/**
 * @param {{ binnacle: Binnacle, prom: Prom, pino: typeof import('pino') }} libraries
 * @returns {Promise<Operation[]>}
 */
export async function measureOperations({ binnacle, prom, pino }) {
  const obs = open(binnacle);
  const operations = [...compareMetrics(obs, prom), compareLines(obs, pino)];
  await obs.close();
  for (const series of SCRAPES) operations.push(...(await compareScrapes(series, binnacle, prom)));
  return [...operations, compareContext()];
}

/**
 * @param {Binnacle} binnacle
 * @param {Record<string, number>} [maxSeries]
 */
function open({ observe }, maxSeries = {}) {
  const env = { ENVIRONMENT: 'production' };
  return observe({ service: 'bench', env, destination: nowhere, maxSeries });
}

/**
 * @param {string} id
 * @param {string} title
 * @param {() => void} own
 * @param {() => void} other
 * @returns {Operation}
 */
function compare(id, title, own, other) {
  const { own: ownTimes = [], other: otherTimes = [] } = nanosOf({ own, other });
  return { id, title, unit: 'ns', own: ownTimes, other: otherTimes };
}

/**
 * @param {ReturnType<typeof open>} obs
 * @param {Prom} prom
 */
function compareMetrics(obs, prom) {
  const registers = [new prom.Registry()];
  const about = { help: 'bench', labelNames: ['method', 'route'], registers };
  const counter = new prom.Counter({ ...about, name: 'bench_total' });
  const histogram = new prom.Histogram({ ...about, name: 'bench_seconds', buckets: BUCKETS });
  const ownAbout = { help: 'bench', labels: /** @type {const} */ (['method', 'route']) };
  const ownCounter = obs.counter({ ...ownAbout, name: 'bench_total' });
  const ownHistogram = obs.histogram({ ...ownAbout, name: 'bench_seconds', buckets: BUCKETS });
  const child = counter.labels(LABELS);
  const histogramChild = histogram.labels(LABELS);
  const bound = ownCounter.bind(LABELS);
  const boundHistogram = ownHistogram.bind(LABELS);
  let value = 0;
  const next = () => {
    value = (value * 1.37 + 0.0011) % 12;
    return value;
  };
  return [
    compare(
      'counter-bound',
      'counter, bound',
      () => bound.inc(),
      () => child.inc(),
    ),
    compare(
      'counter',
      'counter, `inc({a,b})`',
      () => ownCounter.inc(LABELS),
      () => counter.inc(LABELS),
    ),
    compare(
      'histogram-bound',
      'histogram, bound',
      () => boundHistogram.observe(next()),
      () => histogramChild.observe(next()),
    ),
    compare(
      'histogram',
      'histogram, `observe({a,b}, v)`',
      () => ownHistogram.observe(LABELS, next()),
      () => histogram.observe(LABELS, next()),
    ),
  ];
}

/**
 * @param {ReturnType<typeof open>} obs
 * @param {typeof import('pino')} pino
 */
function compareLines(obs, pino) {
  const bare = pino.default({ base: { service: 'bench' } }, nowhere);
  const own = () => obs.log.info(FIELDS, 'A line of four fields');
  const other = () => bare.info(FIELDS, 'A line of four fields');
  return compare('line', 'log line of 4 fields', own, other);
}

/** Node's own, for scale. */
function compareContext() {
  const storage = new AsyncLocalStorage();
  const store = {};
  const look = () => storage.getStore();
  return compare(
    'context',
    "Node's `AsyncLocalStorage`: run and get, to a get outside of a run",
    () => storage.run(store, look),
    look,
  );
}

/**
 * A scrape of one counter with two labels and that many series.
 * @param {number} series
 * @param {Binnacle} binnacle
 * @param {Prom} prom
 * @returns {Promise<Operation[]>}
 */
async function compareScrapes(series, binnacle, prom) {
  const obs = open(binnacle, { bench_total: series });
  const register = new prom.Registry();
  const other = new prom.Counter({ name: 'bench_total', help: 'bench', labelNames: ['a', 'b'], registers: [register] });
  const own = obs.counter({ name: 'bench_total', help: 'bench', labels: ['a', 'b'] });
  for (let at = 0; at < series; at += 1) {
    const labels = { a: `value-${at % 100}`, b: `value-${Math.floor(at / 100)}` };
    own.inc(labels, at);
    other.inc(labels, at);
  }
  await checkLines(obs.scrape().body, series);
  await checkLines([await register.metrics()], series);
  const { own: ownCosts = [], other: otherCosts = [] } = await costsOf({
    own: async () => {
      for await (const _chunk of obs.scrape().body);
    },
    other: () => register.metrics(),
  });
  await obs.close();
  const name = `scrape of ${series.toLocaleString('en')} series`;
  const of = (/** @type {'cpuMs' | 'holdMs'} */ key, /** @type {string} */ what) =>
    /** @type {Operation} */ ({
      id: `scrape-${series}-${key === 'cpuMs' ? 'cpu' : 'hold'}`,
      title: `${name}, ${what}`,
      unit: 'ms',
      own: ownCosts.map((cost) => cost[key]),
      other: otherCosts.map((cost) => cost[key]),
    });
  return [of('cpuMs', 'CPU'), of('holdMs', 'longest hold of the event loop')];
}

/**
 * @param {AsyncIterable<string> | string[]} body
 * @param {number} series
 */
async function checkLines(body, series) {
  let count = 0;
  for await (const chunk of body) count += chunk.split('bench_total{').length - 1;
  if (count !== series) throw new Error(`a scrape has ${count} lines of ${series}`);
}

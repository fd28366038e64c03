import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { runScript } from '../scripts/step.mjs';
import { costsOf, nanosOf } from './compare.mjs';
import { describeMachine, describePackages } from './machine.mjs';
import { prepare } from './prepare.mjs';
import { toMarkdown } from './table.mjs';

/** Single operations, Binnacle's beside prom-client's and pino's, in one process. */

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const LABELS = { method: 'GET', route: '/hello' };
const FIELDS = { route: '/hello', http_status: 200, duration_ms: 1.234, cached: false };
const nowhere = { write() {} };

/**
 * @param {typeof import('../packages/binnacle/src/index.ts')} binnacle
 * @param {Record<string, number>} [maxSeries]
 */
function open({ observe }, maxSeries = {}) {
  const env = { ENVIRONMENT: 'production' };
  return observe({ service: 'bench', env, destination: nowhere, maxSeries });
}

/**
 * @param {ReturnType<typeof open>} obs
 * @param {typeof import('prom-client')} prom
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
    ['counter, bound', nanosOf({ own: () => bound.inc(), other: () => child.inc() })],
    ['counter, `inc({a,b})`', nanosOf({ own: () => ownCounter.inc(LABELS), other: () => counter.inc(LABELS) })],
    [
      'histogram, bound',
      nanosOf({ own: () => boundHistogram.observe(next()), other: () => histogramChild.observe(next()) }),
    ],
    [
      'histogram, `observe({a,b}, v)`',
      nanosOf({ own: () => ownHistogram.observe(LABELS, next()), other: () => histogram.observe(LABELS, next()) }),
    ],
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
  return ['log line of 4 fields', nanosOf({ own, other })];
}

function compareContext() {
  const storage = new AsyncLocalStorage();
  const store = {};
  const look = () => storage.getStore();
  return nanosOf({ own: () => storage.run(store, look), other: look });
}

/**
 * A scrape of one counter with two labels and that many series.
 * @param {number} series
 * @param {typeof import('../packages/binnacle/src/index.ts')} binnacle
 * @param {typeof import('prom-client')} prom
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
  const lines = async (/** @type {AsyncIterable<string> | string[]} */ body) => {
    let count = 0;
    for await (const chunk of body) count += chunk.split('bench_total{').length - 1;
    if (count !== series) throw new Error(`a scrape has ${count} lines of ${series}`);
  };
  await lines(obs.scrape().body);
  await lines([await register.metrics()]);
  const costs = await costsOf({
    own: async () => {
      for await (const _chunk of obs.scrape().body);
    },
    other: () => register.metrics(),
  });
  await obs.close();
  return costs;
}

/** @param {{ own: number, other: number }} pair */
const toRatio = ({ own, other }) => (own / other).toFixed(own / other < 0.1 ? 3 : 2);

await runScript(async () => {
  await prepare();
  /** @type {typeof import('../packages/binnacle/src/index.ts')} */
  const binnacle = await import('../packages/binnacle/dist/index.js');
  const prom = (await import('prom-client')).default;
  const pino = await import('pino');
  const obs = open(binnacle);
  const rows = [...compareMetrics(obs, prom), compareLines(obs, pino)].map(([name, pair]) => [
    name,
    `${pair.own.toFixed(0)} ns`,
    `${pair.other.toFixed(0)} ns`,
    toRatio(pair),
  ]);
  await obs.close();
  for (const series of [10_000, 50_000]) {
    const { own, other } = await compareScrapes(series, binnacle, prom);
    for (const [key, title] of [
      ['cpuMs', 'CPU'],
      ['holdMs', 'longest hold of the event loop'],
    ]) {
      const name = `scrape of ${series.toLocaleString('en')} series, ${title}`;
      rows.push([
        name,
        `${own[key].toFixed(1)} ms`,
        `${other[key].toFixed(1)} ms`,
        toRatio({ own: own[key], other: other[key] }),
      ]);
    }
  }
  const context = compareContext();
  process.stdout.write(`# Single operations

\`node bench/micro.mjs\`, ${new Date().toISOString().slice(0, 10)}. ${describeMachine(false).split('; ')[0]}. ${describePackages()}.

${toMarkdown([['operation', 'Binnacle', 'prom-client, pino', 'ratio'], ...rows])}

\`AsyncLocalStorage\`: run and get ${context.own.toFixed(0)} ns, the same call and get outside of a run ${context.other.toFixed(0)} ns.
`);
});

import { FLUSH_MS } from './collector-slice.mjs';
import { median } from './statistics.mjs';

/**
 * What is promised whatever the collector does. Times are held against a healthy one's just before or after.
 *
 * @typedef {import('./collector-slice.mjs').Slice} Slice
 * @typedef {import('./collector-slice.mjs').Spans} Spans
 * @typedef {{ state: import('./collector-states.mjs').State, slices: Slice[], healthy: (Slice | undefined)[], problems: string[] }} Result each slice with the healthy one next to it; a healthy one with the healthy one before it
 */

export const CPU_RATIO = 1.25;
export const HOLD_OVER_MS = 50;
export const MEMORY_OVER_MIB = 64;
export const EXIT_MS = FLUSH_MS + 1000;
/** Of `OTEL_BSP_MAX_QUEUE_SIZE`, which no slice sets. */
const QUEUE_SPANS = 2048;

/**
 * What is wrong with one slice by itself.
 * @param {Result['state']} state
 * @param {Slice} slice
 * @returns {string[]}
 */
export function wrongIn({ lost }, { served, loaded, ended, collector, lines, code, exitMs }) {
  const outages = lines.filter((line) => line.startsWith('WARNING Spans cannot be exported'));
  const whole = lost === 'none';
  return [
    ...(sum(loaded) === served ? [] : [`under load: ${show(loaded)}, of ${served} requests`]),
    ...(sum(ended) === served && ended.queue === 0 ? [] : [`at the end: ${show(ended)}, of ${served} requests`]),
    ...(loaded.queue <= QUEUE_SPANS ? [] : [`${loaded.queue} spans in the queue`]),
    ...(whole || ended.exported === 0 ? [] : [`${ended.exported} spans exported to where none arrives`]),
    ...(!whole || (collector.spans === ended.exported && collector.unique === collector.spans)
      ? []
      : [`the collector took ${collector.spans} spans, ${collector.unique} of them unique, of ${ended.exported}`]),
    ...(!whole || ended.failed === 0 ? [] : [`${ended.failed} spans failed`]),
    ...(outages.length === (whole ? 0 : 1) && lines.length === outages.length
      ? []
      : [`the log complains with ${JSON.stringify(lines.slice(0, 5))}`]),
    ...(code === 0 ? [] : [`ended with status ${code}`]),
    ...(exitMs <= EXIT_MS ? [] : [`took ${Math.round(exitMs)} ms to end, of ${EXIT_MS}`]),
  ];
}

/** @param {Spans} spans */
function sum({ exported, failed, dropped, queue }) {
  return exported + failed + dropped + queue;
}

/** @param {Spans} spans */
function show({ exported, failed, dropped, queue }) {
  return `${exported} exported, ${failed} failed, ${dropped} dropped, ${queue} waiting`;
}

/**
 * A figure beside the healthy one's.
 * @param {Result} result
 * @param {(slice: Slice) => number} figure
 * @param {(own: number, healthy: number) => number} compare
 */
function beside({ slices, healthy }, figure, compare) {
  return slices.flatMap((slice, at) => {
    const other = healthy[at];
    return other === undefined ? [] : [compare(figure(slice), figure(other))];
  });
}

const ratio = (/** @type {number} */ own, /** @type {number} */ healthy) => own / healthy;
const over = (/** @type {number} */ own, /** @type {number} */ healthy) => own - healthy;

/**
 * Every figure of a state beside the healthy collector; of the healthy one, what this measures of two things that are
 * the same.
 * @param {Result} result
 */
export function compareToHealthy(result) {
  return {
    cpu: beside(result, ({ cpuUs }) => cpuUs, ratio),
    hold: beside(result, ({ holdMs }) => holdMs, over),
    rss: beside(result, ({ rssMiB }) => rssMiB, over),
    peak: beside(result, ({ peakMiB }) => peakMiB, over),
  };
}

/**
 * The least CPU of a state to the least of the healthy one: other work only ever adds to what a request takes.
 * @param {Result} result
 * @param {Result} healthy
 */
export function leastToLeast(result, healthy) {
  const least = (/** @type {Result} */ { slices }) => Math.min(...slices.map(({ cpuUs }) => cpuUs));
  return least(result) / least(healthy);
}

/**
 * What is wrong with a state over all rounds: medians, since one round may be disturbed by other work. More CPU than
 * is promised is wrong where the least of all rounds has it too.
 * @param {Result} result
 * @param {Result} healthy
 * @returns {string[]}
 */
export function wrongBeside(result, healthy) {
  const { cpu, hold, rss, peak } = compareToHealthy(result);
  if (cpu.length === 0) return ['nothing to compare'];
  const times = Math.min(median(cpu), leastToLeast(result, healthy));
  const memory = Math.max(median(rss), median(peak));
  return [
    ...(times <= CPU_RATIO ? [] : [`${times.toFixed(2)} times the CPU, of ${CPU_RATIO}`]),
    ...(median(hold) <= HOLD_OVER_MS ? [] : [`holds ${median(hold).toFixed(0)} ms longer, of ${HOLD_OVER_MS}`]),
    ...(memory <= MEMORY_OVER_MIB ? [] : [`${memory.toFixed(0)} MiB more, of ${MEMORY_OVER_MIB}`]),
  ];
}

/**
 * Whether two runs of one thing differ by less than what is judged.
 * @param {Result} healthy
 */
export function isQuietEnough(healthy) {
  const noise = median(compareToHealthy(healthy).cpu);
  return noise <= CPU_RATIO && noise >= 1 / CPU_RATIO;
}

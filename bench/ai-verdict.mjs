import { median } from './statistics.mjs';

/**
 * What is measured, and what is promised of it. CPU is held against a bare SDK's in the same round; where one of Node's
 * `AsyncLocalStorage` by itself takes more than is promised, as promise hooks do before Node.js 24, against a bare one in
 * such a storage: context cannot be had for less there.
 *
 * @typedef {{ id: string, title: string, sdk: string, pace: 'each' | 'once', judged: boolean }} Case
 * @typedef {{ id: string, title: string }} Variant
 * @typedef {{ chunks: number, cpuUs: number, bytes: number, calls: number, gaps: number }} Slice CPU and bytes a chunk
 * @typedef {{ case: Case, variant: Variant, slices: (Slice | undefined)[], problems: string[] }} Result
 */

/** Chunks of a stream, as `ai-server.mjs` sends them; Anthropic's events are chunks. */
export const CHUNKS = 1000;
export const CPU_RATIO = 1.05;

/** @type {readonly Case[]} */
export const CASES = [
  { id: 'openai', title: 'openai, chunk by chunk', sdk: 'openai', pace: 'each', judged: true },
  { id: 'anthropic', title: '@anthropic-ai/sdk, chunk by chunk', sdk: 'anthropic', pace: 'each', judged: true },
  { id: 'openai-once', title: 'openai, all at once', sdk: 'openai', pace: 'once', judged: false },
  { id: 'anthropic-once', title: '@anthropic-ai/sdk, all at once', sdk: 'anthropic', pace: 'once', judged: false },
];

/** @type {readonly Variant[]} */
export const VARIANTS = [
  { id: 'bare', title: 'bare' },
  { id: 'bare-context', title: "bare, in one of Node's `AsyncLocalStorage`" },
  { id: 'beside', title: 'bare, `observe()` beside it' },
  { id: 'observed', title: 'observed' },
  { id: 'observed-session', title: 'observed, each in a session' },
  { id: 'bare-again', title: 'bare again' },
];

/**
 * What is wrong with one slice by itself: figures of what was not read, or not observed, are none.
 * @param {Result} result
 * @param {Slice} slice
 * @param {number} streams
 * @returns {string[]}
 */
export function wrongIn({ variant }, { chunks, calls, gaps }, streams) {
  const told = variant.id.startsWith('observed') ? streams : 0;
  return [
    ...(chunks === streams * CHUNKS ? [] : [`${chunks} chunks came, of ${streams * CHUNKS}`]),
    ...(calls === told && gaps === told * (CHUNKS - 1) ? [] : [`${calls} calls with ${gaps} gaps were told of`]),
  ];
}

/**
 * A variant to the bare one, or to another, round by round.
 * @param {readonly Result[]} results
 * @param {Result} result
 * @param {'cpuUs' | 'bytes'} figure
 * @param {string} [to] that variant's id
 */
export function ratios(results, result, figure, to = 'bare') {
  const bare = results.find(({ case: { id }, variant }) => id === result.case.id && variant.id === to);
  return result.slices.flatMap((slice, round) => {
    const beside = bare?.slices[round];
    return slice === undefined || beside === undefined ? [] : [slice[figure] / beside[figure]];
  });
}

/**
 * What the observed streams of a case are held against.
 * @param {readonly Result[]} results
 * @param {Case} one
 * @returns {'bare' | 'bare-context'}
 */
export function baseOf(results, one) {
  const context = results.find(({ case: { id }, variant }) => id === one.id && variant.id === 'bare-context');
  return context !== undefined && median(ratios(results, context, 'cpuUs')) > CPU_RATIO ? 'bare-context' : 'bare';
}

/**
 * How far two runs of one thing lie apart, as a share: the median over the rounds.
 * @param {readonly Result[]} results
 * @param {Case} one
 */
export function noiseOf(results, one) {
  const again = results.find(({ case: { id }, variant }) => id === one.id && variant.id === 'bare-again');
  return again === undefined ? Number.NaN : median(ratios(results, again, 'cpuUs').map((ratio) => Math.abs(ratio - 1)));
}

/**
 * What is wrong over all rounds. By the median, or by the least of all rounds to the least bare one (other work only ever
 * adds), and only beyond the noise.
 * @param {readonly Result[]} results
 * @returns {string[]}
 */
export function wrongOver(results) {
  return results.flatMap((result) => {
    if (!result.case.judged || result.variant.id !== 'observed' || !canTell(results, result.case)) return [];
    const base = baseOf(results, result.case);
    const times = Math.min(median(ratios(results, result, 'cpuUs', base)), leastToLeast(results, result, base));
    if (times - noiseOf(results, result.case) <= CPU_RATIO && !isBeyond(results, result.case)) return [];
    const held = base === 'bare' ? 'the bare SDK' : 'the bare SDK in an AsyncLocalStorage';
    return [`${result.case.title}: ${times.toFixed(3)} times the CPU of ${held}, of ${CPU_RATIO}`];
  });
}

/**
 * Whether the noise allows the promise to be told by CPU; else bytes have to tell.
 * @param {readonly Result[]} results
 * @param {Case} one
 */
export function canTell(results, one) {
  return noiseOf(results, one) <= CPU_RATIO - 1 || isBeyond(results, one);
}

/**
 * Whether every round of the observed one is over the promise by more than the bare one ever lay above itself: noise, however
 * great, is no excuse then.
 * @param {readonly Result[]} results
 * @param {Case} one
 */
function isBeyond(results, one) {
  const of = (/** @type {string} */ wanted, /** @type {string} */ to) =>
    results
      .filter(({ case: { id }, variant }) => id === one.id && variant.id === wanted)
      .flatMap((result) => ratios(results, result, 'cpuUs', to));
  return Math.min(...of('observed', baseOf(results, one))) > CPU_RATIO * Math.max(1, ...of('bare-again', 'bare'));
}

/**
 * @param {readonly Result[]} results
 * @param {Result} result
 * @param {'bare' | 'bare-context'} [to]
 */
export function leastToLeast(results, result, to = 'bare') {
  const bases = to === 'bare' ? ['bare', 'bare-again'] : [to];
  const bare = results.filter(({ case: { id }, variant }) => id === result.case.id && bases.includes(variant.id));
  const least = (/** @type {readonly Result[]} */ of) =>
    Math.min(...of.flatMap(({ slices }) => slices.flatMap((slice) => slice?.cpuUs ?? [])));
  return least([result]) / least(bare);
}

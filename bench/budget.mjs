import { readFileSync } from 'node:fs';
import { median, ratios, typicalDeviation } from './statistics.mjs';

/**
 * The ratios that are promised, and whether the short bench, which CI runs, holds them.
 *
 * @typedef {{ must?: string, goal?: string }} Bound
 * @typedef {{ acceptance: Record<string, Bound>, short: { cpu: string, bytes: string } }} Budget
 * @typedef {{ cpuUs: number, bytes: number, waited: number }} Cost of one request in one round: CPU, and what it took of the heap; and the share of its time in which the server waited for its processor
 * @typedef {{ bare: Cost[], own: Cost[] }} Costs round by round
 */

/** Where bare itself lies further apart than this from round to round, CPU tells nothing. */
const MOST_NOISE = 0.2;
/**
 * Nor does it where other work had the server's processor for more than this share: caches are lost then, and what V8
 * compiles beside the main thread comes late. Bare, which needs little of either, may be steady all the same.
 */
const MOST_WAITED = 0.2;

/** @returns {Budget} */
export function readBudget() {
  return JSON.parse(readFileSync(new URL('budget.json', import.meta.url), 'utf8'));
}

/**
 * A number, or a fraction as it is written: `1/12`.
 * @param {string} text
 */
export function toNumber(text) {
  const [above = Number.NaN, below = 1] = text.split('/').map(Number);
  const number = above / below;
  if (!Number.isFinite(number)) throw new Error(`budget.json: ${JSON.stringify(text)} is no number`);
  return number;
}

/**
 * Whether costs are within the budget, beyond the noise. CPU by the median of the rounds, or by the least of all to the
 * least bare one (other work only ever adds), less what bare itself differs by, and not at all on a machine that is busy; bytes, which hardly differ, by the
 * median.
 * @param {Costs} costs
 * @param {Budget['short']} limits
 */
export function judge({ bare, own }, limits) {
  const cpuRatios = ratios(
    own.map(({ cpuUs }) => cpuUs),
    bare.map(({ cpuUs }) => cpuUs),
  );
  const byteRatios = ratios(
    own.map(({ bytes }) => bytes),
    bare.map(({ bytes }) => bytes),
  );
  const least = (/** @type {Cost[]} */ costs) => Math.min(...costs.map(({ cpuUs }) => cpuUs));
  const noise = typicalDeviation(bare.map(({ cpuUs }) => cpuUs));
  const cpu = Math.min(median(cpuRatios), least(own) / least(bare));
  const bytes = median(byteRatios);
  const waited = median([...bare, ...own].map((cost) => cost.waited));
  const canTell = noise <= MOST_NOISE && waited <= MOST_WAITED;
  const [mostCpu, mostBytes] = [toNumber(limits.cpu), toNumber(limits.bytes)];
  return {
    cpuRatios,
    byteRatios,
    noise,
    waited,
    canTell,
    problems: [
      ...(canTell && !(cpu - noise <= mostCpu) ? [`${cpu.toFixed(2)} times the CPU of bare, of ${mostCpu}`] : []),
      ...(bytes <= mostBytes ? [] : [`${bytes.toFixed(2)} times the bytes of bare, of ${mostBytes}`]),
    ],
  };
}

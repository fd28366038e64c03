import { wrongLines } from './lines.mjs';
import { openSink } from './sink.mjs';
import { measure } from './slice.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./slice.mjs').Slice} Slice
 * @typedef {{ variant: Variant, slices: (Slice | undefined)[], problems: string[] }} Result slices by round
 */

/**
 * Runs the variants one at a time, in turn over several rounds, each round in another order.
 * @param {readonly Variant[]} variants
 * @param {{ rounds: number, say: (line: string) => void } & Omit<import('./slice.mjs').Tools, 'sink'>} options
 * @returns {Promise<Result[]>}
 */
export async function runRounds(variants, { rounds, say, ...options }) {
  const sink = await openSink();
  const tools = { ...options, sink };
  /** @type {Result[]} */
  const results = variants.map((variant) => ({ variant, slices: [], problems: [] }));
  try {
    for (const { variant, problems } of results) {
      await orTell(problems, async () => {
        problems.push(...(await wrongLines(variant, tools)));
      });
      say(`checked ${variant.id}${problems.length === 0 ? '' : `: ${problems.join('; ')}`}`);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { variant, slices, problems } of rotate(results, round)) {
        slices[round] = await orTell(problems, () => measure(variant, problems, tools));
        const cost = slices[round]?.cpuUs.toFixed(1) ?? 'failed,';
        say(`round ${round + 1} of ${rounds}, ${variant.id}: ${cost} µs a ${variant.workload.what}`);
      }
    }
  } finally {
    sink.close();
  }
  return results;
}

/**
 * A variant that fails does not take the others' figures with it.
 * @template T
 * @param {string[]} problems
 * @param {() => Promise<T>} work
 */
async function orTell(problems, work) {
  try {
    return await work();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/**
 * Every other round runs backwards as well, so that no variant always follows the same one.
 * @template T
 * @param {readonly T[]} list
 * @param {number} round
 */
export function rotate(list, round) {
  const at = (round * 3) % list.length;
  const turned = [...list.slice(at), ...list.slice(0, at)];
  return round % 2 === 0 ? turned : turned.reverse();
}

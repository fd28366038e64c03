import { runNode } from '../scripts/run.mjs';

/** @typedef {{ id: string, modules: readonly string[], cwd: string }} Import what is imported, and from where it is found */
/** @typedef {{ wallMs: number, cpuMs: number }} Cost of one import, without the start of the process */

/**
 * Imports each of them in new processes, by turns, each round beginning with another one.
 * @param {readonly Import[]} imports
 * @param {number} rounds
 * @returns {Promise<Map<string, Cost[]>>} costs by id, round by round
 */
export async function measureImports(imports, rounds) {
  const costs = new Map(imports.map(({ id }) => [id, /** @type {Cost[]} */ ([])]));
  // The first one reads the files from the disk.
  for (const one of imports) await importOnce(one);
  for (let round = 0; round < rounds; round += 1) {
    for (const turn of imports.keys()) {
      const one = /** @type {Import} */ (imports[(turn + round) % imports.length]);
      costs.get(one.id)?.push(await importOnce(one));
    }
  }
  return costs;
}

/**
 * @param {Import} one
 * @returns {Promise<Cost>}
 */
async function importOnce({ id, modules, cwd }) {
  const code = `const cpu = process.cpuUsage(), start = performance.now();
await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));
const wallMs = performance.now() - start, { user, system } = process.cpuUsage(cpu);
process.stdout.write(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 }), () => process.exit());`;
  const { status, output } = await runNode(['--input-type=module', '--eval', code], { cwd, timeoutMs: 60_000 });
  if (status !== 0) throw new Error(`${id} could not be imported:\n${output}`);
  return JSON.parse(output);
}

/**
 * The ratio of one's least cost to another's: what else the machine does only ever adds.
 * @param {Map<string, Cost[]>} costs
 * @param {string} id
 * @param {string} to
 * @param {keyof Cost} [what]
 */
export function leastRatio(costs, id, to, what = 'wallMs') {
  const least = (/** @type {string} */ name) => Math.min(...(costs.get(name) ?? []).map((cost) => cost[what]));
  return least(id) / least(to);
}

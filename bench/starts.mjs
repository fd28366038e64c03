import { cpuMs } from './cpu.mjs';
import { startServer } from './server.mjs';

/**
 * How long servers take from the start of their process to their listening, by turns.
 *
 * @typedef {{ variant: import('./variants.mjs').Variant, wallMs: number[], cpuMs: number[] }} Starts round by round
 */

export const START_IDS = ['bare', 'log', 'usual', 'hand', 'binnacle'];

/**
 * @param {readonly import('./variants.mjs').Variant[]} variants
 * @param {{ rounds: number, pinned: boolean, library: string }} options
 * @returns {Promise<Starts[]>}
 */
export async function measureStarts(variants, { rounds, pinned, library }) {
  /** @type {Starts[]} */
  const starts = variants.map((variant) => ({ variant, wallMs: [], cpuMs: [] }));
  // The first round reads the files from the disk.
  for (let round = -1; round < rounds; round += 1) {
    for (const { variant, wallMs, cpuMs: cpu } of round % 2 === 0 ? starts : starts.toReversed()) {
      const server = await startServer(variant, { sinkUrl: 'http://127.0.0.1:1', pinned, library, stdout: 'ignore' });
      const spent = cpuMs(server.pid);
      await server.kill();
      if (round < 0) continue;
      wallMs.push(server.startMs);
      cpu.push(spent);
    }
  }
  return starts;
}

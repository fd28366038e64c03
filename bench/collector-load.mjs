import { setTimeout as sleep } from 'node:timers/promises';
import { openLane } from './load.mjs';
import { runPaced } from './paced.mjs';
import { askJson } from './questions.mjs';

/** The load generator of the bench at a fixed rate, which sleeps between its turns. */

const TICK_MS = 2;

/**
 * @param {{ port: number, connections: number, answer: string }} options the whole body that each answer must end with
 * @returns {Promise<{ run: (pace: import('./paced.mjs').Pace) => Promise<import('./load.mjs').Loaded>, close: () => void }>}
 */
export async function openPacedLoad({ port, connections, answer }) {
  const question = askJson('/hello', answer);
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(port, question)));
  return {
    run: (pace) => runPaced(lanes, pace, () => sleep(TICK_MS)),
    close: () => {
      for (const lane of lanes) lane.socket.destroy();
    },
  };
}

/** What the soak's service answers with, and is asked. */
import { openLoad } from './load.mjs';
import { askJson } from './questions.mjs';

export const SOAK_ANSWER = { verdict: 'a fit', items: [1, 2, 3] };
const CONNECTIONS = 32;

/** @param {number} port */
export function openSoakLoad(port) {
  return openLoad({ port, connections: CONNECTIONS, question: askJson('/check', JSON.stringify(SOAK_ANSWER)) });
}

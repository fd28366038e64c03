import { get } from 'node:http';

/** Asked for by the variant with a console; it holds figures of a bench. */
export const CONSOLE_TOKEN = 'bench-console';

/** @typedef {{ events: (name: string) => number, close: () => void }} Page how many events of a name it was told, so far */

/**
 * Reads a console's stream of events as fast as it comes, as a page does.
 * @param {number} port
 * @returns {Promise<Page>}
 */
export async function openPage(port) {
  const headers = { authorization: `Bearer ${CONSOLE_TOKEN}` };
  const request = get({ host: '127.0.0.1', port, path: '/console/api/events', headers, agent: false });
  const response = await new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`the console's stream answers ${response.statusCode}`);
  const counts = new Map();
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (/** @type {string} */ piece) => {
    rest = countNames(rest + piece, counts);
  });
  response.on('error', () => {});
  request.on('error', () => {});
  return { events: (name) => counts.get(name) ?? 0, close: () => request.destroy() };
}

/**
 * Names alone: what stands beside them is no business of the bench, which has a processor of its own to keep.
 * @param {string} text
 * @param {Map<string, number>} counts
 * @returns {string} what is no whole line yet, as far as a name may stand in it
 */
function countNames(text, counts) {
  let at = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
    if (text.startsWith('event: ', at)) {
      const name = text.slice(at + 'event: '.length, end).trimEnd();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    at = end + 1;
  }
  return text.slice(at);
}

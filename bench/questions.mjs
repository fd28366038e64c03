/**
 * What the load generator asks, and how it knows that an answer is whole and right.
 *
 * @typedef {(chunk: Buffer) => boolean} Reader takes what comes on one connection; true with the last bytes of an answer, then begins anew. Throws for an answer that is wrong
 * @typedef {{ next: () => Buffer, reader: () => Reader }} Question the bytes of the next request; a reader for one connection
 */

const HEADERS =
  'Host: 127.0.0.1\r\nUser-Agent: binnacle-bench\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n';
const STATUS_OK = Buffer.from('HTTP/1.1 200 ');
/** The end of a body that is sent in chunks (RFC 9112, section 7.1), without trailers. */
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
const EVENT_END = Buffer.from('\n\n');
const NEWLINE = 10;
/** Bytes at the end of a stream that are kept: the last event of fit-check is shorter. */
const KEPT_BYTES = 512;

/**
 * A GET whose whole answer ends with that body.
 * @param {string} path
 * @param {string} answer
 * @returns {Question}
 */
export function askJson(path, answer) {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\n${HEADERS}\r\n`);
  const body = Buffer.from(answer);
  return { next: () => request, reader: () => bodyReader(body) };
}

/**
 * A GET that is answered with so many Server-Sent Events.
 * @param {string} path
 * @param {number} events
 * @returns {Question}
 */
export function askStream(path, events) {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\n${HEADERS}\r\n`);
  const check = (/** @type {number} */ came) => {
    if (came !== events) throw new Error(`a stream of ${came} events, not ${events}`);
  };
  return { next: () => request, reader: () => streamReader(check) };
}

/**
 * Sessions of fit-check: each has an id of its own and asks what none before it has asked, so that no cache answers.
 * @param {string} path
 * @returns {Question}
 */
export function askSession(path) {
  let sessions = 0;
  const next = () => {
    sessions += 1;
    const query = `Platform engineer ${sessions} TypeScript Kubernetes PostgreSQL`;
    const body = JSON.stringify({ query, session_id: `bench-${sessions}` });
    const length = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return Buffer.from(`POST ${path} HTTP/1.1\r\n${HEADERS}${length}\r\n${body}`);
  };
  const check = (/** @type {number} */ _events, /** @type {Buffer} */ tail) => {
    if (!tail.includes('event: complete\n')) throw new Error('a session that did not complete');
  };
  return { next, reader: () => streamReader(check) };
}

/**
 * @param {Buffer} body
 * @returns {Reader}
 */
function bodyReader(body) {
  /** @type {Buffer | undefined} */
  let held;
  return (chunk) => {
    held = held === undefined ? chunk : Buffer.concat([held, chunk]);
    requireOk(held);
    if (!endsWith(held, body)) return false;
    held = undefined;
    return true;
  };
}

/**
 * @param {(events: number, tail: Buffer) => void} check
 * @returns {Reader}
 */
function streamReader(check) {
  let events = 0;
  let tail = Buffer.alloc(0);
  return (chunk) => {
    if (tail.length === 0) requireOk(chunk);
    // The two bytes that end an event may have been parted.
    if (tail.at(-1) === NEWLINE && chunk[0] === NEWLINE) events += 1;
    for (let at = chunk.indexOf(EVENT_END); at !== -1; at = chunk.indexOf(EVENT_END, at + 2)) events += 1;
    tail = chunk.length >= KEPT_BYTES ? chunk : Buffer.concat([tail, chunk]);
    if (tail.length > KEPT_BYTES) tail = tail.subarray(-KEPT_BYTES);
    if (!endsWith(tail, LAST_CHUNK)) return false;
    check(events, tail);
    events = 0;
    tail = Buffer.alloc(0);
    return true;
  };
}

/** @param {Buffer} answer */
function requireOk(answer) {
  const length = Math.min(answer.length, STATUS_OK.length);
  if (answer.compare(STATUS_OK, 0, length, 0, length) !== 0)
    throw new Error('the server answered otherwise than with 200');
}

/**
 * @param {Buffer} whole
 * @param {Buffer} tail
 */
function endsWith(whole, tail) {
  return whole.length > tail.length && whole.compare(tail, 0, tail.length, whole.length - tail.length) === 0;
}

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';
import { gunzipSync } from 'node:zlib';
import { HEALTHY, SLOW_MS } from './collector-states.mjs';
import { spansOf } from './otlp.mjs';

/**
 * A collector as a process of its own, in the state that its first argument names. Tells the bench its port; asked
 * anything, it tells what it took.
 */

/** Bodies of exports that were answered with 2xx; decoded when someone asks, so that it takes nothing from the load. */
/** @type {Buffer[]} */
const taken = [];
let attempts = 0;

/** @typedef {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse, body: Buffer) => void} Answer */

/** @type {Answer} */
const take = (request, response, body) => {
  taken.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
};

/** @type {Record<string, Answer>} */
const ANSWERS = {
  [HEALTHY.id]: take,
  blackhole: () => {},
  slow: (request, response, body) => {
    setTimeout(() => {
      if (!response.destroyed) take(request, response, body);
    }, SLOW_MS);
  },
  'status-500': (_request, response) => response.writeHead(500).end('broken'),
  'status-503': (_request, response) => response.writeHead(503, { 'retry-after': '1' }).end(),
  garbage(request, response, body) {
    taken.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(randomBytes(512));
  },
  'no-http': (request) => request.socket.end('SSH-2.0-OpenSSH_9.9\r\n\r\n'),
};

const state = process.argv[2] ?? HEALTHY.id;
const answer = ANSWERS[state];

const server = createServer((request, response) => {
  attempts += 1;
  if (state === 'reset') {
    // Some of the body has come, the rest never will.
    request.once('data', () => request.socket.resetAndDestroy());
    return;
  }
  /** @type {Buffer[]} */
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  // A client that gave up is what most of these states are about.
  request.on('error', () => {});
  request.on('end', () => answer?.(request, response, Buffer.concat(chunks)));
});
server.keepAliveTimeout = 60_000;

process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  const ids = taken.flatMap((body) => spansOf(body, false).map(({ spanId }) => spanId));
  process.send?.({ attempts, spans: ids.length, unique: new Set(ids).size });
});

server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  if (state !== 'refused') process.send?.({ port });
  // Nobody listens there any more.
  else server.close(() => process.send?.({ port }));
});

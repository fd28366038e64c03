import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { spansOf } from './otlp.mjs';

/** @typedef {import('./otlp.mjs').Span} Span */
/** @typedef {{ url: string, take: (path?: string) => Span[], close: () => void }} Sink */

/**
 * Takes OTLP over HTTP. While load runs it only keeps the bytes: they are decoded when someone asks, so that counting
 * takes nothing from the load.
 * @returns {Promise<Sink>}
 */
export async function openSink() {
  /** @type {{ chunks: Buffer[], gzip: boolean, json: boolean }[]} */
  let bodies = [];
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { 'content-encoding': encoding, 'content-type': type } = request.headers;
      bodies.push({ chunks, gzip: encoding === 'gzip', json: type === 'application/json' });
      response.writeHead(200, { 'content-type': type ?? 'application/x-protobuf' });
      response.end(type === 'application/json' ? '{}' : '');
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** The spans that have arrived since the last call; `here` is told by the path. */
    take(path) {
      const arrived = bodies;
      bodies = [];
      return arrived.flatMap(({ chunks, gzip, json }) => {
        const body = Buffer.concat(chunks);
        return spansOf(gzip ? gunzipSync(body) : body, json, path);
      });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

import process from 'node:process';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What every variant answers with. */
export const ANSWER = { hello: 'world', items: [1, 2, 3] };
/** Events of a streamed answer. */
export const EVENTS = 200;
const EVENT = 'event: response\ndata: {"chunk":" as much as a token"}\n\n';

/**
 * Listens on a free loopback port, tells the bench which, and ends when it says so or is gone.
 * @param {import('fastify').FastifyInstance} app
 * @param {() => Promise<unknown>} [flush] sends and writes what waits
 */
export async function serve(app, flush = async () => {}) {
  app.get('/hello', (_request, reply) => {
    reply.send(ANSWER);
  });
  app.get('/stream', (_request, reply) => {
    reply.header('content-type', 'text/event-stream').send(Readable.from(events()));
  });
  /** @type {(() => number) | undefined} */
  let stopCounting;
  process.on('message', async (question) => {
    if (question === 'count') {
      const { startCounting } = await import('../allocated.mjs');
      stopCounting = startCounting();
      process.send?.('counting');
    } else if (question === 'counted') process.send?.({ bytes: stopCounting?.() });
    else await leaveWell(app, flush);
  });
  process.on('disconnect', leave);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
  process.send?.({ port });
}

/** Each event in a turn of its own, as tokens come from a model. */
async function* events() {
  for (let event = 0; event < EVENTS; event += 1) {
    await nextTurn();
    yield EVENT;
  }
}

/**
 * @param {import('fastify').FastifyInstance} app
 * @param {() => Promise<unknown>} flush
 */
async function leaveWell(app, flush) {
  await app.close();
  await flush();
  // The profile is written at a normal end alone, and a global SDK sends its rest before it.
  process.off('disconnect', leave);
  process.disconnect();
}

function leave() {
  process.exit(1);
}

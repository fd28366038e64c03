import process from 'node:process';

/** What every variant answers with. */
export const ANSWER = { hello: 'world', items: [1, 2, 3] };

/**
 * Listens on a free loopback port, tells the bench which, and ends when it says so or is gone.
 * @param {import('fastify').FastifyInstance} app
 * @param {() => Promise<unknown>} [flush] sends and writes what waits
 */
export async function serve(app, flush = async () => {}) {
  app.get('/hello', (_request, reply) => {
    reply.send(ANSWER);
  });
  process.on('message', async () => {
    await app.close();
    await flush();
    // The profile is written at a normal end alone, and a global SDK sends its rest before it.
    process.off('disconnect', leave);
    process.disconnect();
  });
  process.on('disconnect', leave);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
  process.send?.({ port });
}

function leave() {
  process.exit(1);
}

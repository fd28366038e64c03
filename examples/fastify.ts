// Fastify 5.
import { Readable } from 'node:stream';
import { observe } from 'binnacle';
import { createFastify } from 'binnacle/fastify';

const obs = observe({ service: 'example' });
const app = createFastify(obs);
app.get('/stream/:id', (request, reply) => {
  request.log.info(request.params, 'Streaming');
  return reply.type('text/event-stream').send(Readable.from([1, 2, 3].map((n) => `data: ${n}\n\n`)));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });

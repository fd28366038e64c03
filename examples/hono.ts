// Hono on Node.js.
import { serve } from '@hono/node-server';
import { observe } from 'binnacle';
import { observeHono } from 'binnacle/hono';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

const obs = observe({ service: 'example' });
const app = new Hono();
app.use(await observeHono(obs));
app.get('/stream/:id', (c) =>
  streamSSE(c, async (stream) => {
    obs.log.info(c.req.param(), 'Streaming');
    for (const n of [1, 2, 3]) await stream.writeSSE({ data: String(n) });
  }),
);
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8000) });
obs.stopOnSignals(() => server.close());

// Express 5, or 4.
import { observe } from 'binnacle';
import { observeExpress } from 'binnacle/express';
import express from 'express';

const obs = observe({ service: 'example' });
const app = express();
app.use(await observeExpress(obs));
app.get('/stream/:id', (req, res) => {
  obs.log.info(req.params, 'Streaming');
  res.type('text/event-stream');
  for (const n of [1, 2, 3]) res.write(`data: ${n}\n\n`);
  res.end();
});
const server = app.listen(process.env.PORT ?? 8000);
obs.stopOnSignals(() => server.close());

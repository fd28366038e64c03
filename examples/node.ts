// node:http (node:https and node:http2 are observed the same way).
import { createServer } from 'node:http';
import { observe } from 'binnacle';
import { observeNode } from 'binnacle/node';

const obs = observe({ service: 'example' });
const server = createServer((req, res) => {
  const id = /^\/stream\/(\w+)$/.exec(req.url ?? '')?.[1];
  if (id === undefined) return res.writeHead(404).end();
  obs.http.setRoute(req, '/stream/:id');
  obs.log.info({ id }, 'Streaming');
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const n of [1, 2, 3]) res.write(`data: ${n}\n\n`);
  return res.end();
});
await observeNode(obs, server);
obs.stopOnSignals(() => server.close());
server.listen(process.env.PORT ?? 8000);

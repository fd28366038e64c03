/** A service as a process of its own, for what only a process shows: what it loads, and whether it ends. */
import { createServer, type RequestListener } from 'node:http';
import { Session } from 'node:inspector';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { observeExpress } from '../../src/adapters/express.ts';
import { observeNode } from '../../src/adapters/node.ts';
import { observe } from '../../src/observe.ts';

const { CONSOLE, SERVES } = process.env;

let management: unknown;
const obs = observe({
  service: 'svc',
  clients: [],
  ...(CONSOLE === 'on' && { console: true }),
  destination: {
    write(line) {
      const { message, port } = JSON.parse(line) as { message: string; port?: number };
      if (message.includes('management port')) management = port;
    },
  },
});

const answer: RequestListener = (_req, res) => void res.end('ok');

/** Files of the console's room that were loaded. */
function loaded(): string[] {
  const files: string[] = [];
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => void files.push(params.url));
  // Tells of all that there are, too.
  session.post('Debugger.enable');
  session.disconnect();
  return files.filter((file) => /\/src\/console\//.test(file));
}

if (SERVES === undefined) {
  // As a request would find it: loaded in the background where it is on.
  await obs.health.start();
  const deadline = performance.now() + 5000;
  while (obs.settings.console !== undefined && loaded().length === 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
  process.send?.({ loaded: loaded() });
  process.disconnect?.();
  // Nothing is closed: nothing of it may keep the process.
} else {
  // Express' adapter is not told that its server closes.
  const server = createServer(SERVES === 'express' ? express().use(await observeExpress(obs)) : answer);
  if (SERVES !== 'express') await observeNode(obs, server);
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port, management });
  });
  // The service ends as it likes to: by its listener, or by all there is.
  process.on('message', (how) => {
    process.disconnect?.();
    if (how === 'close') server.close();
    else void obs.stop(() => new Promise((resolve) => server.close(resolve)));
  });
}

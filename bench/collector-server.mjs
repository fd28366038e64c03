import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { ANSWER } from './variants/serve.mjs';

/**
 * The server under test: as `variants/binnacle.mjs`, and it stops on SIGTERM as a service does. Asked `reset` or
 * `read` by the bench it tells its processor time and the longest hold of its event loop since the last `reset`.
 */

/** The hold is the time between two turns beyond this, in milliseconds. */
const RESOLUTION_MS = 2;

const { BENCH_LIBRARY, BENCH_SCRAPE_FILE } = process.env;
const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../', import.meta.url);
const library = new URL('packages/binnacle/', root);
const { observe } = await import(new URL('dist/index.js', library).href);
const { fastifyOptions, observeFastify } = await import(new URL('dist/adapters/fastify.js', library).href);
const Fastify = createRequire(new URL('package.json', library))('fastify');

const obs = observe({ service: 'bench', version: '1.0.0' });
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.get('/hello', (_request, reply) => {
  reply.send(ANSWER);
});

const holds = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
process.on('message', (question) => {
  if (question === 'reset') {
    holds.enable();
    holds.reset();
  }
  const { user, system } = process.cpuUsage();
  const holdMs = Math.max(0, holds.max / 1e6 - RESOLUTION_MS);
  // The main thread's time in which it could have run and another process had the processor: second of schedstat.
  const waitedMs = Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  process.send?.({ cpuUs: user + system, holdMs, waitedMs });
});
process.on('disconnect', () => process.exit(1));

obs.stopOnSignals(async () => {
  // After the last flush: what has become of every span is known now.
  let text = '';
  for await (const part of obs.scrape().body) text += part;
  if (BENCH_SCRAPE_FILE) writeFileSync(BENCH_SCRAPE_FILE, text);
  await app.close();
});
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
process.send?.({ port });

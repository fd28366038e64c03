/**
 * The usual assembly: Fastify with its own log (pino), fastify-metrics, terminus for health and shutdown, and, by
 * `--require`, OpenTelemetry's auto-instrumentations. As CommonJS, which these patch without a loader hook.
 */
const { createRequire } = require('node:module');
const { join } = require('node:path');
const process = require('node:process');
const OpenAI = require('openai');

const bench = createRequire(join(__dirname, '../../../bench/package.json'));
const { createTerminus } = bench('@godaddy/terminus');
const Fastify = bench('fastify');
const metrics = bench('fastify-metrics');

async function main() {
  const { addRoutes, createDependency, listen } = await import('./routes.mjs');
  const app = Fastify({ logger: true });
  await app.register(metrics, { endpoint: '/metrics' });
  const { Counter } = app.metrics.client;
  const dependency = createDependency();
  addRoutes(app, {
    searches: new Counter({ name: 'searches_total', help: 'Searches.', labelNames: ['word'] }),
    openai: new OpenAI(),
    telemetry: { isEnabled: true },
    dependency,
  });
  await app.ready();
  createTerminus(app.server, {
    healthChecks: { '/health/live': async () => {}, '/health/ready': () => dependency.ask() },
    // As its documentation advises for Kubernetes, whose probes hear of it late.
    beforeShutdown: () => new Promise((resolve) => setTimeout(resolve, Number(process.env.SHUTDOWN_DELAY_MS))),
    timeout: 25_000,
    useExit0: true,
  });
  await listen(app);
}

main();

// CommonJS, as most services are compiled to: the instrumentations patch it without a loader hook, which would cost more.
const Fastify = require('fastify');
const metrics = require('fastify-metrics');

async function main() {
  const { serve } = await import('./serve.mjs');
  const app = Fastify({ logger: true });
  await app.register(metrics, { endpoint: '/metrics' });
  await serve(app);
}

main();

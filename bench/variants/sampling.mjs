import { createRequire } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

/** Binnacle under a request of four spans, of which some fail: what becomes of the spans is the settings' matter. */
const { BENCH_LIBRARY } = process.env;
const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../../', import.meta.url);
const library = new URL('packages/binnacle/', root);
const { observe } = await import(new URL('dist/index.js', library).href);
const { fastifyOptions, observeFastify } = await import(new URL('dist/adapters/fastify.js', library).href);
const require = createRequire(new URL('package.json', library));
const Fastify = require('fastify');
const { trace } = require('@opentelemetry/api');

const FAILING_EVERY = Number(process.env.BENCH_FAILING_EVERY);

const obs = observe({ service: 'bench', version: '1.0.0' });
const cache = obs.cache('things', new Map([['key', 'value']]));
const breaker = obs.breaker('other');
const tracer = trace.getTracer('user');
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
let requests = 0;
app.addHook('preHandler', async () => {
  requests += 1;
  cache.get('key');
  await breaker.run(() => tracer.startActiveSpan('work', async (/** @type {{ end(): void }} */ span) => span.end()));
  // The answer stays the same, as a stream's that fails after its headers: the load reads it as any other.
  if (requests % FAILING_EVERY === 0) obs.request()?.carrier?.declare('error', 'bench');
});
await serve(app, () => obs.close());

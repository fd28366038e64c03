import { createRequire } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

/** The bench keeps a copy of the library, so that a build meanwhile does not change what is measured. */
const { BENCH_LIBRARY } = process.env;
const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../../', import.meta.url);
const library = new URL('packages/binnacle/', root);
const { observe } = await import(new URL('dist/index.js', library).href);
const { fastifyOptions, observeFastify } = await import(new URL('dist/adapters/fastify.js', library).href);
// The copy that the library sees: a second one would be loaded beside it, and its classes would be others.
const Fastify = createRequire(new URL('package.json', library))('fastify');

const obs = observe({ service: 'bench', version: '1.0.0' });
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
await serve(app, () => obs.close());

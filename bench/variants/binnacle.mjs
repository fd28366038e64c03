import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

/** The bench keeps a copy of the library, so that a build meanwhile does not change what is measured. */
const { BENCH_LIBRARY, CONSOLE_TOKEN } = process.env;
const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../../', import.meta.url);
const library = new URL('packages/binnacle/', root);
const { observe } = await import(new URL('dist/index.js', library).href);
const { createFastify } = await import(new URL('dist/adapters/fastify.js', library).href);

const obs = observe({ service: 'bench', version: '1.0.0', console: CONSOLE_TOKEN !== undefined });
await serve(createFastify(obs), () => obs.close());

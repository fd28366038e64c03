import Fastify from 'fastify'; import { serve } from './serve.mjs';
const { observe } = await import(new URL('../../packages/binnacle/dist/index.js', import.meta.url).href);
const obs = observe({ service: 'bench', version: '1.0.0' });
await serve(Fastify({ logger: false }));

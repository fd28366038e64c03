import Fastify from 'fastify';
import { serve } from './serve.mjs';

await serve(Fastify({ logger: true }));

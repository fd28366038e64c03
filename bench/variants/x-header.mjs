import Fastify from 'fastify'; import { serve } from './serve.mjs'; import {randomUUID} from 'node:crypto';
const app = Fastify({ logger: false }); app.addHook('onRequest', (q, r, done) => {r.header('x-request-id', randomUUID()); done()}); await serve(app);

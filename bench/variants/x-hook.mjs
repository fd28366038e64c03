import Fastify from 'fastify'; import { serve } from './serve.mjs';
const app = Fastify({ logger: false }); app.addHook('onRequest', (q, r, done) => done()); await serve(app);

import Fastify from 'fastify'; import { serve } from './serve.mjs'; import {AsyncLocalStorage} from 'node:async_hooks';
const st = new AsyncLocalStorage(); const app = Fastify({ logger: false }); app.addHook('onRequest', (q, r, done) => {st.run({}, done)}); await serve(app);

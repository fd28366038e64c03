/** Bare, and one `AsyncLocalStorage` entered a request: what Node.js takes for context alone, on every promise. */
import { AsyncLocalStorage } from 'node:async_hooks';
import Fastify from 'fastify';
import { serve } from './serve.mjs';

const storage = new AsyncLocalStorage();
const app = Fastify({ logger: false });
app.addHook('onRequest', (_request, _reply, done) => storage.run({}, done));
await serve(app);

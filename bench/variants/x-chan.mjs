import Fastify from 'fastify'; import { serve } from './serve.mjs'; import {subscribe} from 'node:diagnostics_channel';
subscribe('http.server.request.start', (m)=>{ if (m.request===1) console.log(1)});
await serve(Fastify({ logger: false }));

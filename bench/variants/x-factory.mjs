import Fastify from 'fastify'; import pino from 'pino'; import { serve } from './serve.mjs';
const log = pino();
const app = Fastify({ childLoggerFactory: () => log, logController: new (Fastify.LogController)({ disableRequestLogging: true }) }); await serve(app);

import Fastify from 'fastify'; import pino from 'pino'; import { serve } from './serve.mjs';
const log = pino(); const { LogController: L } = Fastify.default ?? Fastify;
const app = Fastify({ loggerInstance: log, childLoggerFactory: (l) => l, logController: new (Fastify.LogController)({ disableRequestLogging: true }) }); await serve(app);

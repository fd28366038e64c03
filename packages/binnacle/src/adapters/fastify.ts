/** Fastify 5: an app made observed, or a plugin and the options for one that is made otherwise. */
import type { IncomingMessage } from 'node:http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyServerOptions,
} from 'fastify';
import type { Observability } from '../observe.ts';

/**
 * Options for `Fastify()`: its log is `obs.log`, its request ids are the contract's, and the one closing line stands
 * for its own two request lines.
 * @example const app = Fastify(fastifyOptions(obs));
 */
export function fastifyOptions(obs: Observability): {
  loggerInstance: FastifyBaseLogger;
  disableRequestLogging?: boolean;
  logController?: FastifyServerOptions['logController'];
  childLoggerFactory: (logger: FastifyBaseLogger) => FastifyBaseLogger;
  genReqId: (raw: IncomingMessage) => string;
} {
  return {
    loggerInstance: obs.log,
    ...silence(),
    // Context comes from the request in hand; a child logger a request would only repeat it.
    childLoggerFactory: (logger) => logger,
    genReqId: (raw) => obs.http.requestIdOf(raw),
  };
}

/** Fastify's own two lines a request, off: by `logController` from 5.12 on, before it by an option that is deprecated since. */
function silence(): Pick<ReturnType<typeof fastifyOptions>, 'disableRequestLogging' | 'logController'> {
  const { LogController } = fastify;
  if (LogController === undefined) return { disableRequestLogging: true };
  return { logController: new LogController({ disableRequestLogging: true }) };
}

/**
 * A Fastify app, observed: its log is `obs.log`, `options` are Fastify's. It costs less a request than an app that was
 * given a logger as it was made: to that one's every answer Fastify listens, for lines that nobody wants here.
 * @example const app = createFastify(obs);
 */
export function createFastify(
  obs: Observability,
  options: Omit<FastifyServerOptions, 'logger' | 'loggerInstance' | 'genReqId'> = {},
): FastifyInstance {
  const { genReqId } = fastifyOptions(obs);
  const app = fastify({ ...silence(), ...options, genReqId }) as unknown as FastifyInstance;
  const log: FastifyBaseLogger = obs.log;
  app.log = log;
  app.register(observe(obs, log));
  return app;
}

/**
 * Observes every request of a Fastify app, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set).
 * @example await app.register(observeFastify(obs));
 */
export function observeFastify(obs: Observability): FastifyPluginAsync {
  return observe(obs, undefined);
}

/** `log` becomes that of each request, where Fastify was made without one. */
function observe(obs: Observability, log: FastifyBaseLogger | undefined): FastifyPluginAsync {
  const { http } = obs;
  const plugin: FastifyPluginAsync = async (app) => {
    const leave = http.watch(app.server);
    http.watchUpgrades(app.server);
    app.addHook('onRequest', (request, reply, done) => {
      const exchange = http.enter(request.raw, reply.raw);
      if (exchange === undefined) {
        reply.hijack();
        return;
      }
      exchange.matched(request.routeOptions.url);
      if (log !== undefined) {
        request.log = log;
        reply.log = log;
      }
      exchange.run(done);
    });
    if (http.identifies)
      app.addHook('preHandler', (request, _reply, done) => {
        const exchange = http.exchangeOf(request.raw);
        if (exchange !== undefined) http.identify(exchange, request);
        done();
      });
    // Not `onListen`, whose errors Fastify only logs: a port that cannot be had stops the start.
    app.addHook('onReady', async () => {
      await obs.health.start();
      await http.listenForManagement();
    });
    app.addHook('onClose', async () => {
      leave();
      await http.closeManagement();
    });
  };
  // Fastify reads this mark: the hooks are meant for the whole app, not for a scope of the plugin's own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'binnacle',
  });
}

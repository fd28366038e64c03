/** Fastify 5: one plugin, and the options that make Fastify's own logger and request ids Binnacle's. */
import type { IncomingMessage } from 'node:http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyPluginAsync,
  type FastifyServerOptions,
  type onRequestAsyncHookHandler,
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
 * Observes every request of a Fastify app, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set).
 * @example await app.register(observeFastify(obs));
 */
export function observeFastify(obs: Observability): FastifyPluginAsync {
  const { http } = obs;
  const plugin: FastifyPluginAsync = async (app) => {
    const leave = http.watch(app.server);
    http.watchUpgrades(app.server);
    app.addHook('onRequest', (request, reply, done) => {
      const exchange = http.begin(request.raw, reply.raw);
      exchange.matched(request.routeOptions.url);
      if (exchange.admitted) {
        exchange.run(done);
        return;
      }
      reply.hijack();
      exchange.refuse();
    });
    app.addHook('preHandler', (request, reply, done) => {
      http.identify(http.begin(request.raw, reply.raw), request);
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
    if (obs.settings.managementPort !== undefined) return;
    for (const path of http.probes.paths) {
      // Answered before a body is read, so that no body of any kind decides the answer.
      const onRequest: onRequestAsyncHookHandler = async (request, reply) => {
        reply.hijack();
        await http.probes.answer(path, request.raw, reply.raw);
      };
      app.all(path, { onRequest }, () => {});
    }
  };
  // Fastify reads this mark: the hooks are meant for the whole app, not for a scope of the plugin's own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'binnacle',
  });
}

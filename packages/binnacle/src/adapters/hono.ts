/** Hono on `@hono/node-server`: one middleware, before all others. */
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { Observability } from '../observe.ts';

/**
 * Observes every request that comes after it, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set).
 * Resolves once the health checks that there are have run and the management port listens; rejects when that cannot be
 * had. `user` is asked with Hono's context before the handlers, and once more after them while it knows nobody.
 * @example app.use(await observeHono(obs));
 */
export async function observeHono(obs: Observability): Promise<MiddlewareHandler> {
  const { http } = obs;
  await obs.health.start();
  await http.listenForManagement();
  return async (c, next) => {
    const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
    // Neither is there for `app.request()`, and no answer for an upgrade, which Hono routes too.
    if (incoming === undefined || outgoing === undefined) return next();
    http.watchUpgrades((incoming.socket as { server?: object }).server);
    const exchange = http.enter(incoming, outgoing);
    // Hono's server has nothing to add, and is not told to go on: its mark for such answers gets lost on the way of a
    // `HEAD` request, which it would answer once more. Nothing else holds the promise.
    if (exchange === undefined) return new Promise<never>(() => {});
    exchange.matched(routeOf(c));
    http.identify(exchange, c);
    await exchange.run(next);
    exchange.matched(answeredBy(c));
    if (exchange.request.userId === undefined) http.identify(exchange, c);
    return undefined;
  };
}

type Route = Context['req']['matchedRoutes'][number];

/**
 * Asked of the request, not by `hono/route`: where the service is CommonJS that would be another copy of Hono, which knows
 * nothing of it. Hono tells handlers from middleware by nothing else: a method of their own, or no `next` to call.
 */
function isHandler({ method, handler }: Route): boolean {
  return method !== 'ALL' || handler.length < 2;
}

/** The route that will answer, as far as can be told before: the first that cannot pass the request on. */
function routeOf(c: Context): string | undefined {
  const handlers = c.req.matchedRoutes.filter(isHandler);
  return (handlers.find(({ handler }) => handler.length < 2) ?? handlers.at(-1))?.path;
}

/** The route that did answer, where that was a handler, or middleware in the place of one (`serveStatic`). */
function answeredBy(c: Context): string | undefined {
  const routes = c.req.matchedRoutes;
  const last = routes.at(c.req.routeIndex);
  if (last === undefined) return undefined;
  if (isHandler(last)) return last.path;
  return c.res.status === 404 || routes.some(isHandler) ? undefined : last.path;
}

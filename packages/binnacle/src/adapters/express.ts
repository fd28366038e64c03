/** Express 5 and 4: one middleware, before all others. */
import type { RequestHandler } from 'express';
import { createRouteTracker } from '../http/mounted-route.ts';
import type { Observability } from '../observe.ts';

/**
 * Observes every request that comes after it, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set).
 * Resolves once the health checks that there are have run and the management port listens; rejects when that cannot be
 * had. `user` is asked with Express's request once a route has matched.
 * @example app.use(await observeExpress(obs));
 */
export async function observeExpress(obs: Observability): Promise<RequestHandler> {
  const { http } = obs;
  const track = createRouteTracker();
  await obs.health.start();
  await http.listenForManagement();
  return (req, res, next) => {
    // Of the request's server, which Express makes at the end: what upgrades its connections passes no middleware.
    http.watchUpgrades((req.socket as { server?: object }).server);
    const exchange = http.enter(req, res);
    if (exchange === undefined) return;
    track(req, (template) => {
      exchange.matched(template);
      http.identify(exchange, req);
    });
    exchange.run(next);
  };
}

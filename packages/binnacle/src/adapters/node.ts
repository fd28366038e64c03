/** `node:http`, `node:https` and `node:http2`: a server is handed over once it has its listener. */
import type { Listener } from '../http/entrance.ts';
import type { Observability } from '../observe.ts';

/**
 * Observes every request of a server, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set). Resolves
 * once the health checks have run and the management port listens; rejects when that cannot be had. A request's route is
 * what `obs.http.setRoute(req, '/items/:id')` says, else `__unmatched__`.
 * @example await observeNode(obs, server);
 */
export async function observeNode(obs: Observability, server: Listener): Promise<void> {
  const { http } = obs;
  const leave = http.attach(server, (exchange, request) => http.identify(exchange, request));
  server.once('close', () => {
    leave();
    void http.closeManagement();
  });
  await obs.health.start();
  await http.listenForManagement();
}

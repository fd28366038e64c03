/** NestJS on Express and on Fastify: an application is handed over before it is initialised. */
import type { CallHandler, ExecutionContext, INestApplication } from '@nestjs/common';
import type { Listener, ListenerRequest } from '../http/entrance.ts';
import { createRouteTracker, type RoutedRequest } from '../http/mounted-route.ts';
import type { Observability } from '../observe.ts';

/** What Nest gives a route of its own that answers 404 below a global prefix; controllers' paths begin with a slash. */
const NOT_FOUND = '*path';

/**
 * Observes every request of a Nest application, and answers `/metrics` and `/health*` (on `MANAGEMENT_PORT` where set),
 * outside of any global prefix. Call it after `NestFactory.create`, before `init` and `listen`. Resolves once the health
 * checks that there are have run and the management port listens; rejects when that cannot be had. `user` is asked with
 * the platform's request, once guards have let it in.
 * @example await observeNest(obs, app);
 */
export async function observeNest(obs: Observability, app: INestApplication): Promise<void> {
  const { http } = obs;
  const server = app.getHttpServer() as Listener;
  const leave = http.attach(server);
  server.once('close', () => {
    leave();
    void http.closeManagement();
  });
  if (app.getHttpAdapter().getType() === 'fastify') followFastify(obs, app.getHttpAdapter().getInstance());
  else followExpress(obs, app);
  app.useGlobalInterceptors({
    intercept(context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
      if (context.getType() === 'http') identify(obs, context.switchToHttp().getRequest());
      return next.handle();
    },
  });
  await obs.health.start();
  await http.listenForManagement();
}

function identify({ http }: Observability, request: { raw?: ListenerRequest } & ListenerRequest): void {
  const exchange = http.exchangeOf(request.raw ?? request);
  if (exchange !== undefined) http.identify(exchange, request);
}

interface FastifyRequest {
  readonly raw: ListenerRequest;
  readonly routeOptions: { readonly url?: string };
}

interface FastifyInstance {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): void;
}

function followFastify({ http }: Observability, instance: FastifyInstance): void {
  instance.addHook('onRequest', ({ raw, routeOptions }, _reply, done) => {
    if (routeOptions.url !== undefined) http.setRoute(raw, routeOptions.url);
    done();
  });
}

function followExpress({ http }: Observability, app: INestApplication): void {
  const track = createRouteTracker();
  app.use((req: ListenerRequest & RoutedRequest, _res: unknown, next: () => void) => {
    track(req, (template, own) => {
      if (own !== NOT_FOUND) http.setRoute(req, template);
    });
    next();
  });
}

/** A listener of its own for probes, so that they need not face the public (`MANAGEMENT_PORT`). */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathOf } from './exchange.ts';
import type { Probes } from './probes.ts';
import { type HttpServer, OWN } from './server.ts';

export interface Management {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a host and port; rejects when it cannot (the port is taken). */
export async function listenForManagement(
  server: HttpServer,
  probes: Probes,
  host: string,
  port: number,
): Promise<Management> {
  const listener = createServer((req, res) => {
    const exchange = server.begin(req, res, probes.door?.owns(pathOf(req.url ?? '/')) ? OWN : undefined);
    exchange.run(() => {
      const route = probes.routeOf(exchange.path);
      if (route === undefined) {
        res.writeHead(404, { 'content-type': 'application/json; charset=utf-8' });
        res.end(
          JSON.stringify({
            error: {
              code: 'not_found',
              message: `Here are ${[...probes.paths, ...(probes.door === undefined ? [] : ['/console'])].join(', ')}.`,
              request_id: exchange.request.requestId,
            },
          }),
        );
        return;
      }
      exchange.matched(route);
      void probes.answer(exchange.path, req, res);
    });
  });
  await listening(listener, host, port);
  // The service's own listener keeps the process; where that one cannot start, this one does not, nor does a page of the
  // console's that stays open.
  listener.unref();
  listener.on('connection', (socket) => socket.unref());
  return {
    port: (listener.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}

function listening(listener: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, () => {
      listener.off('error', reject);
      resolve();
    });
  });
}

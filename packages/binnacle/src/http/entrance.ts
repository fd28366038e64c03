/** How requests come in under any framework: probes are answered, late work is refused, the rest is let in. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Exchange } from './exchange.ts';
import type { Probes } from './probes.ts';
import type { HttpServer } from './server.ts';
import type { Upgrades } from './upgrades.ts';

/** A server of `node:http`, `node:https` or `node:http2`. */
export type Listener = Server | Http2Server | Http2SecureServer;
/** A request as such a server tells of it; that of HTTP/2 is its compatible form. */
export type ListenerRequest = IncomingMessage | Http2ServerRequest;
export type ListenerResponse = ServerResponse | Http2ServerResponse;

export interface Entrance {
  /** Lets a request in, whose work is to run by `Exchange.run`; undefined where it is answered here: a probe, late work. */
  enter(req: ListenerRequest, res: ListenerResponse): Exchange | undefined;
  /**
   * Lets in what a server is told, before any of the listeners that it has by now, and counts its upgrades. `onExchange`
   * is called within each exchange, before them. Throws where there is no listener yet. Gives the way to stop.
   */
  attach(listener: Listener, onExchange?: (exchange: Exchange, req: ListenerRequest) => void): () => void;
  /** Counts the upgrades of a server, once however often it is asked to; for requests `enter` is called elsewhere. */
  watchUpgrades(listener: object | undefined): void;
}

/** Node's events that bring a request: the usual one, and those that come in its place where somebody listens. */
const EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const;

/** `answersProbes` is false where a port of its own answers them. */
export function createEntrance(
  server: HttpServer,
  probes: Probes,
  upgrades: Upgrades,
  answersProbes: boolean,
): Entrance {
  const entrance: Entrance = {
    enter(req, res) {
      const [request, response] = [req as IncomingMessage, res as ServerResponse];
      const exchange = server.begin(request, response);
      const probe = exchange.isProbe && answersProbes ? probes.routeOf(exchange.path) : undefined;
      if (probe !== undefined) {
        exchange.matched(probe);
        exchange.run(() => void probes.answer(exchange.path, request, response));
        return undefined;
      }
      if (exchange.admitted) return exchange;
      exchange.refuse();
      return undefined;
    },
    attach(listener, onExchange) {
      if (listener.listenerCount('request') === 0)
        throw new TypeError('the server has no request listener yet: hand it over once it has');
      upgrades.watch(listener);
      const leave = server.watch(listener);
      const giveBack = EVENTS.map((event) => take(listener, event, entrance, onExchange));
      return () => {
        leave();
        for (const give of giveBack) give();
      };
    },
    watchUpgrades: (listener) => upgrades.watch(listener as EventEmitter | undefined),
  };
  return entrance;
}

type OnRequest = (this: EventEmitter, req: ListenerRequest, res: ListenerResponse) => void;

/** Stands in for an event's listeners: calls them for what is let in, with the request in hand. */
function take(
  listener: EventEmitter,
  event: string,
  entrance: Entrance,
  onExchange: ((exchange: Exchange, req: ListenerRequest) => void) | undefined,
): () => void {
  const taken = listener.listeners(event) as OnRequest[];
  if (taken.length === 0) return () => {};
  const onRequest: OnRequest = (req, res) => {
    const exchange = entrance.enter(req, res);
    exchange?.run(() => {
      onExchange?.(exchange, req);
      for (const call of taken) Reflect.apply(call, listener, [req, res]);
    });
  };
  for (const call of taken) listener.off(event, call);
  listener.prependListener(event, onRequest);
  return () => {
    listener.off(event, onRequest);
    for (const call of taken) listener.on(event, call);
  };
}

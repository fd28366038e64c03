/**
 * Requests that turn their connection into another one: WebSocket by `Upgrade`, tunnels by `CONNECT`. Node makes no
 * response for them and they end when their connection does, so they are none of the HTTP requests: they are counted by
 * the answer that their handler writes, and as the connections that are open.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { RequestInHand, Scope } from '../context.ts';
import { bindToScope, runInScope } from '../context.ts';
import { roundMs } from '../duration.ts';
import type { Work } from '../signals.ts';
import { ExchangeAborted, pathOf } from './exchange.ts';
import { refuseUpgrade } from './refusal.ts';
import type { HttpServer } from './server.ts';

export interface Upgrades {
  /** Counts the upgrades of a server; its own `emit` is wrapped, as one listener more would change what others do. */
  watch(listener: EventEmitter | undefined): void;
}

export function createUpgrades(server: HttpServer, logger: string): Upgrades {
  const watched = new WeakSet<EventEmitter>();
  return {
    watch(listener) {
      if (listener === undefined || watched.has(listener)) return;
      watched.add(listener);
      const { emit } = listener;
      listener.emit = function (this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
        const pass = (): boolean => Reflect.apply(emit, this, [event, ...args]);
        if (event !== 'upgrade' && event !== 'connect') return pass();
        const [req, socket] = args;
        // HTTP/2 tells of `CONNECT` by the same event, with a response.
        if (!(socket instanceof Socket)) return pass();
        return open(server, logger, req as IncomingMessage, socket, pass);
      };
    },
  };
}

function open(server: HttpServer, logger: string, req: IncomingMessage, socket: Socket, pass: () => boolean): boolean {
  if (server.gate.closed) {
    const requestId = server.requestIdOf(req);
    server.signals.meters.httpUpgrades
      .bind({ network_protocol_name: protocolOf(req), http_response_status_code: 503 })
      .inc();
    socket.on('error', () => {});
    refuseUpgrade(socket, requestId);
    return true;
  }
  return new Upgrade(server, logger, req, socket).run(pass);
}

/** One connection from its request on. */
class Upgrade implements Work {
  readonly #server: HttpServer;
  readonly #logger: string;
  readonly #socket: Socket;
  readonly #protocol: string;
  readonly #path: string;
  readonly #startedAt: number;
  readonly #scope: Scope;
  readonly #controller = new AbortController();
  #status: number | undefined;
  #shutDown = false;

  constructor(server: HttpServer, logger: string, req: IncomingMessage, socket: Socket) {
    this.#server = server;
    this.#logger = logger;
    this.#socket = socket;
    this.#protocol = protocolOf(req);
    this.#path = pathOf(req.url ?? '/');
    this.#startedAt = server.signals.clock.now();
    const request: RequestInHand = { ...server.describe(req, undefined), signal: this.#controller.signal };
    this.#scope = { request, otel: server.signals.spans.extract(req.headers) };
    bindToScope(socket, this.#scope);
    server.gate.enter(this);
    this.#watchAnswer();
    socket.once('close', () => this.#close());
  }

  run<T>(work: () => T): T {
    return runInScope(this.#scope, work);
  }

  abort(): void {
    this.#shutDown = true;
    this.#controller.abort(new ExchangeAborted('shutdown'));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The answer is what the handler writes first. */
  #watchAnswer(): void {
    const socket = this.#socket;
    const { write, end } = socket;
    const look = (chunk: unknown): void => {
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
      socket.write = write;
      socket.end = end;
      this.#server.guard(() => this.#answered(Buffer.from(chunk as string).toString('latin1', 0, 12)));
    };
    socket.write = ((...args: unknown[]) => {
      look(args[0]);
      return Reflect.apply(write, socket, args);
    }) as Socket['write'];
    socket.end = ((...args: unknown[]) => {
      look(args[0]);
      return Reflect.apply(end, socket, args);
    }) as Socket['end'];
  }

  #answered(head: string): void {
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    if (Number.isNaN(status)) return;
    this.#status = status;
    this.#count(status);
    if (this.#isOpen) this.#open.inc();
  }

  #close(): void {
    const { gate, guard, signals } = this.#server;
    gate.leave(this);
    if (!this.#shutDown) this.#controller.abort(new ExchangeAborted('client_disconnect'));
    guard(() => {
      if (this.#status === undefined) this.#count('');
      if (this.#isOpen) this.#open.dec();
      const level = this.#server.about(this.#path).isExcluded ? 'DEBUG' : 'INFO';
      const message = this.#isOpen ? 'Upgraded connection closed' : 'Connection not upgraded';
      runInScope(this.#scope, () =>
        signals.write(level, this.#logger, message, {
          duration_ms: roundMs(signals.clock.now() - this.#startedAt),
          ...(this.#status !== undefined && { http_status: this.#status }),
          protocol: this.#protocol,
          received_bytes: this.#socket.bytesRead,
          sent_bytes: this.#socket.bytesWritten,
        }),
      );
    });
  }

  /** Switching protocols, or a tunnel's 200. */
  get #isOpen(): boolean {
    return this.#status === 101 || (this.#protocol === 'connect' && this.#status === 200);
  }

  get #open(): { inc(): void; dec(): void } {
    return this.#server.signals.meters.httpUpgraded.bind({ network_protocol_name: this.#protocol });
  }

  #count(status: number | ''): void {
    this.#server.signals.meters.httpUpgrades
      .bind({ network_protocol_name: this.#protocol, http_response_status_code: status })
      .inc();
  }
}

/** `websocket`, `h2c`, `connect` for a tunnel, `_OTHER`: the header is the client's, and could say anything. */
function protocolOf(req: IncomingMessage): string {
  if (req.method === 'CONNECT') return 'connect';
  const name = req.headers.upgrade?.toLowerCase() ?? '';
  return name === 'websocket' || name === 'h2c' ? name : '_OTHER';
}

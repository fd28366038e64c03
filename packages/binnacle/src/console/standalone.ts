/** The console by itself: an HTTP server with its page, and OTLP's paths, whose senders fill its store. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { realClock } from '../clock.ts';
import type { Clock } from '../signals.ts';
import { sendError } from './headers.ts';
import { createOtlpReceiver, type OtlpReceiver } from './otlp-in.ts';
import { BASE, type ConsoleServer, createConsole } from './server.ts';
import { createStore, type Store } from './store.ts';
import type { TelemetryMoment } from './wire.ts';

export interface StandaloneOptions {
  /** Of Binnacle. */
  readonly version: string;
  /** Asked of pages and senders; undefined only where nobody but this machine can reach it. */
  readonly token: string | undefined;
  readonly clock?: Clock;
  /** Folder of the page's files; the package's own unless told. */
  readonly files?: string | undefined;
  /** Somebody spoke gRPC, which is not understood. Called once. */
  onGrpc?(): void;
}

export interface Standalone {
  /** Not listening yet. */
  readonly server: Server;
  /** Ends all that is open, at once. */
  close(): void;
}

/** Connections at once: pages have one each, senders a few. */
const CONNECTIONS = 1000;
/** For a whole request to come in, in milliseconds. */
const REQUEST_MS = 60_000;
/** Senders come again every few seconds: a connection that ends just then would lose them a request. In milliseconds. */
const IDLE_MS = 65_000;
/** What HTTP/2, and so gRPC, begins with: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const HTTP2 = 'PRI * HTTP/2';
/** The metrics with most series that are told of. */
const MOST_METRICS = 20;

export function createStandalone(options: StandaloneOptions): Standalone {
  const { version, token, clock = realClock, files } = options;
  const store = createStore();
  const receiver = createOtlpReceiver({ store, token, clock });
  const page = createConsole({
    store,
    about: { service: 'console', version, environment: 'development', mode: 'standalone' },
    token,
    clock,
    files,
    telemetry: () => telemetryOf(store, receiver, clock),
  });
  const server = createServer({ requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS }, (req, res) => {
    void answer(page, receiver, req, res);
  });
  server.maxConnections = CONNECTIONS;
  tellOfGrpc(server, options.onGrpc);
  return {
    server,
    close() {
      page.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  page: ConsoleServer,
  receiver: OtlpReceiver,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  // What a broken connection still has to say is nothing new.
  res.on('error', () => {});
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  if (page.owns(path)) return page.answer(path, req, res);
  if (receiver.owns(path)) return receiver.answer(path, req, res);
  if (path === '/' && (req.method === 'GET' || req.method === 'HEAD')) {
    res.writeHead(307, { location: `${BASE}/`, 'cache-control': 'no-store' }).end();
    return;
  }
  sendError(res, 404, 'not_found', `The page is at ${BASE}; OTLP is taken at /v1/traces, /v1/logs and /v1/metrics.`);
}

function tellOfGrpc(server: Server, onGrpc: (() => void) | undefined): void {
  let isTold = false;
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    if (!isTold && error.rawPacket?.toString('latin1').startsWith(HTTP2)) {
      isTold = true;
      onGrpc?.();
    }
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
}

/** Of the console itself: what it was sent, and what of that it holds. */
function telemetryOf(store: Store, receiver: OtlpReceiver, clock: Clock): TelemetryMoment {
  const { spans, rejected } = receiver.received();
  return {
    time: clock.wall(),
    exporter: { kind: 'receiver' },
    // Exported to it.
    spans: { exported: spans, dropped: 0, failed: rejected, kept: 0 },
    queues: [],
    logs: { dropped: 0, withoutContext: 0 },
    series: receiver.largest(MOST_METRICS),
    store: store.held(),
  };
}

/** A receiver of OTLP over HTTP on a real socket: spans as they were delivered, and every way not to take them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decodeTraceRequest, encodeTraceResponse, type ReceivedSpan } from './decode.ts';

export type { ReceivedEvent, ReceivedLink, ReceivedSpan } from './decode.ts';

/** How requests are dealt with. Whatever answers 2xx takes the spans. */
export type Behaviour =
  | 'healthy'
  /** Accepts, reads, never answers. */
  | 'blackHole'
  /** Accepts and does not even read. */
  | 'deaf'
  /** Resets the connection in the middle of the request. */
  | 'reset'
  /** 200, and bytes that are no answer to an export. */
  | 'garbage'
  /** 200, and 16 MiB of answer. */
  | 'huge'
  /** 200, and an answer that never ends. */
  | 'endless'
  /** Answers what is no HTTP. */
  | 'invalidHttp'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly delayMs: number }
  /** Takes all but the first so many spans of each request. */
  | { readonly rejected: number; readonly message?: string };

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes as they were sent. */
  readonly bytes: number;
  readonly spans: readonly ReceivedSpan[];
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** For `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. */
  readonly tracesUrl: string;
  readonly port: number;
  /** What requests meet from now on. */
  behaviour: Behaviour;
  /** Spans that were taken. */
  readonly spans: readonly ReceivedSpan[];
  /** Resource attributes of the last span that was sent. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Requests that were read to their end, taken or not. */
  readonly requests: readonly ReceivedRequest[];
  /** Requests that began, read or not. */
  readonly attempts: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Closes the port and every connection; `start` opens the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface OtlpReceiverOptions {
  readonly behaviour?: Behaviour;
  /** Accepts connections and never answers. */
  readonly blackHole?: boolean;
}

interface State {
  behaviour: Behaviour;
  attempts: number;
  connections: number;
  readonly spans: ReceivedSpan[];
  readonly requests: ReceivedRequest[];
}

/** Starts a receiver on a free port of the loopback address. */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const behaviour = options.behaviour ?? (options.blackHole ? 'blackHole' : 'healthy');
  const state: State = { behaviour, attempts: 0, connections: 0, spans: [], requests: [] };
  let server = await listen(state, 0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    tracesUrl: `${url}/v1/traces`,
    port,
    get behaviour() {
      return state.behaviour;
    },
    set behaviour(next) {
      state.behaviour = next;
    },
    spans: state.spans,
    requests: state.requests,
    get resource() {
      return state.requests.at(-1)?.spans.at(-1)?.resource ?? {};
    },
    get attempts() {
      return state.attempts;
    },
    get connections() {
      return state.connections;
    },
    stop,
    async start() {
      await stop();
      server = await listen(state, port);
    },
    close: stop,
  };
}

async function listen(state: State, port: number): Promise<Server> {
  const server = createServer((req, res) => void receive(state, req, res).catch(() => req.socket.destroy()));
  server.on('connection', () => {
    state.connections += 1;
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function receive(state: State, req: IncomingMessage, res: ServerResponse): Promise<void> {
  state.attempts += 1;
  if (state.behaviour === 'deaf') {
    req.socket.pause();
    return;
  }
  if (state.behaviour === 'reset') {
    req.socket.resetAndDestroy();
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  let spans: ReceivedSpan[];
  try {
    const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    spans = decodeTraceRequest(body, req.headers['content-type'] ?? '');
  } catch (error) {
    res.writeHead(400).end(String(error));
    return;
  }
  state.requests.push({ path: req.url ?? '', headers: req.headers, bytes: raw.length, spans });
  // As late as possible, so that a test that sees the spans sees its answer sent too.
  const taken = await answer(state.behaviour, spans, req, res);
  state.spans.push(...taken);
}

/** Returns the spans that were taken. */
async function answer(
  behaviour: Behaviour,
  spans: ReceivedSpan[],
  req: IncomingMessage,
  res: ServerResponse,
): Promise<ReceivedSpan[]> {
  const type = req.headers['content-type'] ?? '';
  const json = type === 'application/json';
  const ok = (body: Buffer | string): ReceivedSpan[] => {
    res.writeHead(200, { 'content-type': type }).end(body);
    return spans;
  };
  switch (behaviour) {
    case 'healthy':
      return ok(json ? '{}' : '');
    case 'blackHole':
    case 'deaf':
    case 'reset':
      return [];
    case 'garbage':
      return ok(Buffer.from([0x0a, 0xff, 0xff, 0x03, 0x00, 0x3c, 0x68, 0x7b]));
    case 'huge':
      return ok(Buffer.alloc(16 * 1024 * 1024, 0x0a));
    case 'endless':
      res.writeHead(200, { 'content-type': type }).write(' ');
      return spans;
    case 'invalidHttp':
      req.socket.end('SSH-2.0-OpenSSH_9.9\r\n\r\n');
      return [];
  }
  if ('status' in behaviour) {
    res.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '');
    return behaviour.status < 300 ? spans : [];
  }
  if ('delayMs' in behaviour) {
    await new Promise((resolve) => setTimeout(resolve, behaviour.delayMs));
    return ok(json ? '{}' : '');
  }
  ok(encodeTraceResponse(behaviour.rejected, behaviour.message ?? '', type));
  return spans.slice(behaviour.rejected);
}

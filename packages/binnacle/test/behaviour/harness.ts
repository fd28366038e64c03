/** What the behaviour suite runs on: an observed app on a loopback socket, its lines, its series, its spans. */
import { request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { vi } from 'vitest';
import type { Observability, ObserveOptions } from '../../src/observe.ts';
import { observe } from '../../src/observe.ts';
import { seriesOf, seriesValue } from '../signals.ts';
import { type ReceivedSpan, type Receiver, startReceiver } from './receiver.ts';

/** A request as the framework has it. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** An answer that the framework sends by its own means. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A route of the app: `answer` is sent by the framework, `write` writes to Node's own response. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** With parameters as `:name`. */
  readonly path: string;
  answer?(call: Call): Answer | Promise<Answer>;
  write?(req: IncomingMessage, res: ServerResponse): unknown;
}

/** Node's server below the app: of `node:http`, unless the app is one of HTTP/2. */
export type AppServer = Server & { connectionsCheckingInterval?: number };

export interface App {
  readonly port: number;
  readonly server: AppServer;
  close(): Promise<void>;
}

/**
 * Builds and starts an app. It must parse JSON bodies, leave `application/octet-stream` to the route, log `error handler` from its error handler (which
 * answers with the error's `statusCode`, or 500) and `not found handler` from its 404 handler.
 */
export type CreateApp = (
  obs: Observability,
  routes: readonly Route[],
  /** Is to be called with the server before it listens. */
  prepare: (server: AppServer) => void,
) => Promise<App>;

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly message: string };

export interface Harness {
  readonly obs: Observability;
  readonly url: string;
  readonly port: number;
  readonly server: AppServer;
  /** The lines so far. */
  lines(): LogLine[];
  /** Waits for so many closing lines; fails where there are more. */
  closing(count: number): Promise<LogLine[]>;
  /** Waits for so many spans by a part of their name. */
  spans(count: number, name?: string): Promise<ReceivedSpan[]>;
  value(series: string): Promise<number | undefined>;
  series(metric: string): Promise<string[]>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly routes?: readonly Route[];
  readonly env?: Readonly<Record<string, string>>;
  readonly options?: Partial<ObserveOptions>;
  prepare?(server: AppServer): void;
}

/** Of a request as Node and most frameworks have it, or of Hono's context. */
function userOf(request: object): string | undefined {
  const { headers, req } = request as {
    headers?: Record<string, string | undefined>;
    req?: { header(name: string): string | undefined };
  };
  return headers === undefined ? req?.header('x-user') : headers['x-user'];
}

/** How long a socket, a line or a span may take. */
const DEADLINE = { timeout: 10_000, interval: 5 };

export const waitFor = <T>(look: () => T | Promise<T>): Promise<T> => vi.waitFor(look, DEADLINE);

/** Starts an app with all signals on; spans go to a receiver over HTTP, as they do in production. */
export async function startHarness(createApp: CreateApp, given: HarnessOptions = {}): Promise<Harness> {
  const receiver = await startReceiver();
  const written: LogLine[] = [];
  const obs = observe({
    service: 'svc',
    version: '1.2.3',
    user: userOf,
    destination: { write: (line) => void written.push(JSON.parse(line)) },
    env: { ENVIRONMENT: 'test', LOG_FORMAT: 'json', LOG_LEVEL: 'DEBUG', ...receiver.env, ...given.env },
    // The tests' own client runs in this process: its requests are none of the service's.
    clients: [],
    ...given.options,
  });
  const close = async (): Promise<void> => {
    await obs.close();
    await receiver.close();
  };
  const app = await createApp(obs, given.routes ?? [], (server) => given.prepare?.(server)).catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  const isClosing = (line: LogLine): boolean => line.message.endsWith('Request completed');
  const scrape = async (): Promise<string> => {
    let text = '';
    for await (const chunk of obs.scrape().body) text += chunk;
    return text;
  };
  return {
    obs,
    port: app.port,
    server: app.server,
    url: `http://127.0.0.1:${app.port}`,
    lines: () => [...written],
    closing: (count) =>
      waitFor(() => {
        const lines = written.filter(isClosing);
        if (lines.length !== count) throw new Error(`${lines.length} closing lines, not ${count}`);
        return lines;
      }),
    spans: (count, name = '') => receiver.spans(count, name),
    value: async (series) => seriesValue(await scrape(), series),
    series: async (metric) => seriesOf(await scrape(), metric),
    async close() {
      await app.close();
      await close();
    },
  };
}

export type { ReceivedSpan, Receiver };

/** A request by `node:http`, on a connection of its own; resolves with the whole answer. */
export async function send(
  url: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | readonly string[] } = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const req = httpRequest(url, { agent: false, ...rest }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
      });
      res.once('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text }));
      res.once('error', reject);
    });
    req.once('error', reject);
    if (typeof body === 'string') req.setHeader('content-length', Buffer.byteLength(body)).end(body);
    else {
      for (const chunk of body ?? []) req.write(chunk);
      req.end();
    }
  });
}

/** A socket that bytes are written to by hand. */
export interface RawClient {
  readonly socket: Socket;
  write(text: string): void;
  /** All that came so far. */
  received(): string;
  /** Waits for a text among what came. */
  until(text: string): Promise<void>;
}

export async function openRaw(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    write: (more) => void socket.write(more),
    received: () => text,
    until: (part) =>
      waitFor(() => {
        if (!text.includes(part)) throw new Error(`no ${JSON.stringify(part)} in ${JSON.stringify(text)}`);
      }),
  };
}

/** A promise that is settled from outside. */
export function deferred<T = void>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value) => resolve(value) };
}

/** Labels as the scrape writes them, in the order of the HTTP metrics; those not given are left out. */
export function httpLabels(labels: {
  method?: string;
  route: string;
  status?: number | undefined;
  error?: string;
}): string {
  const parts = [
    `http_request_method="${labels.method ?? 'GET'}"`,
    'url_scheme="http"',
    `http_route="${labels.route}"`,
  ];
  if (labels.status !== undefined) parts.push(`http_response_status_code="${labels.status}"`);
  if (labels.error !== undefined) parts.push(`error_type="${labels.error}"`);
  return `{${parts.join(',')}}`;
}
